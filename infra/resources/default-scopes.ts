import * as pulumi from "@pulumi/pulumi";
import { tokenKeys } from "../args/keys.ts";
import type { RotationPlan } from "../args/plan.ts";
import { secretsTagged } from "./standing.ts";

/** Says on a token secret which scopes its token gets because nobody named any. */
export const defaultScopesTag = "c2m-token-rotation/default-scopes";

/** As it stands in the tag. */
export const defaultScopes = tokenKeys.scopes.default.join(" ");

/**
 * Warns, at preview too, of tokens that are deployed and get other scopes by default now than when they were: apps may need
 * what the next rotation takes from them. Whoever deploys without the permission to list secrets is not warned.
 */
export async function warnOfOtherScopes({ name, tokens }: RotationPlan, parent: pulumi.Resource): Promise<void> {
  const byDefault = tokens.filter(({ ownScopes, secretArn }) => !ownScopes && !secretArn);
  if (byDefault.length === 0) return;
  let deployed: string[];
  let unchanged: string[];
  try {
    [deployed, unchanged] = await Promise.all([
      secretsTagged("Rotation", name, parent),
      secretsTagged(defaultScopesTag, defaultScopes, parent),
    ]);
  } catch {
    return;
  }
  const other = byDefault.filter((token) => deployed.includes(token.name) && !unchanged.includes(token.name));
  if (other.length === 0) return;
  await pulumi.log.warn(
    `The default of tokens[…].scopes has changed since this stack was deployed: from the next rotation these tokens have ${tokenKeys.scopes.default.join(", ")}, and no other scope: ${other.map((token) => token.name).join(", ")}. Until version 0.1.0 the default had jobs:read, too. Where an app needs it, set the token's scopes before you go on.`,
    parent,
  );
}
