import { createHash } from "node:crypto";

export interface Account {
  accountId: string;
  region: string;
}

/** What the AWS provider would answer for a resource: its id and the outputs that the program may use. */
export function providerAnswer(
  account: Account,
  resource: { type: string; name: string; inputs: Record<string, unknown> },
): { id: string; outputs: Record<string, unknown> } {
  const { type, inputs } = resource;
  const arn = (service: string, rest: string, region = account.region) =>
    `arn:aws:${service}:${region}:${account.accountId}:${rest}`;
  const name = typeof inputs.name === "string" ? inputs.name : `${resource.name}-${digest(resource.name, 7)}`;
  const named = (ownArn: string, id = name) => ({ id, outputs: { ...inputs, name, arn: ownArn } });
  switch (type) {
    case "aws:secretsmanager/secret:Secret": {
      const secretArn = arn("secretsmanager", `secret:${name}-${digest(`${resource.name}/${name}`, 6)}`);
      return named(secretArn, secretArn);
    }
    case "aws:secretsmanager/secretVersion:SecretVersion": {
      // As the real one, it changes when the value does.
      const versionId = uuidOf(`${resource.name}/${String(inputs.secretString)}`);
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
    case "aws:kms/key:Key": {
      const keyId = uuidOf(resource.name);
      return { id: keyId, outputs: { ...inputs, keyId, arn: arn("kms", `key/${keyId}`) } };
    }
    case "aws:secretsmanager/secretRotation:SecretRotation":
      return { id: String(inputs.secretId), outputs: { ...inputs, rotationEnabled: true } };
    default:
      return { id: `${resource.name}-${digest(resource.name, 7)}`, outputs: { ...inputs, name } };
  }
}

/** What the AWS provider would answer to a function call of the program. */
export function providerCall(account: Account, token: string): Record<string, unknown> {
  switch (token) {
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
