import { AwsError } from "./service.ts";
import type { WireProtocol } from "./wire-protocol.ts";

// The name before the dot of X-Amz-Target is the service's own and often not its IAM prefix.
const servicesByTarget = new Map([
  ["secretsmanager", "secretsmanager"],
  ["Logs_20140328", "logs"],
]);

const headers = { "content-type": "application/x-amz-json-1.1" };

/** AWS JSON 1.1: `POST /`, `X-Amz-Target: <service>.<Operation>`, JSON in and out. Secrets Manager and CloudWatch Logs speak it. */
export const jsonProtocol: WireProtocol = {
  decode({ method, headers, body }) {
    const target = headers["x-amz-target"];
    if (method !== "POST" || typeof target !== "string") return undefined;
    const [prefix = "", operation = ""] = target.split(".");
    const service = servicesByTarget.get(prefix);
    if (!service) {
      const known = [...servicesByTarget.keys()].join(", ");
      throw new AwsError(
        "UnknownOperationException",
        `X-Amz-Target ${target} is not served here; known prefixes: ${known}.`,
      );
    }
    return { service, operation, input: parseInput(body) };
  },
  encodeResult: (_call, output) => ({ status: 200, headers, body: JSON.stringify(output) }),
  encodeError: ({ code, message, status }) => ({
    status,
    headers: { ...headers, "x-amzn-errortype": code },
    // Recorded with a capital M; unmodelled errors are said to have a small one. SDKs read either.
    body: JSON.stringify({ __type: code, Message: message, message }),
  }),
};

function parseInput(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  let input: unknown;
  try {
    input = JSON.parse(body.toString());
  } catch (cause) {
    throw Object.assign(new AwsError("SerializationException", "The request body is not JSON."), { cause });
  }
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new AwsError("SerializationException", "The request body must be a JSON object.");
  }
  return input as Record<string, unknown>;
}
