import { PermanentError } from "../src/ports/errors.ts";
import type { TokenSource } from "./token-source.ts";

/** A request as it is sent, once or again. */
export interface Outgoing {
  /**
   * Where it goes when its token is for the C2M at `baseUrl`.
   *
   * @throws PermanentError `other_origin`
   */
  urlAt(baseUrl: string): string;
  /** All but the headers. */
  init: RequestInit;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** False where the body is a stream, which can be read once. */
  repeatable: boolean;
  /** Whether it changes nothing at C2M (RFC 9110 §9.2.1). */
  isSafe: boolean;
  /** Whether the caller wants to see redirects. */
  seesRedirects: boolean;
  signal: AbortSignal | undefined;
}

/**
 * What `fetch(input, init)` would send, within the origin of the C2M API.
 *
 * @throws PermanentError `other_origin`
 */
export async function outgoing(
  input: string | URL | Request,
  init: RequestInit = {},
  tokens: Pick<TokenSource, "baseUrl" | "followsBaseUrl">,
): Promise<Outgoing> {
  const request = typeof input === "string" || input instanceof URL ? undefined : input;
  const urlAt = (baseUrl: string) => target(request ? request.url : String(input), baseUrl);
  // Before anything else where it is known: the mistake is the caller's.
  if (!tokens.followsBaseUrl) urlAt(tokens.baseUrl);
  const signal = init.signal ?? request?.signal ?? undefined;
  const body = init.body ?? (request?.body ? await request.arrayBuffer() : undefined);
  const method = init.method ?? request?.method;
  return {
    urlAt,
    init: {
      ...init,
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      ...(signal && { signal }),
      // Whoever follows one takes the token along, or at least the body.
      redirect: "manual",
    },
    headers: Object.fromEntries(new Headers(init.headers ?? request?.headers)),
    repeatable: isRepeatable(body),
    isSafe: /^(GET|HEAD|OPTIONS)$/i.test(method ?? "GET"),
    seesRedirects: (init.redirect ?? request?.redirect) === "manual",
    signal,
  };
}

function target(input: string, baseUrl: string): string {
  const url = URL.parse(input.startsWith("/") ? baseUrl + input : input);
  if (url?.origin === new URL(baseUrl).origin) return url.href;
  throw new PermanentError(
    "other_origin",
    "c2mFetch: the URL must be on the origin of baseUrl, or start with a slash: the token goes nowhere else. Correct the URL, or use another fetch for it.",
  );
}

function isRepeatable(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === "string" ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof Blob ||
    body instanceof FormData ||
    body instanceof URLSearchParams
  );
}
