import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "./context.ts";

/** How long AWS keeps a key that is to be deleted, in days: the longest. Without the key no secret can be read. */
const deletionWindowInDays = 30;

/** The ARN of the customer managed key, which is created where asked for; undefined where AWS's own key will do. */
export function encryptionKeyOf(context: StackContext): pulumi.Output<string> | undefined {
  const { plan, child, accountId, partition, region } = context;
  if (plan.kmsKey !== "create") return plan.kmsKey;
  const letIdentityPoliciesDecide = {
    // As AWS's default key policy: the account's own policies decide. Without it nobody could change the key again.
    Sid: "LetIdentityPoliciesDecide",
    Effect: "Allow",
    Principal: { AWS: pulumi.interpolate`arn:${partition}:iam::${accountId}:root` },
    Action: "kms:*",
    Resource: "*",
  };
  const letReadersDecrypt = (readers: string[]) => ({
    Sid: "LetReadersDecryptSecrets",
    Effect: "Allow",
    Principal: { AWS: readers },
    Action: "kms:Decrypt",
    Resource: "*",
    Condition: { StringEquals: { "kms:ViaService": pulumi.interpolate`secretsmanager.${region}.amazonaws.com` } },
  });
  const created = new aws.kms.Key(
    plan.name,
    {
      description: `Secrets of ${plan.name}`,
      enableKeyRotation: true,
      deletionWindowInDays,
      tags: plan.tags,
      // In the policy of a key, `*` is that key.
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: plan.readers.apply((readers) =>
          pulumi.all([letIdentityPoliciesDecide, ...(readers.length > 0 ? [letReadersDecrypt(readers)] : [])]),
        ),
      }),
    },
    { ...child, protect: plan.protect },
  );
  new aws.kms.Alias(plan.name, { name: `alias/${plan.name}`, targetKeyId: created.keyId }, child);
  return created.arn;
}
