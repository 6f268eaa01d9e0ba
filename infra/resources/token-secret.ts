import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { keptFresh } from "../../src/formats/secret-description.ts";
import { ownerTag, type RotationPlan } from "../args/plan.ts";
import type { TokenPlan } from "../args/token-rules.ts";
import type { StackContext } from "./context.ts";
import { defaultScopes, defaultScopesTag, warnOfOtherScopes } from "./default-scopes.ts";

/** A secret that apps read. */
export interface TokenSecret {
  name: string;
  arn: pulumi.Output<string>;
  /** Undefined where it is adopted. */
  secret: aws.secretsmanager.Secret | undefined;
}

/** Creates the token secrets with their policies, or takes those that are there, which are left as they are. By name. */
export function createTokenSecrets({ plan, child, secretKeyId }: StackContext): Record<string, TokenSecret> {
  void warnOfOtherScopes(plan, child.parent);
  const description = pulumi.interpolate`C2M API token of ${plan.clientId}${keptFresh}${plan.name}`;
  const create = ({ name, secretArn, ownScopes }: TokenPlan): TokenSecret => {
    if (secretArn) return { name, arn: secretArn, secret: undefined };
    const secret = new aws.secretsmanager.Secret(
      `${plan.name}-${name}`,
      {
        ...secretArgsOf(plan, secretKeyId),
        name,
        tags: plan.tags.apply((tags) => ({
          ...tags,
          [ownerTag]: ownerOf(plan),
          ...(ownScopes ? {} : { [defaultScopesTag]: defaultScopes }),
        })),
        description,
        ...(plan.replicas.length > 0 ? { replicas: plan.replicas.map(replicaOf) } : {}),
      },
      { ...child, protect: plan.protect },
    );
    createSecretPolicy(`${plan.name}-${name}`, secret, plan.readers, child);
    return { name, arn: secret.arn, secret };
  };
  return Object.fromEntries(plan.tokens.map((token) => [token.name, create(token)]));
}

/** Whose a token secret is: the value of the tag by which the functions' roles know it. */
export function ownerOf({ name }: RotationPlan): string {
  return `${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
}

/** What all secrets of a rotation have. */
export function secretArgsOf(
  { recoveryWindowInDays, tags }: RotationPlan,
  kmsKeyId: pulumi.Output<string>,
): aws.secretsmanager.SecretArgs {
  return { recoveryWindowInDays, tags, kmsKeyId };
}

/** Lets nobody in without TLS, and the readers read. */
export function createSecretPolicy(
  name: string,
  secret: aws.secretsmanager.Secret,
  readers: pulumi.Output<string[]> | undefined,
  options: pulumi.CustomResourceOptions,
): void {
  // In the policy of a secret, `*` is that secret.
  const denyWithoutTls = {
    Sid: "DenyWithoutTls",
    Effect: "Deny",
    Principal: "*",
    Action: "secretsmanager:*",
    Resource: "*",
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
  const allowReaders = (arns: string[]) => ({
    Sid: "AllowReaders",
    Effect: "Allow",
    Principal: { AWS: arns },
    Action: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
    Resource: "*",
  });
  const statements = pulumi
    .output(readers ?? [])
    .apply((arns) => [denyWithoutTls, ...(arns.length > 0 ? [allowReaders(arns)] : [])]);
  new aws.secretsmanager.SecretPolicy(
    name,
    {
      secretArn: secret.arn,
      blockPublicPolicy: true,
      policy: pulumi.jsonStringify({ Version: "2012-10-17", Statement: statements }),
    },
    options,
  );
}

function replicaOf({ region, keyArn }: RotationPlan["replicas"][number]): aws.types.input.secretsmanager.SecretReplica {
  return { region, ...(keyArn === undefined ? {} : { kmsKeyId: keyArn }) };
}
