import { type C2mRequest, header } from "./exchange.ts";
import { invalidRequest } from "./refusal.ts";

/** The one value that `assertion_type` can have. */
export const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** How the caller of issueLongTermToken proves who it is; exactly one per call. */
export type Proof =
  | { mechanism: "client_secret"; clientSecret: string }
  | { mechanism: "otp_code"; otpCode: string }
  | { mechanism: "assertion"; assertion: string }
  | { mechanism: "short_token" };

export interface LongTokenRequest {
  clientId: string;
  proof: Proof;
  scopes: string[] | undefined;
  ttlSeconds: number | undefined;
}

/** The body of issueLongTermToken. Throws the 400 that names the field. */
export function longTokenRequest(request: C2mRequest, withBearer: boolean): LongTokenRequest {
  const body = jsonBody(request);
  if (body === undefined) throw invalidRequest("A request body is required");
  refuseUnknown(body, [
    ...["grant_type", "client_id", "client_secret", "otp_code", "assertion_type", "assertion", "scopes", "ttl_seconds"],
  ]);
  const grantType = text(body, "grant_type");
  const clientId = text(body, "client_id");
  if (grantType !== "client_credentials" && grantType !== "assertion") {
    throw invalidRequest("grant_type must be client_credentials or assertion");
  }
  if (clientId === undefined) throw invalidRequest("client_id is required");
  return {
    clientId,
    proof: proofOf(body, grantType, withBearer),
    scopes: scopesOf(body),
    ttlSeconds: ttlOf(body),
  };
}

/** The scopes that issueShortTermToken is asked for. Throws the 400 that names the field. */
export function shortTokenScopes(request: C2mRequest, longToken: string): string[] | undefined {
  const body = jsonBody(request) ?? {};
  refuseUnknown(body, ["long_token", "scopes"]);
  const inBody = text(body, "long_token");
  if (inBody !== undefined && inBody !== longToken) throw invalidRequest("long_token must be the bearer token");
  return scopesOf(body);
}

function proofOf(body: Record<string, unknown>, grantType: string, withBearer: boolean): Proof {
  const clientSecret = text(body, "client_secret");
  const otpCode = text(body, "otp_code");
  const assertion = text(body, "assertion");
  const assertionType = text(body, "assertion_type");
  const proofs: Proof[] = [];
  if (clientSecret !== undefined) proofs.push({ mechanism: "client_secret", clientSecret });
  if (otpCode !== undefined) proofs.push({ mechanism: "otp_code", otpCode });
  if (assertion !== undefined) proofs.push({ mechanism: "assertion", assertion });
  if (withBearer) proofs.push({ mechanism: "short_token" });
  const [proof, ...others] = proofs;
  if (!proof || others.length > 0) {
    throw invalidRequest("Exactly one of client_secret, otp_code, assertion and a bearer token must be given");
  }
  if ((proof.mechanism === "assertion") !== (grantType === "assertion")) {
    throw invalidRequest(`grant_type ${grantType} does not go with the credentials given`);
  }
  if (assertionType !== (proof.mechanism === "assertion" ? jwtBearer : undefined)) {
    throw invalidRequest(`assertion_type must be ${jwtBearer} with an assertion, and absent without`);
  }
  return proof;
}

function ttlOf({ ttl_seconds: ttl }: Record<string, unknown>): number | undefined {
  if (ttl === undefined) return undefined;
  if (typeof ttl !== "number" || !Number.isInteger(ttl) || ttl < 3600 || ttl > 7_776_000) {
    throw invalidRequest("ttl_seconds must be an integer from 3600 to 7776000");
  }
  return ttl;
}

function scopesOf({ scopes }: Record<string, unknown>): string[] | undefined {
  if (scopes === undefined) return undefined;
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === "string")) {
    throw invalidRequest("scopes must be an array of strings");
  }
  return [...new Set(scopes)];
}

function text(body: Record<string, unknown>, field: string): string | undefined {
  const value = body[field];
  if (value !== undefined && typeof value !== "string") throw invalidRequest(`${field} must be a string`);
  return value;
}

function refuseUnknown(body: Record<string, unknown>, known: string[]): void {
  // The field's name is not repeated: what a broken caller uses for a name may be a secret.
  if (Object.keys(body).some((field) => !known.includes(field))) throw invalidRequest("The body has an unknown field");
}

function jsonBody(request: C2mRequest): Record<string, unknown> | undefined {
  if (request.body.length === 0) return undefined;
  if (!/^application\/json *(;|$)/i.test(header(request, "content-type") ?? "")) {
    throw invalidRequest("Content-Type must be application/json");
  }
  let body: unknown;
  try {
    body = JSON.parse(request.body.toString());
  } catch {
    throw invalidRequest("The body is not JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalidRequest("The body must be an object");
  return { ...body };
}
