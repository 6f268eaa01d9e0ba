import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { SettingsFile, TokenSettingsEntry } from "../lambdas/rotation/settings.ts";
import { bundle } from "./bundle.ts";
import { functions } from "./functions.ts";
import { LambdaFunction } from "./lambda-function.ts";

/** One token to keep fresh. */
export interface TokenArgs {
  /** The name of the secret that apps read, as in `"c2m/api-token"`. */
  name: string;
  /** The scopes that the token has, `tokens:revoke` among them: without it no token of the client can revoke another. */
  scopes: string[];
  /** The lifetime to ask C2M for, in seconds: 3600 to 7,776,000. */
  lifetimeSeconds: number;
  /** How long a superseded token stays alive, in seconds. */
  graceSeconds: number;
  /** When to rotate: `rate(30 days)` or a cron expression, as Secrets Manager takes it. */
  schedule: string;
}

/** Arguments of {@link TokenRotation}. */
export interface TokenRotationArgs {
  /** The C2M client that the tokens are issued to. */
  clientId: string;
  /** The client's secret, as a Pulumi secret. */
  clientSecret: pulumi.Input<string>;
  /** The C2M API, without `/auth`. */
  baseUrl: string;
  /** The name of the secret that will hold the client's credentials. */
  credentialsSecretName: string;
  tokens: TokenArgs[];
  /** How long a deleted secret can be restored, in days; 0 deletes at once. */
  recoveryWindowInDays: number;
  /** Whether Pulumi refuses to delete a token secret. */
  protect: boolean;
}

/** Longer than any step takes: an issue call of 15 s and its retries, the store, and waiting for a token to work. */
const rotatorTimeoutSeconds = 120;

/** For a hundred secrets, and for C2M calls that have to wait for its rate limit. */
const reconcilerTimeoutSeconds = 300;

/** In seconds. A rotation window closes at the end of the UTC day at the latest; the margin is for its last attempt. */
const pendingMaxAgeSeconds = 26 * 3_600;

/** In days. At least as long as a token can live: the log is the ledger of issued and revoked tokens. */
const ledgerRetentionDays = 120;

/**
 * Keeps the long-term tokens of one C2M client fresh: a secret with the client's credentials, a secret per token, the
 * function that rotates them, and a schedule each.
 */
export class TokenRotation extends pulumi.ComponentResource {
  /** Rotates, one step per invocation. */
  readonly rotator: LambdaFunction;
  /** Revokes what must not live any longer, and measures, once an hour. */
  readonly reconciler: LambdaFunction;
  readonly credentialsSecret: aws.secretsmanager.Secret;
  /** The secrets that apps read, by name. */
  readonly tokenSecrets: Record<string, aws.secretsmanager.Secret>;

  constructor(name: string, args: TokenRotationArgs, options?: pulumi.ComponentResourceOptions) {
    // Not the client secret: given as plain text, it would stand in the state as such.
    const { clientSecret, ...shown } = args;
    super("c2m-token-rotation:index:TokenRotation", name, shown, options);
    const child = { parent: this };
    const { accountId } = aws.getCallerIdentityOutput({}, child);
    const secretArgs = { recoveryWindowInDays: args.recoveryWindowInDays };

    this.credentialsSecret = new aws.secretsmanager.Secret(
      `${name}-credentials`,
      {
        ...secretArgs,
        name: args.credentialsSecretName,
        description: `Credentials of the C2M client ${args.clientId}, for the rotation function only`,
      },
      child,
    );
    const credentials = new aws.secretsmanager.SecretVersion(
      `${name}-credentials`,
      {
        secretId: this.credentialsSecret.id,
        secretString: pulumi.jsonStringify({
          client_id: args.clientId,
          client_secret: pulumi.secret(clientSecret),
        }),
      },
      child,
    );
    this.tokenSecrets = Object.fromEntries(
      args.tokens.map((token) => [
        token.name,
        new aws.secretsmanager.Secret(
          `${name}-${token.name}`,
          { ...secretArgs, name: token.name, description: `C2M API token of ${args.clientId}; kept fresh by ${name}` },
          { ...child, protect: args.protect },
        ),
      ]),
    );
    const tokenArns = Object.values(this.tokenSecrets).map((secret) => secret.arn);

    const logGroup = new aws.cloudwatch.LogGroup(
      name,
      { name: `/aws/lambda/${name}`, retentionInDays: ledgerRetentionDays },
      child,
    );
    const settings: SettingsFile = {
      rotatorTimeoutSeconds,
      tokens: Object.fromEntries(args.tokens.map((token) => [token.name, settingsOf(args, token)])),
    };
    const environment = { POWERTOOLS_SERVICE_NAME: name };
    this.rotator = new LambdaFunction(
      `${name}-rotator`,
      {
        functionName: `${name}-rotator`,
        description: "Rotates C2M API tokens, one step per invocation by Secrets Manager",
        files: { "index.js": bundle(functions["rotate-token"]), "tokens.json": JSON.stringify(settings) },
        environment,
        logGroup,
        timeoutSeconds: rotatorTimeoutSeconds,
        memorySize: 256,
        statements: [
          {
            Sid: "RotateTokens",
            Effect: "Allow",
            Action: [
              "secretsmanager:DescribeSecret",
              "secretsmanager:GetSecretValue",
              "secretsmanager:PutSecretValue",
              "secretsmanager:UpdateSecretVersionStage",
            ],
            Resource: tokenArns,
          },
          {
            Sid: "ReadCredentials",
            Effect: "Allow",
            Action: "secretsmanager:GetSecretValue",
            Resource: this.credentialsSecret.arn,
          },
        ],
      },
      child,
    );
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

    this.reconciler = new LambdaFunction(
      `${name}-reconciler`,
      {
        functionName: `${name}-reconciler`,
        description: "Revokes superseded and orphaned C2M API tokens, and measures their state, once an hour",
        files: { "index.js": bundle(functions["reconcile-tokens"]), "tokens.json": JSON.stringify(settings) },
        environment,
        logGroup,
        timeoutSeconds: reconcilerTimeoutSeconds,
        memorySize: 256,
        statements: [
          {
            Sid: "ReadTokens",
            Effect: "Allow",
            Action: [
              "secretsmanager:DescribeSecret",
              "secretsmanager:GetSecretValue",
              "secretsmanager:ListSecretVersionIds",
            ],
            Resource: tokenArns,
          },
          {
            // It can take AWSPENDING off a version, and neither store nor promote one.
            Sid: "DetachPending",
            Effect: "Allow",
            Action: "secretsmanager:UpdateSecretVersionStage",
            Resource: tokenArns,
            Condition: { StringEquals: { "secretsmanager:VersionStage": "AWSPENDING" } },
          },
          {
            Sid: "ReadLedger",
            Effect: "Allow",
            Action: "logs:FilterLogEvents",
            Resource: pulumi.interpolate`${logGroup.arn}:*`,
          },
        ],
      },
      child,
    );
    const hourly = new aws.cloudwatch.EventRule(
      `${name}-reconciler`,
      { description: `Runs ${name}-reconciler`, scheduleExpression: "rate(1 hour)" },
      child,
    );
    new aws.cloudwatch.EventTarget(
      `${name}-reconciler`,
      { rule: hourly.name, arn: this.reconciler.function.arn },
      child,
    );
    new aws.lambda.Permission(
      `${name}-reconciler`,
      {
        function: this.reconciler.function.name,
        action: "lambda:InvokeFunction",
        principal: "events.amazonaws.com",
        sourceArn: hourly.arn,
      },
      child,
    );

    // Chained: a first issue call each, and C2M limits those per minute.
    let before: pulumi.Resource[] = [];
    for (const token of args.tokens) {
      const secret = this.tokenSecrets[token.name];
      if (!secret) continue;
      const bootstrap = new aws.lambda.Invocation(
        `${name}-${token.name}`,
        {
          functionName: this.rotator.function.name,
          // The function depends on its policy, and the triggers on the credentials.
          input: pulumi.jsonStringify({ Step: "bootstrap", SecretId: secret.arn }),
          triggers: {
            credentials: credentials.versionId,
            settings: JSON.stringify(settingsOf(args, token)),
          },
        },
        { ...child, dependsOn: before },
      );
      before = [bootstrap];
      new aws.secretsmanager.SecretRotation(
        `${name}-${token.name}`,
        {
          secretId: secret.id,
          rotationLambdaArn: this.rotator.function.arn,
          // The bootstrap has put a token there; a changed schedule is no reason to rotate at once.
          rotateImmediately: false,
          rotationRules: { scheduleExpression: token.schedule },
        },
        // Secrets Manager checks at once that it may invoke the function, and runs testSecret on the current value.
        { ...child, dependsOn: [permission, bootstrap] },
      );
    }
    this.registerOutputs({ rotator: this.rotator.function.arn });
  }
}

function settingsOf(args: TokenRotationArgs, token: TokenArgs): TokenSettingsEntry {
  return {
    clientId: args.clientId,
    baseUrl: args.baseUrl,
    credentialsSecretId: args.credentialsSecretName,
    scopes: token.scopes,
    ttlSeconds: token.lifetimeSeconds,
    graceSeconds: token.graceSeconds,
    pendingMaxAgeSeconds,
    revocation: true,
  };
}
