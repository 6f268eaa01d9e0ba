import { createHash, createHmac } from "node:crypto";
import type { ClientRequest } from "node:http";

// As the SDK does: AWS is spoken to by https, so that its module is loaded when the process starts.
const https = process.getBuiltinModule("node:https");

/**
 * What the rotator uses of @aws-sdk/client-secrets-manager, signed by hand on Node's http, without retries or error
 * classes: to show what the SDK costs. For benchmarks only.
 */
export class SecretsManagerClient {
  readonly #agents = new Map<string, unknown>();

  async send({ operation, input }: Command): Promise<unknown> {
    const { AWS_REGION: region = "", AWS_ENDPOINT_URL: endpoint } = process.env;
    const url = new URL(endpoint ?? `https://secretsmanager.${region}.amazonaws.com`);
    const http = url.protocol === "https:" ? https : process.getBuiltinModule("node:http");
    const agent = this.#agents.get(url.protocol) ?? new http.Agent({ keepAlive: true });
    this.#agents.set(url.protocol, agent);
    const body = JSON.stringify(input);
    const headers = signed(url, region, { "x-amz-target": `secretsmanager.${operation}` }, body);
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request: ClientRequest = http.request(
        url,
        { method: "POST", agent: agent as never, headers },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      request.on("error", reject).end(body);
    });
    const answer = JSON.parse(text, (key, value) =>
      key.endsWith("Date") && typeof value === "number" ? new Date(value * 1_000) : value,
    ) as { __type?: string };
    if (status < 300) return answer;
    throw Object.assign(new Error("refused"), { name: answer.__type?.split("#").at(-1) ?? "unknown" });
  }
}

class Command {
  /** The SDK's place for those who look at its attempts: there is one attempt, and nobody to tell. */
  readonly middlewareStack = { add: () => {} };
  readonly operation: string;
  readonly input: object;

  constructor(operation: string, input: object) {
    this.operation = operation;
    this.input = input;
  }
}

function commandOf(operation: string) {
  return class extends Command {
    constructor(input: object) {
      super(operation, input);
    }
  };
}

export const DescribeSecretCommand = commandOf("DescribeSecret");
export const GetSecretValueCommand = commandOf("GetSecretValue");
export const ListSecretVersionIdsCommand = commandOf("ListSecretVersionIds");
export const PutSecretValueCommand = commandOf("PutSecretValue");
export const UpdateSecretVersionStageCommand = commandOf("UpdateSecretVersionStage");

/** AWS Signature Version 4 of a POST to `/`. */
function signed(url: URL, region: string, own: Record<string, string>, body: string): Record<string, string> {
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN } = process.env;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const headers: Record<string, string> = {
    ...own,
    "content-type": "application/x-amz-json-1.1",
    host: url.host,
    "x-amz-date": time,
    ...(AWS_SESSION_TOKEN ? { "x-amz-security-token": AWS_SESSION_TOKEN } : {}),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    "POST",
    "/",
    "",
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
  const scope = `${time.slice(0, 8)}/${region}/secretsmanager/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
  const key = scope
    .split("/")
    .reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${AWS_SECRET_ACCESS_KEY}`);
  const signature = hmac(key, text).toString("hex");
  const credential = `Credential=${AWS_ACCESS_KEY_ID}/${scope}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}
