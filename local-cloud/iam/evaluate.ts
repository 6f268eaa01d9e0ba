import type { Caller, PermissionNeeded } from "../aws/service.ts";
import { type Context, conditionHolds } from "./condition.ts";
import type { Statement } from "./policy.ts";
import { matchesWildcard } from "./wildcard.ts";

export type Decision =
  | { allowed: true }
  /** `explicitDeny` names the kind of policy that denies; undefined when nothing allows. */
  | { allowed: false; explicitDeny: "identity-based" | "resource-based" | undefined };

/**
 * Decides one permission within one account: an explicit deny wins wherever it stands; otherwise a role needs an allow
 * in its identity policies or in the resource's policy, an AWS service one in the resource's policy, and an
 * administrator none. Source: IAM user guide, "policy evaluation logic", single account.
 */
export function decide(
  caller: Caller,
  roleArn: string | undefined,
  needed: PermissionNeeded,
  policies: { identity: Statement[]; resource: Statement[] },
  context: Context,
): Decision {
  const speaks = (statement: Statement) => applies(statement, needed, context);
  const identity = policies.identity.filter(speaks);
  const resource = policies.resource.filter(speaks);
  if (identity.some((statement) => statement.effect === "Deny")) {
    return { allowed: false, explicitDeny: "identity-based" };
  }
  if (resource.some((statement) => statement.effect === "Deny" && names(statement, caller, roleArn, "Deny"))) {
    return { allowed: false, explicitDeny: "resource-based" };
  }
  const allowed =
    caller.kind === "administrator" ||
    identity.some((statement) => statement.effect === "Allow") ||
    resource.some((statement) => statement.effect === "Allow" && names(statement, caller, roleArn, "Allow"));
  return allowed ? { allowed: true } : { allowed: false, explicitDeny: undefined };
}

function applies(statement: Statement, needed: PermissionNeeded, context: Context): boolean {
  const action = needed.action.toLowerCase();
  return (
    statement.actions.some((pattern) => matchesWildcard(pattern.toLowerCase(), action)) &&
    statement.resources.some((pattern) => matchesWildcard(pattern, needed.resource)) &&
    statement.conditions.every((condition) => conditionHolds(condition, context))
  );
}

function names(statement: Statement, caller: Caller, roleArn: string | undefined, effect: "Allow" | "Deny"): boolean {
  const { principals } = statement;
  if (!principals) return false;
  if (principals.everyone) return true;
  if (caller.kind === "service") return principals.service.includes(caller.principal);
  const named = principals.aws;
  if (named.includes(caller.arn) || (roleArn !== undefined && named.includes(roleArn))) return true;
  // Naming the account allows nobody by itself, it leaves it to the account's identity policies; but it denies everybody in it.
  const account = [caller.accountId, `arn:aws:iam::${caller.accountId}:root`];
  return effect === "Deny" && account.some((name) => named.includes(name));
}
