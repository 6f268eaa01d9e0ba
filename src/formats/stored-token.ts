import * as v from "valibot";
import { Sensitive } from "../ports/sensitive.ts";

const isoDate = v.pipe(
  v.string(),
  v.check((text) => !Number.isNaN(Date.parse(text))),
);

// Only what no release can do without is required, so that versions written by an earlier release still read.
const storedFields = v.looseObject({
  access_token: v.pipe(v.string(), v.minLength(1)),
  expires_at: isoDate,
  client_id: v.string(),
  token_type: v.optional(v.string()),
  token_id: v.optional(v.string()),
  header_token_id: v.optional(v.string()),
  scopes: v.optional(v.array(v.string())),
  issued_at: v.optional(isoDate),
  base_url: v.optional(v.string()),
});

const ourFields = new Set(Object.keys(storedFields.entries));

/** The value of a token secret, as this project writes it. */
export interface StoredToken {
  accessToken: Sensitive;
  tokenType: string;
  tokenId: string | undefined;
  /** `X-Token-Id`, where it is another than `token_id`: each may be the one that revokes the token. */
  headerTokenId: string | undefined;
  scopes: string[] | undefined;
  /** ISO 8601. */
  issuedAt: string | undefined;
  /** ISO 8601. */
  expiresAt: string;
  clientId: string;
  baseUrl: string | undefined;
  /** Fields that somebody else added; they survive a rotation. */
  otherFields: Sensitive;
}

/**
 * What a token secret holds: our JSON, or something that was there before us. Of a foreign value we know at most what the
 * token is: the whole text where it is not JSON, or the `access_token` of an object that names no base URL, as
 * in C2M's own answer. The whole `text` tells whether it holds a token that is known.
 */
export type ParsedValue =
  | { kind: "ours"; token: StoredToken }
  | { kind: "foreign"; token: Sensitive | undefined; text?: Sensitive };

/** The value in an answer of GetSecretValue, stored as a text or as bytes; undefined where there is none. */
export function secretValueOf(secret: {
  SecretString?: string | undefined;
  SecretBinary?: Uint8Array | undefined;
}): Sensitive | undefined {
  const text = secret.SecretString ?? (secret.SecretBinary && new TextDecoder().decode(secret.SecretBinary));
  return text === undefined ? undefined : new Sensitive(text);
}

/** Reads a secret's value. Never throws: what is not ours is foreign. */
export function parseValue(value: Sensitive): ParsedValue {
  const text = value.reveal();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "foreign", token: bearable(text), text: value };
  }
  const parsed = v.safeParse(storedFields, json);
  if (!parsed.success) return { kind: "foreign", token: tokenIn(json), text: value };
  const fields = parsed.output;
  // Of the JSON itself: valibot drops fields with names such as "constructor".
  const other = Object.fromEntries(Object.entries(json as object).filter(([name]) => !ourFields.has(name)));
  return {
    kind: "ours",
    token: {
      accessToken: new Sensitive(fields.access_token),
      tokenType: fields.token_type ?? "Bearer",
      tokenId: fields.token_id || undefined,
      headerTokenId: fields.header_token_id || undefined,
      scopes: fields.scopes,
      issuedAt: fields.issued_at,
      expiresAt: fields.expires_at,
      clientId: fields.client_id,
      baseUrl: fields.base_url,
      otherFields: new Sensitive(JSON.stringify(other)),
    },
  };
}

/** Of an object that says where its token belongs, and is not ours, none is taken: it would be sent elsewhere. */
function tokenIn(json: unknown): Sensitive | undefined {
  if (typeof json !== "object" || json === null || !("access_token" in json) || "base_url" in json) return undefined;
  return bearable(json.access_token);
}

/** What can be sent as a bearer token. */
function bearable(text: unknown): Sensitive | undefined {
  return typeof text === "string" && /^[\x21-\x7e]+$/.test(text) ? new Sensitive(text) : undefined;
}

/** Fields of a secret with a client's credentials, of which each has one. */
const credentialFields = ["client_secret", "otp_seed", "private_key", "private_keys"];

/** Whether a value is a client's credentials, in order or not, rather than a token. */
export function holdsCredentials(value: Sensitive): boolean {
  let json: unknown;
  try {
    json = JSON.parse(value.reveal());
  } catch {
    return false;
  }
  if (typeof json !== "object" || json === null || "access_token" in json) return false;
  return credentialFields.some((field) => Object.hasOwn(json, field));
}

/** The SecretString of a token: snake_case, as the API's own fields. */
export function serializeToken(token: StoredToken): Sensitive {
  return new Sensitive(
    JSON.stringify({
      ...(JSON.parse(token.otherFields.reveal()) as object),
      access_token: token.accessToken.reveal(),
      token_type: token.tokenType,
      token_id: token.tokenId,
      header_token_id: token.headerTokenId,
      scopes: token.scopes,
      issued_at: token.issuedAt,
      expires_at: token.expiresAt,
      client_id: token.clientId,
      base_url: token.baseUrl,
    }),
  );
}
