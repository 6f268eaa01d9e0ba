import { createHash } from "node:crypto";

export interface Account {
  accountId: string;
  region: string;
  /** The names of the account's secrets that fit ListSecrets' filters. Default: there are none. */
  secretNames?: (filters: SecretFilter[]) => string[];
  /** A secret by its name; undefined where there is none, or where it is to be deleted. */
  secret?: (name: string) => { arn: string; kmsKeyId: string; tags: Record<string, string> } | undefined;
}

/** One of ListSecrets' filters, as the provider's function takes them. */
export interface SecretFilter {
  name: string;
  values: string[];
}

/** Who deploys, and where to. */
export interface Deployer extends Account {
  stack: string;
  /** Another text for another creation of the same resource: what AWS or Pulumi draws by lot comes out another. Default: none. */
  lot?: string;
}

/** The types that Pulumi gives a name to where the program gives none, with the longest name that they may have. */
const autonamed: Record<string, number> = {
  "aws:secretsmanager/secret:Secret": 512,
  "aws:iam/role:Role": 64,
  "aws:iam/rolePolicy:RolePolicy": 128,
  "aws:lambda/function:Function": 64,
  "aws:cloudwatch/logGroup:LogGroup": 512,
  "aws:cloudwatch/eventRule:EventRule": 64,
  "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
  "aws:sns/topic:Topic": 256,
  "aws:kms/alias:Alias": 256,
};

/**
 * Refuses a resource whose name Pulumi would have to make too long: it adds a hyphen and seven characters. It keeps a name
 * that the program gives.
 */
export function checkAutoname({
  type,
  name,
  inputs,
}: {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}): void {
  const most = autonamed[type];
  if (most === undefined || inputs.name !== undefined || name.length + 8 <= most) return;
  throw new Error(`name '${name}-' plus 7 random chars is longer than maximum length ${most}`);
}

/** Whether the resource has a name that the program gives: two of it can't be there at a time. */
export function isNamedByProgram({ type, inputs }: { type: string; inputs: Record<string, unknown> }): boolean {
  return autonamed[type] !== undefined && inputs.name !== undefined;
}

/** What the AWS provider would answer for a resource: its id and the outputs that the program may use. */
export function providerAnswer(
  { accountId, region, stack, lot = "" }: Deployer,
  resource: { type: string; name: string; inputs: Record<string, unknown> },
): { id: string; outputs: Record<string, unknown> } {
  const { type, inputs } = resource;
  const arn = (service: string, rest: string, where = region) => `arn:aws:${service}:${where}:${accountId}:${rest}`;
  const drawn = (length: number, of = "") => digest(`${stack}/${resource.name}/${of}/${lot}`, length);
  const prefix = type === "aws:kms/alias:Alias" ? "alias/" : "";
  const name = typeof inputs.name === "string" ? inputs.name : `${prefix}${resource.name}-${drawn(7)}`;
  const named = (ownArn: string, id = name) => ({ id, outputs: { ...inputs, name, arn: ownArn } });
  switch (type) {
    case "aws:secretsmanager/secret:Secret": {
      const secretArn = arn("secretsmanager", `secret:${name}-${drawn(6, name)}`);
      return named(secretArn, secretArn);
    }
    case "aws:secretsmanager/secretVersion:SecretVersion": {
      // As the real one, it changes when the value does.
      const versionId = uuidOf(`${stack}/${resource.name}/${String(inputs.secretString)}/${lot}`);
      return { id: `${String(inputs.secretId)}|${versionId}`, outputs: { ...inputs, versionId } };
    }
    case "aws:iam/role:Role":
      return named(arn("iam", `role/${name}`, ""));
    case "aws:lambda/function:Function":
      return named(arn("lambda", `function:${name}`));
    case "aws:cloudwatch/logGroup:LogGroup":
      return named(arn("logs", `log-group:${name}`));
    case "aws:cloudwatch/eventRule:EventRule":
      return named(arn("events", `rule/${name}`));
    case "aws:sns/topic:Topic":
      return named(arn("sns", name), arn("sns", name));
    case "aws:cloudwatch/metricAlarm:MetricAlarm":
      return named(arn("cloudwatch", `alarm:${name}`));
    case "aws:cloudwatch/dashboard:Dashboard": {
      const dashboardName = String(inputs.dashboardName);
      return {
        id: dashboardName,
        outputs: { ...inputs, dashboardArn: arn("cloudwatch", `dashboard/${dashboardName}`, "") },
      };
    }
    case "aws:iam/rolePolicy:RolePolicy":
    case "aws:kms/alias:Alias":
      return { id: name, outputs: { ...inputs, name } };
    case "aws:kms/key:Key": {
      const keyId = uuidOf(`${stack}/${resource.name}/${lot}`);
      return { id: keyId, outputs: { ...inputs, keyId, arn: arn("kms", `key/${keyId}`) } };
    }
    case "aws:secretsmanager/secretRotation:SecretRotation":
      return { id: String(inputs.secretId), outputs: { ...inputs, rotationEnabled: true } };
    default:
      // As the ids that the provider makes: of statements and of targets, and never too long.
      return { id: `terraform-${uuidOf(`${stack}/${type}/${resource.name}/${lot}`)}`, outputs: inputs };
  }
}

/** What the AWS provider would answer to a function call of the program. */
export function providerCall(
  account: Account,
  token: string,
  args: Record<string, unknown> = {},
): Record<string, unknown> {
  switch (token) {
    case "aws:secretsmanager/getSecrets:getSecrets": {
      const names = account.secretNames?.((args.filters ?? []) as SecretFilter[]) ?? [];
      return { id: account.region, names, arns: [], region: account.region };
    }
    case "aws:secretsmanager/getSecret:getSecret": {
      const secret = account.secret?.(String(args.name));
      if (!secret) throw new Error(`reading Secrets Manager Secret (${args.name}): couldn't find resource`);
      return { id: secret.arn, name: args.name, ...secret };
    }
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return {
        id: account.accountId,
        accountId: account.accountId,
        arn: `arn:aws:iam::${account.accountId}:user/deployer`,
        userId: "AIDALOCALDEPLOYER",
      };
    case "aws:index/getRegion:getRegion":
      return { id: account.region, region: account.region, name: account.region };
    case "aws:index/getPartition:getPartition":
      return { id: "aws", partition: "aws", dnsSuffix: "amazonaws.com" };
    default:
      throw new Error(`The local provider does not know the function ${token}: add it to provider-answers.ts.`);
  }
}

function digest(text: string, length: number): string {
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const bytes = createHash("sha256").update(text).digest();
  return Array.from(bytes.subarray(0, length), (byte) => characters[byte % characters.length]).join("");
}

function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
