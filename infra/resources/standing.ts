import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { foundLate } from "../args/checks.ts";
import { rotationKeys } from "../args/keys.ts";
import { ownerTag, type RotationPlan } from "../args/plan.ts";

/** As Secrets Manager knows the key that AWS keeps for it. */
export const awsManagedKey = "alias/aws/secretsmanager";

/** What the account has of this Pulumi stack already. */
export interface Standing {
  /** The key of the token secrets, an ARN or an id; undefined where they have AWS's own, or where there are none. */
  kmsKeyId: string | undefined;
}

const nothing: Standing = { kmsKeyId: undefined };

/**
 * Looks at the token secrets that this Pulumi stack has made, and refuses, at preview too, what Pulumi would only refuse with
 * advice that leaves a token alive without an owner. Whoever deploys without the permission to look is told nothing.
 *
 * @throws {pulumi.RunError}
 */
export async function lookAtStanding(plan: RotationPlan, parent: pulumi.Resource): Promise<Standing> {
  const stack = `${pulumi.getProject()}/${pulumi.getStack()}/`;
  const own = `${stack}${plan.name}`;
  const declared = plan.tokens.filter(({ secretArn }) => !secretArn).map(({ name }) => name);
  const adopted = plan.tokens.filter(({ secretArn }) => secretArn).map(({ name }) => name);
  const ofOwner = async (name: string) => {
    // A filter takes what begins with its value, and a listing is some minutes late.
    const secret = await aws.secretsmanager.getSecret({ name }, { parent }).catch(() => undefined);
    return { owner: secret?.tags[ownerTag], kmsKeyId: secret?.kmsKeyId };
  };
  let ofStack: string[];
  let ofRotation: string[];
  try {
    [ofStack, ofRotation] = await Promise.all([
      secretsTagged(ownerTag, stack, parent),
      secretsTagged(ownerTag, own, parent),
    ]);
  } catch {
    return nothing;
  }
  const [elsewhere] = declared.filter((name) => ofStack.includes(name) && !ofRotation.includes(name));
  if (elsewhere !== undefined) {
    const { owner } = await ofOwner(elsewhere);
    if (owner?.startsWith(stack)) throw foundLate(renamed(elsewhere, owner.slice(stack.length)));
  }
  const leftOut: string[] = [];
  for (const name of ofRotation) {
    if (declared.includes(name) || adopted.includes(name)) continue;
    if ((await ofOwner(name)).owner === own) leftOut.push(name);
  }
  if (leftOut.length > 0) throw foundLate(missing(leftOut));
  const [sample] = declared.filter((name) => ofRotation.includes(name));
  if (sample === undefined) return nothing;
  const { kmsKeyId } = await ofOwner(sample);
  return kmsKeyId && !kmsKeyId.endsWith(awsManagedKey) ? { kmsKeyId } : nothing;
}

function missing(names: string[]) {
  const commands = names.map(
    (name) => `npx c2m-tokens decommission --stack ${pulumi.getStack()} --secret ${name} --yes ${name}`,
  );
  return {
    path: "tokens",
    meaning: rotationKeys.tokens.meaning,
    rule: `must still hold ${names.join(", ")}: a secret that goes leaves its token alive at C2M. Put the name back and end the token's life first, then take it out: ${commands.join("; ")}. A token's new name is a token more. docs/deploy.md has both, "Remove a token" and "Rename a token"`,
  };
}

function renamed(secret: string, owner: string) {
  return {
    path: "name",
    meaning: "what the names of all resources begin with",
    rule: `must stay ${owner}, whose secret ${secret} is: the functions, the log and the alarms are called by it, and the log is the ledger of the tokens. In a program, this is the name of the component; a second one needs tokens of its own`,
  };
}

/** The names of the account's secrets with this tag whose value begins so. */
export async function secretsTagged(key: string, value: string, parent: pulumi.Resource): Promise<string[]> {
  const filters = [
    { name: "tag-key", values: [key] },
    { name: "tag-value", values: [value] },
  ];
  return (await aws.secretsmanager.getSecrets({ filters }, { parent })).names;
}

/**
 * Lets a key through if the functions will be able to read what the present one has encrypted: versions without a label stay
 * under it, and the reconciler reads them while their tokens may live.
 */
export function keyAfter(
  key: pulumi.Output<string>,
  standing: pulumi.Output<Standing>,
  { formerKmsKeys }: RotationPlan,
): pulumi.Output<string> {
  return pulumi.all([key, standing, pulumi.all(formerKmsKeys)]).apply(([next, { kmsKeyId }, former]) => {
    if (kmsKeyId === undefined || [next, ...former].some((arn) => isSameKey(arn, kmsKeyId))) return next;
    throw foundLate({
      path: "formerKmsKeys",
      meaning: rotationKeys.formerKmsKeys.meaning,
      rule: `must name ${kmsKeyId}, the key that the secrets have: what is encrypted with it has to be read until its tokens have expired. docs/deploy.md has the way, "Change the key of the secrets"`,
    });
  });
}

/** A key's id is the end of its ARN. */
function isSameKey(arn: string, keyId: string): boolean {
  return arn === keyId || arn.endsWith(`:key/${keyId}`);
}
