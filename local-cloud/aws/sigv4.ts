import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Identities } from "../iam/identities.ts";
import { AwsError, type Caller } from "./service.ts";

/** A request as it came over the wire. */
export interface WireRequest {
  method: string;
  /** Path and query, still encoded. */
  target: string;
  headers: IncomingHttpHeaders;
  /** Empty where it was too large to be kept. */
  body: Buffer;
  tooLarge?: boolean;
}

/** Whom the signature proves, and for which region and service it was made. */
export interface Signer {
  caller: Caller;
  region: string;
  service: string;
}

const algorithm = "AWS4-HMAC-SHA256";

/** The service that a request's signature is for, as it says, unproven; undefined where it has none. */
export function scopedService({ headers }: WireRequest): string | undefined {
  return /\bCredential=[^/,\s]+\/\d{8}\/[^/,\s]+\/([^/,\s]+)\/aws4_request/.exec(headers.authorization ?? "")?.[1];
}

/**
 * Verifies an AWS Signature Version 4 in the Authorization header (presigned URLs are not known here).
 * Source: "Signature Version 4 signing process"; codes and texts as AWS's JSON services give them.
 * @throws AwsError MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException, InvalidSignatureException
 */
export function verifySignature(
  request: WireRequest,
  { identities, now, allowedSkewMs }: { identities: Identities; now: number; allowedSkewMs: number },
): Signer {
  const { credential, signedHeaders, signature } = parseAuthorization(request.headers.authorization);
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split("/");
  if (!accessKeyId || !date || !region || !service || terminator !== "aws4_request" || rest.length > 0) {
    throw new AwsError("IncompleteSignatureException", "Credential must be KEY/DATE/REGION/SERVICE/aws4_request.");
  }
  const found = identities.find(accessKeyId);
  const token = header(request.headers, "x-amz-security-token");
  // A lasting key has no session token; sending one anyway makes AWS look it up and not find it.
  if (!found || (token ?? "") !== (found.key.sessionToken ?? "")) {
    throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
  }
  const timestamp = header(request.headers, "x-amz-date") ?? "";
  checkTime(timestamp, date, now, allowedSkewMs);

  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = [algorithm, timestamp, scope, sha256(canonicalRequest(request, signedHeaders))].join("\n");
  const signingKey = [date, region, service, "aws4_request"].reduce(
    hmac,
    Buffer.from(`AWS4${found.key.secretAccessKey}`),
  );
  const expected = hmac(signingKey, toSign);
  const given = Buffer.from(signature, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw mismatch();
  return { caller: found.caller, region, service };
}

function parseAuthorization(authorization: string | undefined) {
  if (!authorization) throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  const [name, ...rest] = authorization.split(" ");
  const fields = new Map(
    rest
      .join(" ")
      .split(",")
      .map((field) => splitOnce(field.trim(), "=")),
  );
  const [credential, signedHeaders, signature] = ["Credential", "SignedHeaders", "Signature"].map((field) =>
    fields.get(field),
  );
  if (name !== algorithm || !credential || !signedHeaders || !signature) {
    throw new AwsError(
      "IncompleteSignatureException",
      `Authorization must be ${algorithm} with Credential, SignedHeaders and Signature.`,
    );
  }
  return { credential, signedHeaders: signedHeaders.split(";"), signature };
}

function checkTime(timestamp: string, date: string, now: number, allowedSkewMs: number): void {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (!parts || !timestamp.startsWith(date)) {
    throw new AwsError("IncompleteSignatureException", "X-Amz-Date must be YYYYMMDDTHHMMSSZ on the credential's day.");
  }
  const [, year, month, day, hour, minute, second] = parts;
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const nowText = amzDate(now);
  if (signedAt < now - allowedSkewMs) {
    const earliest = `(${nowText} - ${allowedSkewMs / 60_000} min.)`;
    throw new AwsError(
      "InvalidSignatureException",
      `Signature expired: ${timestamp} is now earlier than ${amzDate(now - allowedSkewMs)} ${earliest}`,
    );
  }
  if (signedAt > now + allowedSkewMs) {
    const latest = `(${nowText} + ${allowedSkewMs / 60_000} min.)`;
    throw new AwsError(
      "InvalidSignatureException",
      `Signature not yet current: ${timestamp} is still later than ${amzDate(now + allowedSkewMs)} ${latest}`,
    );
  }
}

function canonicalRequest({ method, target, headers, body }: WireRequest, signedHeaders: string[]): string {
  const [path = "/", query = ""] = splitOnce(target, "?");
  return [
    method,
    // Every service but S3 signs the path encoded once more than it is sent.
    path.split("/").map(encode).join("/"),
    query.split("&").filter(Boolean).map(canonicalParameter).sort().join("&"),
    ...signedHeaders.map((name) => `${name}:${(header(headers, name) ?? "").trim().replace(/ +/g, " ")}`),
    "",
    signedHeaders.join(";"),
    // Of the body as it came, whatever x-amz-content-sha256 says: an altered body must not pass.
    sha256(body),
  ].join("\n");
}

function canonicalParameter(parameter: string): string {
  const [name, value = ""] = splitOnce(parameter, "=");
  return `${encode(decodeURIComponent(name))}=${encode(decodeURIComponent(value))}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function amzDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

function mismatch(): AwsError {
  return new AwsError(
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}
