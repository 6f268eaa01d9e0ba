import { type Failure, refused } from "./failure.ts";
import type { TokenView } from "./token-view.ts";

/** Why no rotation of a secret can be begun, and what to do about it; undefined where one can. */
export function rotationOff(view: TokenView): Failure | undefined {
  const { name, rotationEnabled } = view;
  if (view.current?.isCredentials) return refused(`${name}: ${noToken.what}`, noToken.remedy);
  const end = endOf(view);
  if (end) return end;
  return rotationEnabled ? undefined : refused(`Rotation of ${name} is switched off.`, "pulumi up");
}

/** Why nothing can be done to a secret that is marked for deletion, and what to do about it; undefined where it is not. */
export function deletionOf({ name, deletedAt, isDecommissioned }: TokenView): Failure | undefined {
  if (deletedAt === undefined) return undefined;
  return isDecommissioned
    ? refused(`${name} was decommissioned and is marked for deletion.`, removal)
    : refused(`${name} is marked for deletion.`, `aws secretsmanager restore-secret --secret-id ${name}`);
}

/** Why no token of a secret can be current again: it is marked for deletion, or its decommission was begun. */
export function endOf(view: TokenView): Failure | undefined {
  const { name, isDecommissioned } = view;
  const deletion = deletionOf(view);
  if (deletion || !isDecommissioned) return deletion;
  return refused(
    `A decommission of ${name} was begun: no token is issued for it, and its tokens are revoked.`,
    `c2m-tokens decommission --secret ${name} goes on with it; to keep the secret: c2m-tokens decommission --cancel --secret ${name}, then pulumi up --refresh`,
  );
}

/** What is left to do for a secret that was decommissioned. */
export const removal = "Take it out of the stack's tokens, then pulumi up";

/** Of a secret with the credentials that tokens are issued with. */
export const noToken = {
  what: "These are the client's credentials, not a token.",
  remedy: "Name the secret of a token with --secret, or the stack with --stack",
};
