import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { SettingsFile } from "../../src/formats/settings.ts";
import type { StackContext } from "./context.ts";
import type { StoredCredentials } from "./credentials.ts";
import type { LambdaFunction } from "./function.ts";
import type { TokenSecret } from "./token-secret.ts";

/** Puts the first token into each secret, and lets Secrets Manager rotate it on its schedule. */
export function rotateOnSchedule(
  { plan, child, accountId }: StackContext,
  rotator: LambdaFunction,
  secrets: Record<string, TokenSecret>,
  settings: pulumi.Output<SettingsFile>,
  credentials: StoredCredentials,
): void {
  const permission = new aws.lambda.Permission(
    `${plan.name}-rotator`,
    {
      function: rotator.function.name,
      action: "lambda:InvokeFunction",
      principal: "secretsmanager.amazonaws.com",
      sourceAccount: accountId,
    },
    child,
  );
  // Chained: a first issue call each, and C2M limits those per minute.
  let before: pulumi.Resource[] = [];
  for (const token of plan.tokens) {
    const secret = secrets[token.name];
    if (!secret) continue;
    const bootstrap = new aws.lambda.Invocation(
      `${plan.name}-${token.name}`,
      {
        functionName: rotator.function.name,
        // The function depends on its policy, and the triggers on the credentials.
        input: pulumi.jsonStringify({ Step: "bootstrap", SecretId: secret.arn }),
        triggers: {
          ...(credentials.version === undefined ? {} : { credentials: credentials.version }),
          settings: settings.apply(({ tokens }) => JSON.stringify(tokens[token.name])),
        },
      },
      { ...child, dependsOn: [...child.dependsOn, ...before] },
    );
    before = [bootstrap];
    new aws.secretsmanager.SecretRotation(
      `${plan.name}-${token.name}`,
      {
        secretId: secret.arn,
        rotationLambdaArn: rotator.function.arn,
        // The bootstrap has put a token there; a changed schedule is no reason to rotate at once.
        rotateImmediately: false,
        rotationRules: {
          scheduleExpression: token.schedule,
          ...(token.window === undefined ? {} : { duration: token.window }),
        },
      },
      // Secrets Manager checks at once that it may invoke the function, and runs testSecret on the current value.
      { ...child, dependsOn: [...child.dependsOn, permission, bootstrap] },
    );
  }
}

/** Runs the reconciler once an hour. */
export function reconcileHourly({ plan, child }: StackContext, reconciler: LambdaFunction): void {
  const hourly = new aws.cloudwatch.EventRule(
    `${plan.name}-reconciler`,
    { description: `Runs ${plan.name}-reconciler`, scheduleExpression: "rate(1 hour)", tags: plan.tags },
    child,
  );
  new aws.cloudwatch.EventTarget(`${plan.name}-reconciler`, { rule: hourly.name, arn: reconciler.function.arn }, child);
  new aws.lambda.Permission(
    `${plan.name}-reconciler`,
    {
      function: reconciler.function.name,
      action: "lambda:InvokeFunction",
      principal: "events.amazonaws.com",
      sourceArn: hourly.arn,
    },
    child,
  );
}
