import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { describeProblems } from "./args/checks.ts";
import { planRotation, type RotationPlan } from "./args/plan.ts";
import type { TokenRotationArgs } from "./args/rotation-args.ts";
import { createContext } from "./resources/context.ts";
import { createCredentials } from "./resources/credentials.ts";
import { createFunctions, type LambdaFunction } from "./resources/function.ts";
import { Monitoring } from "./resources/monitoring.ts";
import { outputsOf, type RotationOutputs } from "./resources/outputs.ts";
import { reconcileOnSchedule, rotateOnSchedule } from "./resources/rotation-schedule.ts";
import { settingsOf } from "./resources/settings-file.ts";
import { withShortTraces } from "./resources/short-traces.ts";
import { createTokenSecrets, type TokenSecret } from "./resources/token-secret.ts";

/** The resources of a rotation, for programs in TypeScript that add to them. */
export interface RotationNodes {
  rotator: LambdaFunction;
  reconciler: LambdaFunction;
  logGroup: aws.cloudwatch.LogGroup;
  /** By name. */
  tokenSecrets: Record<string, TokenSecret>;
  /** Undefined where it was switched off. */
  monitoring: Monitoring | undefined;
}

/** Beside the class: each of its fields would be an output in every Pulumi language. */
const nodesOf = new WeakMap<TokenRotation, RotationNodes>();

/**
 * Keeps the long-term tokens of one C2M client fresh: a secret with the client's credentials, a secret per token, the
 * function that rotates them on a schedule each, the function that revokes what must not live any longer, and alarms.
 *
 * Its name is the prefix of what it creates (functions, log group, topics), so two in one account need different ones.
 *
 * @example
 * new TokenRotation("c2m", {
 *   clientId: "c2m_1234",
 *   clientSecret: config.requireSecret("clientSecret"),
 *   tokens: [{ name: "c2m/api-token" }],
 * });
 */
export class TokenRotation extends pulumi.ComponentResource implements RotationOutputs {
  /** The ARN of each token secret, by its name: what apps read. */
  declare readonly tokenSecretArns: pulumi.Output<{ [name: string]: string }>;
  /** The ARN of the secret with the client's credentials. Absent for the mechanism that stores none. */
  declare readonly credentialsSecretArn: pulumi.Output<string | undefined>;
  /** The function that rotates, one step per invocation. */
  declare readonly rotatorName: pulumi.Output<string>;
  /** The function that revokes what must not live any longer, and measures. */
  declare readonly reconcilerName: pulumi.Output<string>;
  /** Both functions write to it: it is the ledger of issued and revoked tokens. */
  declare readonly logGroupName: pulumi.Output<string>;
  /** The key of the secrets; AWS's own by its alias. With another, apps need `kms:Decrypt` for it. */
  declare readonly kmsKeyArn: pulumi.Output<string>;
  /** The C2M API, without `/auth`: where an operator may send a token. */
  declare readonly baseUrl: pulumi.Output<string>;
  /** How long a superseded token stays alive, by the secret's name. */
  declare readonly graceSeconds: pulumi.Output<{ [name: string]: number }>;
  /** Whether the stack is there to be tried out: only then an operator's command rehearses on it. */
  declare readonly sandbox: pulumi.Output<boolean>;
  /** Gets the alarms. Absent without monitoring, as are the next two. */
  declare readonly alarmTopicArn: pulumi.Output<string | undefined>;
  /** Gets an event whenever a token secret has a new current value. */
  declare readonly rotationTopicArn: pulumi.Output<string | undefined>;
  /** The dashboard of all figures. */
  declare readonly dashboardName: pulumi.Output<string | undefined>;
  /** The command that prints a token secret's value, by the secret's name. */
  declare readonly readCommands: pulumi.Output<{ [name: string]: string }>;
  /** The command that rotates a token at once, by the secret's name. */
  declare readonly rotateNowCommands: pulumi.Output<{ [name: string]: string }>;

  /** @throws {pulumi.InputPropertiesError} with every problem of the arguments at once, and no value */
  constructor(name: string, args: TokenRotationArgs, options?: pulumi.ComponentResourceOptions) {
    const plan = soundPlan(name, { ...args, protect: args.protect ?? options?.protect });
    // Of the arguments only these: credentials that were given as plain text would stand in the state as such.
    super("c2m-token-rotation:index:TokenRotation", name, { tokens: args.tokens }, options);
    const { nodes, outputs } = withShortTraces(() => declareRotation(plan, this));
    nodesOf.set(this, nodes);
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }

  /** The resources themselves. */
  get nodes(): RotationNodes {
    return nodesOf.get(this) as RotationNodes;
  }
}

/** All that a rotation is made of, and what it tells. */
function declareRotation(
  plan: RotationPlan,
  rotation: TokenRotation,
): { nodes: RotationNodes; outputs: RotationOutputs } {
  const context = createContext(plan, rotation);
  const credentials = createCredentials(context);
  const tokenSecrets = createTokenSecrets(context);
  const settings = settingsOf(plan, credentials);
  const scope = { tokenSecrets, credentialsArn: credentials.secretArn };
  const { rotator, reconciler } = createFunctions(context, settings, scope);
  rotateOnSchedule(context, rotator, tokenSecrets, credentials);
  reconcileOnSchedule(context, reconciler);
  const [rotatorName, reconcilerName] = [rotator.function.name, reconciler.function.name];
  const monitoring = plan.monitoring
    ? new Monitoring({ context, rotatorName, reconcilerName, tokenSecrets })
    : undefined;
  const nodes = { rotator, reconciler, logGroup: context.logGroup, tokenSecrets, monitoring };
  return { nodes, outputs: outputsOf(context, nodes, credentials) };
}

function soundPlan(name: string, args: TokenRotationArgs): RotationPlan {
  const { plan, problems } = planRotation(name, args);
  if (problems.length === 0) return plan;
  throw new pulumi.InputPropertiesError({
    message: `The arguments of TokenRotation are not valid:\n${describeProblems(problems)}`,
    errors: problems.map(({ path, rule }) => ({ propertyPath: path, reason: rule })),
  });
}
