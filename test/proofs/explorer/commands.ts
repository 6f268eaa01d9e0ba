import { compromised } from "../../../cli/acting/compromised.ts";
import { decommission } from "../../../cli/acting/decommission.ts";
import { reconcile } from "../../../cli/acting/reconcile.ts";
import { rollback } from "../../../cli/acting/rollback.ts";
import { rotate } from "../../../cli/acting/rotate.ts";
import { unstick } from "../../../cli/acting/unstick.ts";
import type { Aws, DescribedSecret } from "../../../cli/aws.ts";
import type { Call, Command } from "../../../cli/command.ts";
import { commands } from "../../../cli/commands.ts";
import { commonOptions, Options } from "../../../cli/options.ts";
import { Terminal } from "../../../cli/terminal.ts";
import { SecretsManagerStore } from "../../../src/aws/secrets-manager-store.ts";
import type { CommandName, CommandResult, FunctionRun } from "./function-run.ts";
import { textOf } from "./in-memory-ledger.ts";
import type { World } from "./parts.ts";
import { tokenTextOf } from "./stored-text.ts";

/** At once, without the loading that the table of commands does when one is run. */
const runs: Record<CommandName, Command["run"]> = {
  rollback,
  compromised,
  decommission,
  unstick,
  rotate,
  "reconcile-now": reconcile,
};

const args: Partial<Record<CommandName, (name: string) => string[]>> = {
  compromised: (name) => ["--yes", name],
  decommission: (name) => ["--yes", name, "--accept-alive", "--delete-lent"],
  rotate: () => ["--wait"],
};

const rotatorName = "c2m-token-rotation-rotator";
const logGroup = "/aws/lambda/proven";

/** Runs a command of the command line as it is, with every request an effect that a schedule can strike. */
export async function runCommand(
  world: World,
  run: FunctionRun,
  name: CommandName,
  index: number,
): Promise<CommandResult> {
  const table = commands.find((one) => one.name === (name === "reconcile-now" ? "reconcile" : name));
  const { arn, settings } = world.of(index);
  let printed = "";
  const sink = {
    write: (text: string) => {
      printed += text;
    },
  };
  const silent = { write: () => {} };
  const aws = awsOf(world, run);
  const call: Call = {
    options: Options.parse(args[name]?.(settings.secretName) ?? [], { ...commonOptions, ...table?.options }),
    terminal: new Terminal({
      stdout: sink,
      stderr: silent,
      isInteractive: false,
      colours: false,
      json: true,
      ask: async () => "",
    }),
    clock: run.clock(world.clock),
    aws: async () => aws,
    target: async () => ({
      secrets: [arn],
      others: world.secrets
        .filter((other) => other.index !== index && !world.decommissioned.has(other.index))
        .map((other) => other.arn),
      baseUrl: name === "decommission" ? baseUrlToSay(world, index) : settings.baseUrl,
      baseUrlFrom: "--base-url",
      graceSecondsOf: () => settings.graceSeconds,
      functions: { rotator: rotatorName, reconciler: "c2m-token-rotation-reconciler", logGroup },
      isMonitored: false,
      isSandbox: false,
    }),
    signal: new AbortController().signal,
    uninterrupted: (work) => work(),
    send: world.connection.c2m(run),
    random: () => 0.5,
  };
  const exitCode = await runs[name](call);
  return { exitCode, result: printed === "" ? undefined : (JSON.parse(printed) as Record<string, unknown>) };
}

/** Where the token in the secret is another C2M's, which is theirs, too, people name that one with --base-url. */
function baseUrlToSay(world: World, index: number): string {
  const { settings } = world.of(index);
  const current = world.secret(index).state.versions.get(world.holder(index, "AWSCURRENT") ?? "");
  const token = world.c2ms.byAccessToken(tokenTextOf(current?.value) ?? "");
  return (token && world.c2ms.baseUrlOf(token.id)) ?? settings.baseUrl;
}

function awsOf(world: World, run: FunctionRun): Aws {
  const secrets = world.connection.secretsManager(run);
  const send = (operation: string, input: object) =>
    (secrets.send as unknown as (command: object) => Promise<Record<string, unknown>>)({
      input,
      constructor: { name: `${operation}Command` },
    });
  const never = () => Promise.reject(new Error("None of these commands asks for it."));
  return {
    store: new SecretsManagerStore(secrets),
    ledger: () => world.connection.ledger(run),
    describeSecret: async (SecretId) => described(await send("DescribeSecret", { SecretId })),
    rotateSecret: async (SecretId, ClientRequestToken) => {
      try {
        await send("RotateSecret", { SecretId, ClientRequestToken });
        return "started";
      } catch (error) {
        if (error instanceof Error && /previous rotation isn.t complete/.test(error.message)) return "unfinished";
        throw error;
      }
    },
    cancelRotation: async (SecretId) => void (await send("CancelRotateSecret", { SecretId })),
    deleteSecret: async (SecretId, RecoveryWindowInDays) => {
      const { DeletionDate } = await send("DeleteSecret", { SecretId, RecoveryWindowInDays });
      return (DeletionDate as Date | undefined)?.getTime();
    },
    functionConfiguration: () =>
      ask(world, run, "lambda", "GetFunctionConfiguration", false, async () => ({
        runtime: "nodejs24.x",
        state: "Active",
        timeoutSeconds: 120,
        logGroup,
      })),
    invoke: (_, payload) => ask(world, run, "lambda", "Invoke", true, () => invoke(world, payload)),
    logEvents: ({ from, names }) =>
      ask(world, run, "ledger", "FilterLogEvents", false, async () => ({
        events: world.ledger
          .readable(from, world.clock.now())
          .filter(({ event }) => (names as readonly string[]).includes(event))
          .map((line) => ({
            message: textOf(line),
            timestamp: line.at,
            ingestionTime: line.cameAt,
            logStreamName: line.stream,
          })),
        nextToken: undefined,
      })),
    writeLog: (_, stream, lines) =>
      ask(world, run, "ledger", "PutLogEvents", true, async () => {
        for (const { timestamp, message } of lines) {
          world.watch.logged(run, world.ledger.put(stream, timestamp, message, world.clock.now()));
        }
      }),
    rotatedSecrets: async () => world.secrets.map(({ settings }) => settings.secretName),
    mayInvoke: never,
    logRetention: never,
    alarms: never,
    setAlarmState: never,
    alarmActions: never,
    refusedRead: never,
    callerArn: async () => undefined,
    clockAheadMs: () => 0,
    close: () => {},
  };
}

/** A request to another service than Secrets Manager. */
function ask<Answer>(
  { effects }: World,
  run: FunctionRun,
  service: "lambda" | "ledger",
  operation: string,
  mutates: boolean,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  const perform = async (done: () => void) => {
    const answered = await answer();
    done();
    return answered;
  };
  return effects.request(run, {
    service,
    operation,
    mutates,
    subject: "",
    perform,
    troubled: async (trouble, done) => {
      if (trouble === "lost") await perform(done);
      const name = errorNames[trouble] ?? "TimeoutError";
      throw Object.assign(new Error(name), { name, $metadata: {} });
    },
  });
}

/** What the SDK calls what goes wrong with a request. */
const errorNames: Record<string, string> = {
  refused: "TooManyRequestsException",
  denied: "AccessDeniedException",
  error: "ServiceException",
};

async function invoke(world: World, payload: string): Promise<{ payload: string; error: string | undefined }> {
  const { scope, graceSeconds, secrets } = JSON.parse(payload) as {
    scope?: "all" | "recent";
    graceSeconds?: number;
    secrets?: string[];
  };
  const end = await world.functions.reconcile(scope ?? "all", { graceSeconds, secrets });
  if (end.kind === "succeeded") return { payload: JSON.stringify(end.result), error: undefined };
  const errorMessage = end.kind === "failed" && end.error instanceof Error ? end.error.message : "timed out";
  return { payload: JSON.stringify({ errorMessage }), error: "Unhandled" };
}

function described(secret: Record<string, unknown>): DescribedSecret {
  const at = (name: string) => (secret[name] as Date | undefined)?.getTime();
  const replicas = (secret.ReplicationStatus ?? []) as { Region: string; Status: string }[];
  return {
    arn: String(secret.ARN),
    name: String(secret.Name),
    isOurs: true,
    rotationEnabled: secret.RotationEnabled === true,
    schedule: "rate(30 days)",
    rotationLambdaArn: secret.RotationLambdaARN as string | undefined,
    createdAt: at("CreatedDate"),
    lastRotatedAt: at("LastRotatedDate"),
    lastChangedAt: at("LastChangedDate"),
    nextRotationAt: at("NextRotationDate"),
    deletedAt: at("DeletedDate"),
    replicasInSync: replicas.every(({ Status }) => Status === "InSync"),
    replicaRegions: replicas.map(({ Region }) => Region),
    stages: new Map(Object.entries((secret.VersionIdsToStages ?? {}) as Record<string, string[]>)),
  };
}
