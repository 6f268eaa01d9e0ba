import * as pulumi from "@pulumi/pulumi";
import { foundLate } from "./checks.ts";
import { rotationKeys, tokenKeys } from "./keys.ts";
import type { KeyPlan, RotationPlan } from "./plan.ts";

interface Place {
  account: string;
  region: string;
}

/** What is known of an ARN's or a region's fitness only with the account and the region of the stack, at preview too. */
export function inPlace(
  plan: RotationPlan,
  { accountId, region }: { accountId: pulumi.Output<string>; region: pulumi.Output<string> },
): RotationPlan {
  const held = (
    value: pulumi.Input<string>,
    path: string,
    meaning: string,
    rule: (value: string, here: Place) => string | undefined,
  ): pulumi.Output<string> =>
    pulumi.all([value, accountId, region]).apply(([known, account, here]) => {
      const broken = rule(known, { account, region: here });
      if (broken !== undefined) throw foundLate({ path, meaning, rule: broken });
      return known;
    });
  const key = (name: "kmsKey" | "logKmsKey" | "topicKmsKey"): KeyPlan => {
    const given = plan[name];
    if (given === undefined || given === "create") return given;
    return held(given, name, rotationKeys[name].meaning, (arn, here) =>
      arn.split(":")[3] === here.region ? undefined : `must be a key of the stack's region, ${here.region}`,
    );
  };
  const { credentials } = plan;
  return {
    ...plan,
    kmsKey: key("kmsKey"),
    logKmsKey: key("logKmsKey"),
    topicKmsKey: key("topicKmsKey"),
    credentials:
      credentials.kind === "existing"
        ? {
            ...credentials,
            secretArn: held(
              credentials.secretArn,
              "credentialsSecretArn",
              rotationKeys.credentialsSecretArn.meaning,
              sameAccountAndRegion,
            ),
          }
        : credentials,
    tokens: plan.tokens.map((token, index) =>
      token.secretArn === undefined
        ? token
        : {
            ...token,
            secretArn: held(
              token.secretArn,
              `tokens[${index}].secretArn`,
              tokenKeys.secretArn.meaning,
              sameAccountAndRegion,
            ),
          },
    ),
    replicas: plan.replicas.map((replica, index) => ({
      ...replica,
      region: held(replica.region, `replicaRegions[${index}]`, rotationKeys.replicaRegions.meaning, (copy, here) =>
        copy === here.region ? "must not be the stack's own region" : undefined,
      ),
    })),
  };
}

function sameAccountAndRegion(arn: string, here: Place): string | undefined {
  const [, , , region, account] = arn.split(":");
  if (region === here.region && account === here.account) return undefined;
  return `must be a secret of the stack's account and region, ${here.account} and ${here.region}`;
}
