import { AwsError } from "./service.ts";
import type { WireProtocol } from "./wire-protocol.ts";

// The name before the dot of X-Amz-Target is the service's own and often not its IAM prefix.
const servicesByTarget = new Map([
  ["secretsmanager", "secretsmanager"],
  ["Logs_20140328", "logs"],
  ["GraniteServiceVersion20100801", "cloudwatch"],
]);

const oldContentType = "application/x-amz-json-1.0";

/**
 * AWS JSON 1.1: `POST /`, `X-Amz-Target: <service>.<Operation>`, JSON in and out. Secrets Manager and CloudWatch Logs
 * speak it.
 */
export const jsonProtocol = speaking("application/x-amz-json-1.1", () => true);

/**
 * AWS JSON 1.0, the same but for its name: how the SDK for JavaScript, boto3 and the AWS CLI ask CloudWatch. (Older
 * versions have only the query protocol for it, and some SDKs CBOR; neither is served here.)
 */
export const json10Protocol = speaking(oldContentType, (contentType) => contentType === oldContentType);

function speaking(ownContentType: string, isOurs: (contentType: string | undefined) => boolean): WireProtocol {
  const answered = { "content-type": ownContentType };
  return {
    speaks({ method, headers }) {
      return method === "POST" && typeof headers["x-amz-target"] === "string" && isOurs(headers["content-type"]);
    },
    decode({ headers, body }) {
      const target = String(headers["x-amz-target"]);
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
    encodeResult: (_call, output) => ({ status: 200, headers: answered, body: JSON.stringify(output) }),
    encodeError: ({ code, message, status }, _requestId, service) => ({
      status,
      headers: { ...answered, "x-amzn-errortype": code },
      body: JSON.stringify({ __type: code, [messageField(code, service)]: message }),
    }),
  };
}

/**
 * Secrets Manager's own exceptions were recorded with a capital `Message`. Those that every service has (AccessDeniedException,
 * ValidationException), and all of CloudWatch and its logs, have a small one. SDKs read either.
 */
function messageField(code: string, service: string): "Message" | "message" {
  return service === "secretsmanager" && secretsManagerExceptions.has(code) ? "Message" : "message";
}

const secretsManagerExceptions = new Set([
  "DecryptionFailure",
  "EncryptionFailure",
  "InternalServiceError",
  "InvalidNextTokenException",
  "InvalidParameterException",
  "InvalidRequestException",
  "LimitExceededException",
  "MalformedPolicyDocumentException",
  "PreconditionNotMetException",
  "PublicPolicyException",
  "ResourceExistsException",
  "ResourceNotFoundException",
]);

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
