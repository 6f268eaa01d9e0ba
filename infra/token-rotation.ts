import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { TokenSettingsEntry } from "../src/formats/settings.ts";
import { checkArgs } from "./args/check-args.ts";
import { describeProblems } from "./args/problem.ts";
import { rotationDefaults, type TokenRotationArgs } from "./args/rotation-args.ts";
import type { TokenPlan } from "./args/token-rules.ts";
import { type Credentials, createCredentials } from "./resources/credentials.ts";
import { LambdaFunction } from "./resources/function.ts";
import { encryptionKeyOf } from "./resources/key.ts";
import { Monitoring } from "./resources/monitoring.ts";
import { type RoleScope, reconcilerStatements, rotatorStatements } from "./resources/roles.ts";
import { rotatorTimeoutSeconds, settingsFile, settingsOf } from "./resources/settings-file.ts";
import { createSecretPolicy, createTokenSecret, type TokenSecret } from "./resources/token-secret.ts";

/** For a hundred secrets, and for C2M calls that have to wait for its rate limit. */
const reconcilerTimeoutSeconds = 300;

/**
 * Keeps the long-term tokens of one C2M client fresh: a secret with the client's credentials, a secret per token, the
 * function that rotates them on a schedule each, the function that revokes what must not live any longer, and alarms.
 *
 * Its name is the prefix of what it creates (functions, log group, topics), so two in one account need different ones.
 *
 * @example
 * new TokenRotation("c2m", {
 *   clientId: "c2m_1234",
 *   credentials: { clientSecret: config.requireSecret("clientSecret") },
 *   tokens: [{ name: "c2m/api-token" }],
 * });
 */
export class TokenRotation extends pulumi.ComponentResource {
  /** Rotates, one step per invocation. */
  readonly rotator: LambdaFunction;
  /** Revokes what must not live any longer, and measures, once an hour. */
  readonly reconciler: LambdaFunction;
  /** Both functions write to it: it is the ledger of issued and revoked tokens. */
  readonly logGroup: aws.cloudwatch.LogGroup;
  /** The client's credentials; undefined for the mechanism that has none. */
  readonly credentialsSecretArn: pulumi.Output<string> | undefined;
  /** The secrets that apps read, by name. */
  readonly tokenSecrets: Record<string, TokenSecret>;
  /** Undefined where it was switched off. */
  readonly monitoring: Monitoring | undefined;

  /** @throws {pulumi.InputPropertiesError} with every problem of the arguments at once, and no value */
  constructor(name: string, args: TokenRotationArgs, options?: pulumi.ComponentResourceOptions) {
    const { tokens, problems } = checkArgs(name, args);
    if (problems.length > 0) {
      throw new pulumi.InputPropertiesError({
        message: `The arguments of TokenRotation are not valid:\n${describeProblems(problems)}`,
        errors: problems.map(({ path, rule }) => ({ propertyPath: path, reason: rule })),
      });
    }
    // Not the credentials: given as plain text, they would stand in the state as such.
    const { credentials: _, ...shown } = args;
    super("c2m-token-rotation:index:TokenRotation", name, shown, options);
    const child = { parent: this };
    const { accountId } = aws.getCallerIdentityOutput({}, child);
    const { region } = aws.getRegionOutput({}, child);
    const { partition } = aws.getPartitionOutput({}, child);
    const tags = { Project: "c2m-token-rotation", Rotation: name, ...args.tags };
    const { protect = rotationDefaults.protect, readers = [], replicas = [] } = args;
    const { recoveryWindowInDays = rotationDefaults.recoveryWindowInDays } = args;

    const keyArn = encryptionKeyOf(
      name,
      args.kmsKey,
      { description: `Secrets of ${name}`, accountId, partition, region, readers, tags, protect },
      child,
    );
    const secretArgs = { recoveryWindowInDays, tags, ...(keyArn ? { kmsKeyId: keyArn } : {}) };
    const credentials = createCredentials(name, args, secretArgs, { parent: this, protect });
    if (credentials.secret) createSecretPolicy(`${name}-credentials`, credentials.secret, [], child);
    this.credentialsSecretArn = credentials.secretArn;
    const description = `C2M API token of ${args.clientId}; kept fresh by ${name}`;
    this.tokenSecrets = Object.fromEntries(
      args.tokens.map((token) => [
        token.name,
        createTokenSecret(`${name}-${token.name}`, token, {
          description,
          secretArgs,
          replicas,
          readers,
          protect,
          parent: this,
        }),
      ]),
    );
    this.logGroup = new aws.cloudwatch.LogGroup(
      name,
      {
        name: `/aws/lambda/${name}`,
        retentionInDays: args.logRetentionDays ?? rotationDefaults.logRetentionDays,
        tags,
      },
      { ...child, protect },
    );

    const settings = new Map(tokens.map((token) => [token.name, settingsOf(args, credentials, token)]));
    const tokenArns = Object.values(this.tokenSecrets).map(({ arn }) => arn);
    const { logGroup } = this;
    const scope: RoleScope = { tokenArns, credentialsArn: credentials.secretArn, logGroup, keyArn, region };
    const common = {
      files: { "tokens.json": settingsFile(settings) },
      environment: { POWERTOOLS_SERVICE_NAME: name },
      logGroup,
      tags,
      vpc: args.vpc,
      tracing: args.tracing,
    };
    this.rotator = new LambdaFunction(
      `${name}-rotator`,
      {
        ...common,
        functionName: `${name}-rotator`,
        description: "Rotates C2M API tokens, one step per invocation by Secrets Manager",
        code: "rotator",
        timeoutSeconds: rotatorTimeoutSeconds,
        statements: rotatorStatements(scope),
      },
      child,
    );
    this.reconciler = new LambdaFunction(
      `${name}-reconciler`,
      {
        ...common,
        functionName: `${name}-reconciler`,
        description: "Revokes superseded and orphaned C2M API tokens, and measures their state, once an hour",
        code: "reconciler",
        timeoutSeconds: reconcilerTimeoutSeconds,
        statements: reconcilerStatements(scope),
      },
      child,
    );
    this.#rotateOnSchedule(name, tokens, settings, credentials, accountId);
    this.#reconcileHourly(name, tags);
    this.monitoring =
      args.monitoring === false
        ? undefined
        : new Monitoring(
            name,
            {
              rotation: name,
              rotatorName: this.rotator.function.name,
              reconcilerName: this.reconciler.function.name,
              tokenSecretArns: tokenArns,
              leastSpareSeconds: Math.min(...tokens.map(({ spareSeconds }) => spareSeconds)),
              accountId,
              tags,
              ...args.monitoring,
            },
            child,
          );
    this.registerOutputs({ rotator: this.rotator.function.arn, reconciler: this.reconciler.function.arn });
  }

  #rotateOnSchedule(
    name: string,
    tokens: readonly TokenPlan[],
    settings: Map<string, pulumi.Output<TokenSettingsEntry>>,
    credentials: Credentials,
    accountId: pulumi.Input<string>,
  ): void {
    const child = { parent: this };
    const permission = new aws.lambda.Permission(
      `${name}-rotator`,
      {
        function: this.rotator.function.name,
        action: "lambda:InvokeFunction",
        principal: "secretsmanager.amazonaws.com",
        sourceAccount: accountId,
      },
      child,
    );
    // Chained: a first issue call each, and C2M limits those per minute.
    let before: pulumi.Resource[] = [];
    for (const token of tokens) {
      const secret = this.tokenSecrets[token.name];
      if (!secret) continue;
      const bootstrap = new aws.lambda.Invocation(
        `${name}-${token.name}`,
        {
          functionName: this.rotator.function.name,
          // The function depends on its policy, and the triggers on the credentials.
          input: pulumi.jsonStringify({ Step: "bootstrap", SecretId: secret.arn }),
          triggers: {
            ...(credentials.version === undefined ? {} : { credentials: credentials.version }),
            settings: pulumi.jsonStringify(settings.get(token.name)),
          },
        },
        { ...child, dependsOn: before },
      );
      before = [bootstrap];
      new aws.secretsmanager.SecretRotation(
        `${name}-${token.name}`,
        {
          secretId: secret.arn,
          rotationLambdaArn: this.rotator.function.arn,
          // The bootstrap has put a token there; a changed schedule is no reason to rotate at once.
          rotateImmediately: false,
          rotationRules: {
            scheduleExpression: token.schedule,
            ...(token.window === undefined ? {} : { duration: token.window }),
          },
        },
        // Secrets Manager checks at once that it may invoke the function, and runs testSecret on the current value.
        { ...child, dependsOn: [permission, bootstrap] },
      );
    }
  }

  #reconcileHourly(name: string, tags: Record<string, string>): void {
    const child = { parent: this };
    const { function: reconciler } = this.reconciler;
    const hourly = new aws.cloudwatch.EventRule(
      `${name}-reconciler`,
      { description: `Runs ${name}-reconciler`, scheduleExpression: "rate(1 hour)", tags },
      child,
    );
    new aws.cloudwatch.EventTarget(`${name}-reconciler`, { rule: hourly.name, arn: reconciler.arn }, child);
    new aws.lambda.Permission(
      `${name}-reconciler`,
      {
        function: reconciler.name,
        action: "lambda:InvokeFunction",
        principal: "events.amazonaws.com",
        sourceArn: hourly.arn,
      },
      child,
    );
  }
}
