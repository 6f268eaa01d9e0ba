/** One size or count that AWS limits. */
export interface Quota {
  /** What is counted, and of what: "event pattern of a rule". */
  what: string;
  /** The most that is let through. */
  most: number;
  unit: "characters" | "bytes" | "items";
  /**
   * Where the figure is from: the service's API model (botocore 1.43), a page of the documentation, or memory, where
   * neither has it. None was tried on AWS.
   */
  source: string;
}

const model = "API model";

/** The default quotas of an account, as far as the resources that the local cloud has can meet them. */
export const quotas = {
  eventPattern: q("event pattern of a rule", 2_048, "characters", "EventBridge quotas; 4,096 by request"),
  rulesPerBus: q("rules on the event bus", 300, "items", "EventBridge quotas; 100 in some regions"),
  targetsPerRule: q("targets of a rule", 5, "items", "EventBridge quotas"),
  ruleName: q("name of a rule", 64, "characters", model),
  ruleDescription: q("description of a rule", 512, "characters", model),
  scheduleExpression: q("schedule expression of a rule", 256, "characters", model),
  targetInput: q("input of a target", 8_192, "characters", model),
  roleName: q("name of a role", 64, "characters", model),
  roleDescription: q("description of a role", 1_000, "characters", model),
  rolesPerAccount: q("roles in the account", 1_000, "items", "IAM quotas"),
  inlinePolicies: q("inline policies of a role, all together, without white space", 10_240, "characters", "IAM quotas"),
  trustPolicy: q("trust policy of a role", 2_048, "characters", "IAM quotas, from memory"),
  functionName: q("name of a function", 64, "characters", "CreateFunction, API reference"),
  functionDescription: q("description of a function", 256, "characters", model),
  functionEnvironment: q("environment of a function", 4_096, "bytes", "Lambda quotas"),
  functionCodeZipped: q("zipped code of a function", 52_428_800, "bytes", "Lambda quotas"),
  functionCode: q("unzipped code of a function", 262_144_000, "bytes", "Lambda quotas"),
  functionPolicy: q("resource policy of a function", 20_480, "bytes", "Lambda quotas"),
  statementId: q("statement id of a function's permission", 100, "characters", model),
  alarmName: q("name of an alarm", 255, "characters", model),
  alarmDescription: q("description of an alarm", 1_024, "characters", model),
  alarmActions: q("actions of an alarm", 5, "items", model),
  alarmsPerRegion: q("alarms in the region", 5_000, "items", "CloudWatch quotas, from memory"),
  dashboardName: q("name of a dashboard", 255, "characters", "from memory"),
  alarmsOnWidget: q("alarms on a dashboard's alarm widget", 100, "items", "dashboard body structure, from memory"),
  logGroupName: q("name of a log group", 512, "characters", model),
  topicName: q("name of a topic", 256, "characters", "CreateTopic, API model's text"),
  topicPolicy: q("policy of a topic", 30_720, "bytes", "SNS, from memory"),
  tags: q("tags of a resource", 50, "items", model),
  tagKey: q("key of a tag", 128, "characters", model),
  tagValue: q("value of a tag", 256, "characters", model),
  secretName: q("name of a secret", 512, "characters", model),
  secretDescription: q("description of a secret", 2_048, "characters", model),
  secretValue: q("value of a secret", 65_536, "bytes", model),
  secretPolicy: q("resource policy of a secret", 20_480, "characters", model),
  keyPolicy: q("policy of a KMS key", 32_768, "bytes", "KMS quotas"),
  aliasName: q("alias of a KMS key", 256, "characters", model),
} as const satisfies Record<string, Quota>;

export type QuotaName = keyof typeof quotas;

function q(what: string, most: number, unit: Quota["unit"], source: string): Quota {
  return { what, most, unit, source };
}

/** How much of a quota a text takes: its characters, or its bytes as UTF-8. */
export function sizeOf(name: QuotaName, text: string): number {
  return quotas[name].unit === "bytes" ? Buffer.byteLength(text) : text.length;
}

/** The size of a policy as IAM counts it: without white space. Source: IAM and STS quotas. */
export function policySize(document: string): number {
  return document.replaceAll(/\s/g, "").length;
}

/**
 * What AWS says of a field that is longer than its model allows; undefined where it is not. The value is left out, as
 * some services do: it may be secret.
 */
export function tooLong(name: QuotaName, field: string, text: string | undefined): string | undefined {
  const { most } = quotas[name];
  if (text === undefined || sizeOf(name, text) <= most) return undefined;
  return brokenConstraint(field, `length less than or equal to ${most}`);
}

/** What AWS says of a field that its model refuses. */
export function brokenConstraint(field: string, must: string): string {
  return `1 validation error detected: Value at '${field}' failed to satisfy constraint: Member must have ${must}`;
}

/**
 * What is wrong with the tags of a resource; undefined where nothing is. The characters are those that all services
 * take. `isCaseless`: IAM knows one key in two cases as the same key.
 */
export function wrongTags(tags: Record<string, string> = {}, isCaseless = false): string | undefined {
  const keys = Object.keys(tags);
  if (keys.length > quotas.tags.most) return `A resource can have up to ${quotas.tags.most} tags, not ${keys.length}.`;
  for (const [key, value] of Object.entries(tags)) {
    if (/^aws:/i.test(key)) return `Tag keys that begin with "aws:" are reserved: ${key}`;
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key))
      return `The tag key ${key} has other characters, or is too long.`;
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(value))
      return `The value of the tag ${key} has other characters, or is too long.`;
  }
  if (isCaseless && new Set(keys.map((key) => key.toLowerCase())).size < keys.length)
    return "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
  return undefined;
}
