import { AwsError, type Caller, type PermissionNeeded } from "../aws/service.ts";
import { policySize, quotas, tooLong, wrongTags } from "../quotas.ts";
import { contextOf } from "./condition.ts";
import { keysOfAction } from "./condition-keys.ts";
import { type Decision, decide } from "./evaluate.ts";
import { PolicyError, type PolicyKind, parsePolicy, type Statement } from "./policy.ts";
import { allowsEverybody } from "./public-access.ts";

export interface RoleDefinition {
  name: string;
  arn: string;
  /** The trust policy: who may assume the role. JSON. */
  assumeRolePolicy: string;
  description?: string | undefined;
  tags?: Record<string, string> | undefined;
}

interface Role extends RoleDefinition {
  trust: Statement[];
  policies: Map<string, { document: string; statements: Statement[] }>;
}

/** The account's roles with their inline policies, and the decision on every call. */
export class Iam {
  readonly #accountId: string;
  /** By their names in lower case: names are unique without regard to case. */
  readonly #roles = new Map<string, Role>();
  // The same resource policies are asked about on every call.
  readonly #parsedResourcePolicies = new Map<string, Statement[]>();

  constructor(accountId = "123456789012") {
    this.#accountId = accountId;
  }

  /** @throws AwsError EntityAlreadyExists (the case of a name makes no difference), MalformedPolicyDocument, LimitExceeded, ValidationError, InvalidInput */
  createRole(definition: RoleDefinition): void {
    const { name } = definition;
    if (this.#roles.has(name.toLowerCase()))
      throw new AwsError("EntityAlreadyExists", `Role with name ${name} already exists.`, 409);
    if (this.#roles.size >= quotas.rolesPerAccount.most)
      throw limitExceeded(`Cannot exceed quota for RolesPerAccount: ${quotas.rolesPerAccount.most}`);
    this.#setRole(definition, new Map());
  }

  /** Another trust policy, description or tags; its inline policies stay. @throws AwsError as createRole, and NoSuchEntity */
  updateRole(definition: RoleDefinition): void {
    this.#setRole(definition, this.#role(definition.name).policies);
  }

  /** @throws AwsError NoSuchEntity, DeleteConflict while it has inline policies */
  deleteRole(name: string): void {
    if (this.#role(name).policies.size > 0)
      throw new AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409);
    this.#roles.delete(name.toLowerCase());
  }

  /** The role as it is now; undefined where there is none. */
  role(name: string): RoleDefinition | undefined {
    return this.#roles.get(name.toLowerCase());
  }

  /** The document of an inline policy as it is now; undefined where there is none. */
  rolePolicy(roleName: string, policyName: string): string | undefined {
    return this.#roles.get(roleName.toLowerCase())?.policies.get(policyName)?.document;
  }

  /**
   * Adds an inline policy, or replaces the one of that name without a word.
   * @throws AwsError NoSuchEntity, MalformedPolicyDocument, LimitExceeded, ValidationError
   */
  putRolePolicy(roleName: string, policyName: string, document: string): void {
    const { policies } = this.#role(roleName);
    refuse(/^[\w+=,.@-]{1,128}$/.test(policyName) ? undefined : "The specified value for policyName is invalid.");
    const next = new Map(policies).set(policyName, { document, statements: parseOrRefuse(document, "identity") });
    const size = [...next.values()].reduce((total, policy) => total + policySize(policy.document), 0);
    const { most } = quotas.inlinePolicies;
    if (size > most) throw limitExceeded(`Maximum policy size of ${most} bytes exceeded for role ${roleName}`);
    policies.set(policyName, { document, statements: next.get(policyName)?.statements ?? [] });
  }

  /** Why AWS would refuse this policy: what is wrong with it, or a principal of this account that isn't there. */
  policyProblem(document: string, kind: PolicyKind): string | undefined {
    try {
      const unknown = parsePolicy(document, kind).flatMap(({ principals }) => this.#unknownIn(principals?.aws ?? []));
      return unknown.length > 0 ? `Invalid principal in policy: "AWS":"${unknown[0]}"` : undefined;
    } catch (error) {
      if (error instanceof PolicyError) return error.message;
      throw error;
    }
  }

  /**
   * Judges the policy of a secret as PutResourcePolicy does.
   * @throws AwsError MalformedPolicyDocumentException, PublicPolicyException
   */
  checkSecretPolicy(document: string, blockPublicPolicy: boolean): void {
    const problem = this.policyProblem(document, "resource");
    if (problem) throw new AwsError("MalformedPolicyDocumentException", problem);
    if (blockPublicPolicy && allowsEverybody(parsePolicy(document, "resource"))) {
      const message = "You can't attach a resource-based policy that allows broad access to the secret.";
      throw new AwsError("PublicPolicyException", message);
    }
  }

  /** @throws AwsError NoSuchEntity */
  deleteRolePolicy(roleName: string, policyName: string): void {
    if (!this.#role(roleName).policies.delete(policyName)) {
      throw new AwsError("NoSuchEntity", `The role policy with name ${policyName} cannot be found.`, 404);
    }
  }

  /** Whether the role's trust policy lets this AWS service assume it. False for a role that isn't there. */
  mayBeAssumedBy(roleArn: string, servicePrincipal: string): boolean {
    const role = this.#roleOf(roleArn);
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
    const others = decision.explicitDeny ? [] : (needed.orResources ?? []);
    if (others.some((resource) => this.isAllowed(caller, { ...needed, resource }))) return;
    throw new AwsError("AccessDeniedException", needed.refusal ?? refusalOf(caller, needed, decision.explicitDeny));
  }

  /** As `authorize`, for whoever asks without making a call. */
  isAllowed(caller: Caller, needed: PermissionNeeded): boolean {
    return this.#decide(caller, needed).allowed;
  }

  #decide(caller: Caller, needed: PermissionNeeded): Decision {
    const role = caller.kind === "role" ? this.#roles.get(caller.roleName.toLowerCase()) : undefined;
    const identity = role ? [...role.policies.values()].flatMap(({ statements }) => statements) : [];
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

  #setRole(definition: RoleDefinition, policies: Role["policies"]): void {
    const { name, assumeRolePolicy, description, tags } = definition;
    refuse(tooLong("roleName", "roleName", name) ?? tooLong("roleDescription", "description", description));
    refuse(/^[\w+=,.@-]+$/.test(name) ? undefined : "The specified value for roleName is invalid.");
    const wrong = wrongTags(tags, true);
    if (wrong) throw new AwsError("InvalidInput", wrong);
    const trust = parseOrRefuse(assumeRolePolicy, "trust");
    const unknown = trust.flatMap(({ principals }) => this.#unknownIn(principals?.aws ?? []));
    if (unknown.length > 0)
      throw new AwsError("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"${unknown[0]}"`);
    if (policySize(assumeRolePolicy) > quotas.trustPolicy.most)
      throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${quotas.trustPolicy.most}`);
    this.#roles.set(name.toLowerCase(), { ...definition, trust, policies });
  }

  /** Of these principals the roles of this account that aren't there; who lives in other accounts can't be known. */
  #unknownIn(principals: string[]): string[] {
    const own = new RegExp(`^arn:aws[\\w-]*:(iam|sts)::${this.#accountId}:(assumed-)?role/`);
    return principals.filter((arn) => {
      if (!own.test(arn)) return !/^(\d{12}|arn:aws[\w-]*:(iam|sts)::(\d{12}|cloudfront):.+)$/.test(arn);
      return !this.#roleOf(arn.startsWith("arn:aws:sts") ? arn.replace(/^.*:assumed-role\/([^/]+).*$/, "$1") : arn);
    });
  }

  #roleOf(arnOrName: string): Role | undefined {
    return [...this.#roles.values()].find(({ arn, name }) => arn === arnOrName || name === arnOrName);
  }

  #role(name: string): Role {
    const role = this.#roles.get(name.toLowerCase());
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
  return contextOf(always, principal, keysOfAction(needed.action, needed.context));
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

function limitExceeded(message: string): AwsError {
  return new AwsError("LimitExceeded", message, 409);
}

function refuse(problem: string | undefined): void {
  if (problem) throw new AwsError("ValidationError", problem);
}

function parseOrRefuse(document: string, kind: PolicyKind): Statement[] {
  try {
    return parsePolicy(document, kind);
  } catch (error) {
    if (error instanceof PolicyError) throw new AwsError("MalformedPolicyDocument", error.message);
    throw error;
  }
}
