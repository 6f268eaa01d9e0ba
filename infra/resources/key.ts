import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ledgerGroup } from "../../src/formats/ledger.ts";
import type { RotationPlan } from "../args/plan.ts";

/** How long AWS keeps a key that is to be deleted, in days: the longest. Without the key no secret can be read. */
const deletionWindowInDays = 30;

/** Where a stack is. */
export interface Place {
  accountId: pulumi.Output<string>;
  region: pulumi.Output<string>;
  partition: pulumi.Output<string>;
}

/** Creates the stack's own customer managed key, for what the plan has it encrypt. Its ARN. */
export function createKey(plan: RotationPlan, place: Place, parent: pulumi.Resource): pulumi.Output<string> {
  const { accountId, partition } = place;
  const letIdentityPoliciesDecide = {
    // As AWS's default key policy: the account's own policies decide. Without it nobody could change the key again.
    Sid: "LetIdentityPoliciesDecide",
    Effect: "Allow",
    Principal: { AWS: pulumi.interpolate`arn:${partition}:iam::${accountId}:root` },
    Action: "kms:*",
    Resource: "*",
  };
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
          pulumi.all([
            letIdentityPoliciesDecide,
            ...(plan.kmsKey === "create" && readers.length > 0 ? [letReadersDecrypt(plan, place, readers)] : []),
            ...(plan.logKmsKey === "create" ? [letLogsEncrypt(plan.name, place)] : []),
            ...(plan.topicKmsKey === "create" ? letAlarmsThrough(place) : []),
          ]),
        ),
      }),
    },
    // What it has encrypted can't be read without it: deleted secrets that may be restored, the log. So it is never deleted
    // from here; whoever takes it out of the stack says when it may go.
    { parent, retainOnDelete: true },
  );
  new aws.kms.Alias(plan.name, { name: `alias/${plan.name}`, targetKeyId: created.keyId }, { parent });
  return created.arn;
}

/** Token secrets, and not the one with the credentials. By pattern: a policy has no room for a thousand ARNs. */
function letReadersDecrypt({ credentials }: RotationPlan, place: Place, readers: string[]) {
  const { accountId, partition, region } = place;
  const secret = (name: string) =>
    pulumi.interpolate`arn:${partition}:secretsmanager:${region}:${accountId}:secret:${name}`;
  const credentialsArn =
    credentials.kind === "stored"
      ? secret(`${credentials.secretName}-??????`)
      : credentials.kind === "existing"
        ? credentials.secretArn
        : undefined;
  return {
    Sid: "LetReadersDecryptSecrets",
    Effect: "Allow",
    Principal: { AWS: readers },
    Action: "kms:Decrypt",
    Resource: "*",
    Condition: {
      StringEquals: { "kms:ViaService": pulumi.interpolate`secretsmanager.${region}.amazonaws.com` },
      StringLike: { "kms:EncryptionContext:SecretARN": secret("*") },
      ...(credentialsArn ? { StringNotLike: { "kms:EncryptionContext:SecretARN": credentialsArn } } : {}),
    },
  };
}

function letLogsEncrypt(name: string, { accountId, partition, region }: Place) {
  const group = pulumi.interpolate`arn:${partition}:logs:${region}:${accountId}:log-group:${ledgerGroup(name)}`;
  return {
    Sid: "LetLogsEncryptTheLog",
    Effect: "Allow",
    Principal: { Service: pulumi.interpolate`logs.${region}.amazonaws.com` },
    // Not kms:DescribeKey: it carries no encryption context, so that this condition never lets it through.
    Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
    Resource: "*",
    Condition: { ArnEquals: { "kms:EncryptionContext:aws:logs:arn": group } },
  };
}

/** Whoever publishes to an encrypted topic uses its key. AWS documents no condition key that EventBridge would send. */
function letAlarmsThrough({ accountId }: Place) {
  const use = { Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey*"], Resource: "*" };
  return [
    {
      ...use,
      Sid: "LetAlarmsThrough",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Condition: { StringEquals: { "aws:SourceAccount": accountId } },
    },
    { ...use, Sid: "LetEventsThrough", Principal: { Service: "events.amazonaws.com" } },
  ];
}
