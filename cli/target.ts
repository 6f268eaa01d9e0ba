import { publicBaseUrl } from "../src/c2m/base-url.ts";
import { ledgerGroup } from "../src/formats/ledger.ts";
import type { Aws } from "./aws.ts";
import { failed, refused, usage } from "./failure.ts";
import type { Options } from "./options.ts";
import { type StackOutputs, stackOutputs } from "./pulumi-stack.ts";

/** What the command line is about: secrets, and the functions that keep them. */
export interface Target {
  /** Names or ARNs. */
  secrets: readonly string[];
  /** The stack's other secrets, by ARN; none where no stack was given. */
  others: readonly string[];
  /** Where tokens may be sent, and nowhere else. */
  baseUrl: string;
  /** What says so, as a message names it. */
  baseUrlFrom: string;
  /** The grace of a token in seconds, by the secret's name or ARN; undefined where nothing tells it. */
  graceSecondsOf(secretId: string): number | undefined;
  functions: Functions;
  /** Whether the stack has alarms, by its outputs; undefined where no stack was given. */
  isMonitored: boolean | undefined;
  /** Whether the stack is there to be tried out, by its outputs; undefined where no stack was given. */
  isSandbox: boolean | undefined;
}

/** Names that were given; what was not is found through the secret. */
export interface Functions {
  rotator: string | undefined;
  reconciler: string | undefined;
  logGroup: string | undefined;
}

/** @throws Failure where nothing says which secret, or the stack can't be read */
export async function resolveTarget(
  options: Options,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Target> {
  const stack = options.text("stack");
  const named = options.texts("secret");
  const outputs: StackOutputs = stack === undefined ? { tokenSecretArns: {} } : await stackOutputs(stack);
  if (stack === undefined && named.length === 0) {
    throw usage("Which secret? Name it with --secret NAME, or a Pulumi stack with --stack STACK.");
  }
  const arns = outputs.tokenSecretArns;
  for (const name of stack === undefined ? [] : named) {
    if (!Object.hasOwn(arns, name) && !Object.values(arns).includes(name)) {
      throw usage(`--secret: the stack has no token ${JSON.stringify(name)}; it has ${Object.keys(arns).join(", ")}.`);
    }
  }
  const secrets = named.length > 0 ? named.map((name) => arns[name] ?? name) : Object.values(arns);
  return {
    secrets,
    others: Object.values(arns).filter((arn) => !secrets.includes(arn)),
    ...baseUrlOf(options.text("base-url"), outputs.baseUrl, env.C2M_BASE_URL),
    graceSecondsOf: (secretId) => {
      const name = Object.keys(arns).find((one) => one === secretId || arns[one] === secretId);
      return name === undefined ? undefined : outputs.graceSeconds?.[name];
    },
    functions: {
      rotator: options.text("rotator") ?? outputs.rotatorName,
      reconciler: options.text("reconciler") ?? outputs.reconcilerName,
      logGroup: options.text("log-group") ?? outputs.logGroupName,
    },
    isMonitored: stack === undefined ? undefined : outputs.alarmTopicArn !== undefined,
    isSandbox: stack === undefined ? undefined : outputs.sandbox === true,
  };
}

function baseUrlOf(
  option: string | undefined,
  output: string | undefined,
  variable: string | undefined,
): Pick<Target, "baseUrl" | "baseUrlFrom"> {
  if (option !== undefined) return { baseUrl: option, baseUrlFrom: "--base-url" };
  if (output !== undefined) return { baseUrl: output, baseUrlFrom: "The stack's output baseUrl" };
  if (variable) return { baseUrl: variable, baseUrlFrom: "C2M_BASE_URL" };
  return { baseUrl: publicBaseUrl, baseUrlFrom: "The public C2M's base URL" };
}

/** A token's grace in ms, by --grace or the stack; undefined where neither tells it. */
export function graceMsOf(options: Options, target: Target, secretId: string): number | undefined {
  const given = options.duration("grace", -1);
  if (given >= 0) return given;
  const seconds = target.graceSecondsOf(secretId);
  return seconds === undefined ? undefined : seconds * 1_000;
}

/** The one secret of a command that changes something. @throws Failure (usage) when there are several */
export function onlySecret({ secrets }: Target): string {
  const [secret] = secrets;
  if (secret === undefined || secrets.length > 1) {
    throw usage("This command works on one secret. Say which with --secret NAME.");
  }
  return secret;
}

/** The rotation function's name: as given, else the one that the secret names. */
export function rotatorOf({ functions }: Target, lambdaArn: string | undefined): string {
  const name = functions.rotator ?? lambdaArn?.split(":")[6];
  if (name === undefined) {
    throw refused(
      "The secret names no rotation function: rotation was never configured.",
      "Deploy the stack, or use --rotator NAME.",
    );
  }
  return name;
}

/** The rotation that the stack has named a rotator after; undefined where another one made it. */
function rotationNamedBy(rotator: string): string | undefined {
  return rotator.endsWith("-rotator") ? rotator.slice(0, -"-rotator".length) : undefined;
}

/** The reconciling function's name: as given, else as the stack names it beside the rotator. */
export function reconcilerOf(target: Target, lambdaArn: string | undefined): string {
  const { reconciler } = target.functions;
  if (reconciler !== undefined) return reconciler;
  const rotator = rotatorOf(target, lambdaArn);
  const rotation = rotationNamedBy(rotator);
  if (rotation !== undefined) return `${rotation}-reconciler`;
  throw usage(`The reconciler's name can't be told from the rotator's, ${rotator}. Use --reconciler NAME.`);
}

/** The rotation's name, with which those of its alarms begin: as the stack names its rotator after it. */
export function rotationOf(target: Target, lambdaArn: string | undefined): string {
  const rotator = rotatorOf(target, lambdaArn);
  const rotation = rotationNamedBy(rotator);
  if (rotation !== undefined) return rotation;
  throw usage(`The alarms' names can't be told from the rotator's, ${rotator}. Use --alarm-prefix NAME.`);
}

/** The log group of both functions, which is the ledger: as given, else the one that the rotator writes to. */
export async function logGroupOf(aws: Aws, target: Target, lambdaArn: string | undefined): Promise<string> {
  const { logGroup } = target.functions;
  if (logGroup !== undefined) return logGroup;
  const rotator = rotatorOf(target, lambdaArn);
  const { logGroup: written } = await aws.functionConfiguration(rotator);
  if (!written) throw failed(`The function ${rotator} names no log group.`, "Use --log-group NAME.");
  const rotation = rotationNamedBy(rotator);
  const ledger = rotation === undefined ? written : ledgerGroup(rotation);
  if (written === ledger) return written;
  throw failed(
    `The function ${rotator} writes to the log group ${written}, and the ledger is ${ledger}.`,
    `pulumi up --refresh sets it back; until then use --log-group ${ledger}`,
  );
}
