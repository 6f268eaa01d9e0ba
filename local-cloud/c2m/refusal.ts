import { gatewayAnswer } from "../faults.ts";
import type { C2mOperation } from "./exchange.ts";
import type { C2mKnobs } from "./knobs.ts";

/** A call that C2M refuses. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  /**
   * Of the error body. `invalid_request` and `unknown_path` are ours; the others are the descriptions' own: the auth API's
   * in lower case, the jobs API's in capitals.
   */
  readonly code: string;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The gateway finds no such path: said in the words of API gateways, which send no `code`. */
export const unknownPath = (knobs: C2mKnobs) =>
  new Refusal(knobs.unknownPathStatus, "unknown_path", "Missing Authentication Token");

export const invalidRequest = (message: string) => new Refusal(400, "invalid_request", message);
export const invalidToken = () =>
  new Refusal(401, "invalid_token", "The token is missing, invalid, expired or revoked");

/** Whatever is wrong with the credentials, the answer is the same: it must not help to guess them. */
export const invalidCredentials = (knobs: C2mKnobs) =>
  new Refusal(knobs.wrongCredentialsStatus, "invalid_grant", "Invalid client credentials");

export const insufficientScope = (knobs: C2mKnobs, message: string) =>
  new Refusal(knobs.insufficientScopeStatus, "insufficient_scope", message);

/** An error's answer in the style of the knob: the API's own body, or one of those that a gateway in front sends. */
export function errorAnswer(
  error: { status: number; code: string; message: string; headers?: Record<string, string> },
  style: C2mKnobs["errorBody"],
  operation: C2mOperation | undefined,
): { status: number; headers: Record<string, string>; body: string } {
  const { status, code, message } = error;
  if (style !== "code-and-message" || code === "unknown_path") {
    const answer = gatewayAnswer(status, style === "code-and-message" ? "message" : style, message);
    return { ...answer, headers: { ...answer.headers, ...error.headers } };
  }
  const body = operation === "submitStatic" ? jobsError(status, code, message) : { code, message };
  return { status, headers: { "content-type": "application/json", ...error.headers }, body: JSON.stringify(body) };
}

/** The jobs API's own shape. What stands in `errorType` is not known: these words are invented. */
function jobsError(status: number, errorCode: string, errorMessage: string): Record<string, string> {
  const types: Record<number, string> = {
    401: "AuthenticationError",
    403: "AuthorizationError",
    404: "NotFoundError",
    429: "RateLimitError",
  };
  const errorType = types[status] ?? (status < 500 ? "ValidationError" : "ServerError");
  return { errorType, errorMessage, errorCode };
}
