import { AwsError, type Caller, type PermissionNeeded } from "../aws/service.ts";
import { contextOf } from "./condition.ts";
import { type Decision, decide } from "./evaluate.ts";
import { PolicyError, parsePolicy, type Statement } from "./policy.ts";

export interface RoleDefinition {
  name: string;
  arn: string;
  /** The trust policy: who may assume the role. JSON. */
  assumeRolePolicy: string;
}

interface Role extends RoleDefinition {
  trust: Statement[];
  policies: Map<string, Statement[]>;
}

/** The account's roles with their inline policies, and the decision on every call. */
export class Iam {
  readonly #roles = new Map<string, Role>();
  // The same resource policies are asked about on every call.
  readonly #parsedResourcePolicies = new Map<string, Statement[]>();

  /** Creates a role or replaces its trust policy; its inline policies stay. @throws AwsError MalformedPolicyDocument */
  putRole(definition: RoleDefinition): void {
    const trust = parseOrRefuse(definition.assumeRolePolicy, "resource");
    const policies = this.#roles.get(definition.name)?.policies ?? new Map<string, Statement[]>();
    this.#roles.set(definition.name, { ...definition, trust, policies });
  }

  deleteRole(name: string): void {
    this.#roles.delete(name);
  }

  /** @throws AwsError NoSuchEntity, MalformedPolicyDocument */
  putRolePolicy(roleName: string, policyName: string, document: string): void {
    this.#role(roleName).policies.set(policyName, parseOrRefuse(document, "identity"));
  }

  /** @throws AwsError NoSuchEntity */
  deleteRolePolicy(roleName: string, policyName: string): void {
    if (!this.#role(roleName).policies.delete(policyName)) {
      throw new AwsError("NoSuchEntity", `The role policy with name ${policyName} cannot be found.`, 404);
    }
  }

  /** Whether the role's trust policy lets this AWS service assume it. False for a role that isn't there. */
  mayBeAssumedBy(roleArn: string, servicePrincipal: string): boolean {
    const role = [...this.#roles.values()].find((candidate) => candidate.arn === roleArn);
    if (!role) return false;
    const accountId = roleArn.split(":")[4] ?? "";
    const caller: Caller = {
      kind: "service",
      accountId,
      principal: servicePrincipal,
      sourceArn: roleArn,
      arn: servicePrincipal,
    };
    const needed = { action: "sts:AssumeRole", resource: roleArn };
    return decide(caller, undefined, needed, { identity: [], resource: role.trust }, contextFor(caller, needed))
      .allowed;
  }

  /**
   * Returns when the caller is granted what a call needs.
   * @throws AwsError AccessDeniedException with AWS's sentence, or with `needed.refusal`.
   * @throws PolicyError when a policy can't be evaluated.
   */
  authorize(caller: Caller, needed: PermissionNeeded): void {
    const decision = this.#decide(caller, needed);
    if (decision.allowed) return;
    throw new AwsError("AccessDeniedException", needed.refusal ?? refusalOf(caller, needed, decision.explicitDeny));
  }

  /** As `authorize`, for whoever asks without making a call. */
  isAllowed(caller: Caller, needed: PermissionNeeded): boolean {
    return this.#decide(caller, needed).allowed;
  }

  #decide(caller: Caller, needed: PermissionNeeded): Decision {
    const role = caller.kind === "role" ? this.#roles.get(caller.roleName) : undefined;
    const identity = role ? [...role.policies.values()].flat() : [];
    const resource = needed.resourcePolicy === undefined ? [] : this.#resourcePolicy(needed.resourcePolicy);
    return decide(caller, role?.arn, needed, { identity, resource }, contextFor(caller, needed, role?.arn));
  }

  #resourcePolicy(document: string): Statement[] {
    const known = this.#parsedResourcePolicies.get(document);
    if (known) return known;
    const parsed = parsePolicy(document, "resource");
    this.#parsedResourcePolicies.set(document, parsed);
    return parsed;
  }

  #role(name: string): Role {
    const role = this.#roles.get(name);
    if (!role) throw new AwsError("NoSuchEntity", `The role with name ${name} cannot be found.`, 404);
    return role;
  }
}

function contextFor(caller: Caller, needed: PermissionNeeded, roleArn?: string) {
  // The local door stands for AWS's TLS endpoint, so policies that insist on TLS must see it as met.
  const always = { "aws:SecureTransport": "true", "aws:PrincipalIsAWSService": String(caller.kind === "service") };
  const principal =
    caller.kind === "service"
      ? {
          "aws:SourceAccount": caller.accountId,
          "aws:SourceArn": caller.sourceArn,
          "aws:PrincipalServiceName": caller.principal,
        }
      : { "aws:PrincipalAccount": caller.accountId, "aws:PrincipalArn": roleArn ?? caller.arn };
  return contextOf(always, principal, needed.context);
}

function refusalOf(
  caller: Caller,
  { action, resource }: PermissionNeeded,
  explicitDeny: "identity-based" | "resource-based" | undefined,
): string {
  const sentence = `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource}`;
  if (explicitDeny)
    return `${sentence} with an explicit deny in ${explicitDeny === "identity-based" ? "an" : "a"} ${explicitDeny} policy`;
  const missing = caller.kind === "service" ? "resource-based" : "identity-based";
  return `${sentence} because no ${missing} policy allows the ${action} action`;
}

function parseOrRefuse(document: string, kind: "identity" | "resource"): Statement[] {
  try {
    return parsePolicy(document, kind);
  } catch (error) {
    if (error instanceof PolicyError) throw new AwsError("MalformedPolicyDocument", error.message);
    throw error;
  }
}
