import { PermanentError } from "../ports/errors.ts";

/** The public C2M API: where nobody says another one. */
export const publicBaseUrl = "https://api.click2mail.com/v2";

/**
 * The C2M base URL, such as `https://api.click2mail.com/v2`, or the rule that the text breaks, to be read after the name
 * of its key ("must …"). The rule never quotes the text, which could hold a password. The URL has no trailing `/`, except
 * where there is no path at all (a URL can't be without one).
 */
export function readBaseUrl(text: string): URL | { problem: string } {
  // The URL parser drops or rewrites these silently, so that another URL than the one on the page would be used.
  if (/[\s\\\p{Cc}]/u.test(text)) {
    return { problem: "must not contain white space or a backslash, nor a control character; remove it" };
  }
  if (/[?#]/.test(text)) return { problem: "must not have a query or a fragment; end it after the path" };
  const url = URL.parse(text);
  if (!url?.host) return { problem: 'must be an absolute URL; write it like "https://api.click2mail.com/v2"' };
  // Not what the parser finds: an "@" with nothing before it leaves no trace in the URL.
  if (/^[^/]*\/*[^/]*@/.test(text)) {
    return { problem: "must not hold a user name or password; C2M credentials belong in the credentials secret" };
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    return { problem: "must start with https:// (http:// is accepted for a loopback address only)" };
  }
  if (!/^https?:\/\/[^/]/i.test(text)) {
    return { problem: 'must be an absolute URL; write it like "https://api.click2mail.com/v2"' };
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  if (/\/auth(\/tokens(\/.*)?)?$/i.test(url.pathname)) {
    return { problem: 'must end before "/auth"; this package adds the auth paths itself' };
  }
  return url;
}

/** @throws PermanentError `invalid_base_url` where `readBaseUrl` finds a problem */
export function parseBaseUrl(text: string): URL {
  const url = readBaseUrl(text);
  if ("problem" in url) throw new PermanentError("invalid_base_url", `base_url ${url.problem}`);
  return url;
}

/** The text of a base URL, the same for all ways to write it. */
export function baseUrlText(baseUrl: URL): string {
  return baseUrl.href.replace(/\/$/, "");
}

/** The URL of an auth call: the base, then `segments`, each URL-encoded. */
export function endpoint(baseUrl: URL, ...segments: string[]): URL {
  return new URL([baseUrlText(baseUrl), ...segments.map(encodeURIComponent)].join("/"));
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
