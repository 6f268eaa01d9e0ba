import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EncryptionKey } from "../args/rotation-args.ts";

/** How long AWS keeps a key that is to be deleted, in days: the longest. Without the key no secret can be read. */
const deletionWindowInDays = 30;

/** The ARN of the customer managed key, which is created where asked for; undefined where AWS's own key will do. */
export function encryptionKeyOf(
  name: string,
  key: EncryptionKey | undefined,
  args: {
    description: string;
    accountId: pulumi.Input<string>;
    partition: pulumi.Input<string>;
    region: pulumi.Input<string>;
    readers: readonly pulumi.Input<string>[];
    tags: Record<string, string>;
    protect: boolean;
  },
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> | undefined {
  if (key !== "create") return key === undefined ? undefined : pulumi.output(key);
  const { description, accountId, partition, region, readers, tags, protect } = args;
  const created = new aws.kms.Key(
    name,
    {
      description,
      enableKeyRotation: true,
      deletionWindowInDays,
      tags,
      // In the policy of a key, `*` is that key.
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            // As AWS's default key policy: the account's own policies decide. Without it nobody could change the key again.
            Sid: "LetIdentityPoliciesDecide",
            Effect: "Allow",
            Principal: { AWS: pulumi.interpolate`arn:${partition}:iam::${accountId}:root` },
            Action: "kms:*",
            Resource: "*",
          },
          ...(readers.length > 0
            ? [
                {
                  Sid: "LetReadersDecryptSecrets",
                  Effect: "Allow",
                  Principal: { AWS: readers },
                  Action: "kms:Decrypt",
                  Resource: "*",
                  Condition: {
                    StringEquals: { "kms:ViaService": pulumi.interpolate`secretsmanager.${region}.amazonaws.com` },
                  },
                },
              ]
            : []),
        ],
      }),
    },
    { ...options, protect },
  );
  new aws.kms.Alias(name, { name: `alias/${name}`, targetKeyId: created.keyId }, options);
  return created.arn;
}
