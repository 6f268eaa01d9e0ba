/** One statement of a policy, with every field that may be a single value or a list made a list. */
export interface Statement {
  effect: "Allow" | "Deny";
  actions: string[];
  /** `["*"]` in a trust policy, which stands on the role it speaks of. */
  resources: string[];
  /** Whom a resource or trust policy speaks of; undefined in an identity policy. */
  principals: Principals | undefined;
  conditions: Condition[];
}

export interface Principals {
  everyone: boolean;
  /** Account ids and ARNs of accounts, roles and sessions. */
  aws: string[];
  service: string[];
}

export interface Condition {
  operator: Operator;
  key: string;
  values: string[];
}

/** A condition operator taken apart: `ForAllValues:StringNotLikeIfExists`. */
export interface Operator {
  base: (typeof baseOperators)[number];
  quantifier: "ForAllValues" | "ForAnyValue" | undefined;
  ifExists: boolean;
}

const baseOperators = [
  "StringEquals",
  "StringNotEquals",
  "StringLike",
  "StringNotLike",
  "ArnEquals",
  "ArnNotEquals",
  "ArnLike",
  "ArnNotLike",
  "Bool",
  "Null",
] as const;

/** The document is not a policy, or says something that this evaluator does not know. It is never ignored. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

/** A role's own policy, the policy of a resource, or whom a role may be assumed by. */
export type PolicyKind = "identity" | "resource" | "trust";

/**
 * Parses a policy document. Only what the local cloud can evaluate is accepted: Allow and Deny, Action, Resource,
 * Principal (`*`, AWS, Service) and the operators above; no NotAction, NotResource, NotPrincipal and no policy variables.
 * @throws PolicyError naming the field and what is known.
 */
export function parsePolicy(document: string, kind: PolicyKind): Statement[] {
  const policy = record(parseJson(document), "The policy");
  onlyKnown(policy, ["Version", "Id", "Statement"], "The policy");
  if (policy.Version !== "2012-10-17")
    throw new PolicyError(`Version must be "2012-10-17", not ${show(policy.Version)}.`);
  const statements = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  return statements.map((statement, index) => parseStatement(statement, kind, `Statement ${index + 1}`));
}

function parseStatement(value: unknown, kind: PolicyKind, where: string): Statement {
  const statement = record(value, where);
  const known = ["Sid", "Effect", "Action", "Resource", "Condition"];
  onlyKnown(statement, kind === "identity" ? known : [...known, "Principal"], where);
  const { Effect: effect } = statement;
  if (effect !== "Allow" && effect !== "Deny") {
    throw new PolicyError(`${where}: Effect must be Allow or Deny, not ${show(effect)}.`);
  }
  if (kind !== "identity" && statement.Principal === undefined) {
    throw new PolicyError(`${where}: a ${kind} policy must name a Principal.`);
  }
  if (kind !== "trust" && statement.Resource === undefined) {
    throw new PolicyError(
      `${where}: ${kind === "identity" ? "an identity" : "a resource"} policy must name a Resource.`,
    );
  }
  if (kind === "trust" && statement.Resource !== undefined) {
    throw new PolicyError(`${where}: has prohibited field Resource.`);
  }
  return {
    effect,
    actions: strings(statement.Action, `${where}: Action`),
    resources: statement.Resource === undefined ? ["*"] : strings(statement.Resource, `${where}: Resource`),
    principals: kind !== "identity" ? parsePrincipals(statement.Principal, where) : undefined,
    conditions: statement.Condition === undefined ? [] : parseConditions(statement.Condition, where),
  };
}

function parsePrincipals(value: unknown, where: string): Principals {
  if (value === "*") return { everyone: true, aws: [], service: [] };
  const principal = record(value, `${where}: Principal`);
  onlyKnown(principal, ["AWS", "Service"], `${where}: Principal`);
  const aws = principal.AWS === undefined ? [] : strings(principal.AWS, `${where}: Principal.AWS`);
  const service = principal.Service === undefined ? [] : strings(principal.Service, `${where}: Principal.Service`);
  return { everyone: aws.includes("*"), aws: aws.filter((name) => name !== "*"), service };
}

function parseConditions(value: unknown, where: string): Condition[] {
  return Object.entries(record(value, `${where}: Condition`)).flatMap(([name, block]) => {
    const operator = parseOperator(name, where);
    return Object.entries(record(block, `${where}: Condition.${name}`)).map(([key, expected]) => {
      const values = strings(expected, `${where}: Condition.${name}.${key}`);
      const flag = operator.base === "Bool" || operator.base === "Null";
      if (flag && !values.every((text) => text === "true" || text === "false")) {
        throw new PolicyError(`${where}: Condition.${name}.${key} must be true or false.`);
      }
      return { operator, key, values };
    });
  });
}

function parseOperator(name: string, where: string): Operator {
  const parts = /^(?:(ForAllValues|ForAnyValue):)?(.+?)(IfExists)?$/.exec(name);
  const base = baseOperators.find((operator) => operator === parts?.[2]);
  if (!base || (base === "Null" && parts?.[3])) {
    throw new PolicyError(
      `${where}: condition operator ${name} is not known here; known: ${baseOperators.join(", ")}.`,
    );
  }
  const quantifier = parts?.[1] === "ForAllValues" || parts?.[1] === "ForAnyValue" ? parts[1] : undefined;
  return { base, quantifier, ifExists: parts?.[3] !== undefined };
}

function strings(value: unknown, where: string): string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new PolicyError(`${where} must not be empty.`);
  return list.map((item) => {
    // JSON policies may write true for "true"; AWS takes both.
    const text = typeof item === "boolean" ? String(item) : item;
    if (typeof text !== "string") throw new PolicyError(`${where} must hold strings, not ${show(item)}.`);
    if (text.includes("${")) throw new PolicyError(`${where}: policy variables are not known here.`);
    return text;
  });
}

function parseJson(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch (cause) {
    throw new PolicyError("The policy is not JSON.", { cause });
  }
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PolicyError(`${where} must be an object.`);
  }
  return value as Record<string, unknown>;
}

function onlyKnown(value: Record<string, unknown>, known: string[], where: string): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    throw new PolicyError(`${where}: ${unknown.join(", ")} not known here; known: ${known.join(", ")}.`);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
