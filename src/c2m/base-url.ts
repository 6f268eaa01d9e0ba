import { PermanentError } from "../ports/errors.ts";

/** The public C2M API: where nobody says another one. */
export const publicBaseUrl = "https://api.click2mail.com/v2";

/**
 * The C2M base URL, such as `https://api.click2mail.com/v2`, from settings. The answer has no trailing `/`, except where
 * there is no path at all (a URL can't be without one).
 *
 * @throws PermanentError `invalid_base_url`; the message names the rule that was broken and never the value, which could
 *   hold a password.
 */
export function parseBaseUrl(text: string): URL {
  // The URL parser drops or rewrites these silently, so that another URL than the one on the page would be used.
  if (/[\s\\]/.test(text)) throw invalid("must not contain white space or a backslash; remove it");
  if (/[?#]/.test(text)) throw invalid("must not have a query or a fragment; end it after the path");
  const url = URL.parse(text);
  if (!url?.host) throw invalid('must be an absolute URL; write it like "https://api.click2mail.com/v2"');
  if (/^[^/]*\/\/[^/]*@/.test(text)) {
    throw invalid("must not hold a user name or password; C2M credentials belong in the credentials secret");
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw invalid("must start with https:// (http:// is accepted for a loopback address only)");
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  if (/\/auth(\/tokens(\/.*)?)?$/i.test(url.pathname)) {
    throw invalid('must end before "/auth"; this package adds the auth paths itself');
  }
  return url;
}

/** The URL of an auth call: the base, then `segments`, each URL-encoded. */
export function endpoint(baseUrl: URL, ...segments: string[]): URL {
  const base = baseUrl.href.replace(/\/$/, "");
  return new URL([base, ...segments.map(encodeURIComponent)].join("/"));
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function invalid(rule: string): PermanentError {
  return new PermanentError("invalid_base_url", `base_url ${rule}`);
}
