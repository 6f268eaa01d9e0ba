import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "./context.ts";
import type { StoredCredentials } from "./credentials.ts";
import { warnOfDuplicates } from "./duplicates.ts";
import type { LambdaFunction } from "./function.ts";
import type { TokenSecret } from "./token-secret.ts";

/** Puts the first token into each secret, and lets Secrets Manager rotate it on its schedule. */
export function rotateOnSchedule(
  context: StackContext,
  rotator: LambdaFunction,
  secrets: Record<string, TokenSecret>,
  credentials: StoredCredentials,
): void {
  const { plan, child, accountId } = context;
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
  let before: pulumi.Resource[] = proveCredentials(context, rotator, secrets, credentials);
  for (const token of plan.tokens) {
    const secret = secrets[token.name];
    if (!secret || token.retire) continue;
    const bootstrap = new aws.lambda.Invocation(
      `${plan.name}-${token.name}`,
      {
        functionName: rotator.function.name,
        input: pulumi.jsonStringify({ Step: "bootstrap", SecretId: secret.arn }),
        triggers: { clientId: plan.clientId, baseUrl: plan.baseUrl },
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

/**
 * Proves the client's credentials once, not once per secret, when they change; and that no adopted secret holds the token of
 * another. So wrong credentials fail the deployment, and the rotator goes on with those before them.
 */
function proveCredentials(
  { plan, child }: StackContext,
  rotator: LambdaFunction,
  secrets: Record<string, TokenSecret>,
  { secretId, version }: StoredCredentials,
): pulumi.Resource[] {
  const adopted = Object.values(secrets).flatMap(({ secret, arn }) => (secret ? [] : [arn]));
  // Without credentials there is only a token to compare with others.
  if (secretId === undefined && (adopted.length === 0 || plan.tokens.length < 2)) return [];
  const proof = new aws.lambda.Invocation(
    `${plan.name}-credentials`,
    {
      functionName: rotator.function.name,
      input: JSON.stringify({ Step: "proveCredentials" }),
      triggers: {
        clientId: plan.clientId,
        baseUrl: plan.baseUrl,
        ...(version === undefined ? {} : { credentials: version }),
        ...(adopted.length > 0 ? { adopted: pulumi.jsonStringify(adopted) } : {}),
      },
    },
    child,
  );
  warnOfDuplicates(proof.result, child.parent);
  return [proof];
}

/** Runs the reconciler over what is recent each hour, and over everything each day. */
export function reconcileOnSchedule({ plan, child }: StackContext, reconciler: LambdaFunction): void {
  const run = (name: string, scheduleExpression: string, scope: "recent" | "all") => {
    const rule = new aws.cloudwatch.EventRule(
      name,
      { description: `Runs ${plan.name}-reconciler`, scheduleExpression, tags: plan.tags },
      child,
    );
    new aws.cloudwatch.EventTarget(
      name,
      { rule: rule.name, arn: reconciler.function.arn, input: JSON.stringify({ scope }) },
      child,
    );
    new aws.lambda.Permission(
      name,
      {
        function: reconciler.function.name,
        action: "lambda:InvokeFunction",
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      },
      child,
    );
  };
  run(`${plan.name}-reconciler`, "rate(1 hour)", "recent");
  run(`${plan.name}-daily`, "rate(1 day)", "all");
}
