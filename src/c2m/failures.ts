import { causeOf } from "../ports/cause.ts";
import { AmbiguousError, type C2mCode, PermanentError, RetryableError } from "../ports/errors.ts";
import { errorCodeOf, retryAfterMsOf, tokenIdsOf } from "./answers.ts";
import type { HttpAnswer, TransportError } from "./http.ts";

/** The API's own names of its three calls. */
export type Operation = "issueLongTermToken" | "issueShortTermToken" | "revokeToken";

export type C2mFailure = RetryableError | AmbiguousError | PermanentError;

/**
 * What an answer other than success means. C2M's own texts are left out of the message: they could quote what we sent.
 * Its `code` is passed on where it is one that we know.
 *
 * @param now epoch ms
 */
export function failureOf(operation: Operation, answer: HttpAnswer, now: number): C2mFailure {
  const { status } = answer;
  const what = `${operation}: C2M answered HTTP ${status}`;
  if (status === 429) {
    return new RetryableError("rate_limited", `${what}: too many calls. Try again later.`, {
      retryAfterMs: retryAfterMsOf(answer, now),
    });
  }
  // 408: a proxy gave up on the exchange, which says nothing about what stands behind it.
  if (status >= 500 || status === 408) {
    if (operation === "issueLongTermToken") return lost("server_error", `${what}.`, answer);
    return new RetryableError("server_error", `${what}. Try again later.`, {
      retryAfterMs: retryAfterMsOf(answer, now),
    });
  }
  const code = permanentCode(answer);
  return new PermanentError(
    code,
    `${what} (${code}). ${{ ...remedies, ...ownRemedies }[code as keyof typeof remedies]}`,
  );
}

/** The same for an issue call that was authenticated with a short token: there is no credentials secret to be checked. */
export function shortTokenRefused(answer: HttpAnswer): PermanentError {
  const code = permanentCode(answer);
  return new PermanentError(
    code,
    `issueLongTermToken: C2M answered HTTP ${answer.status} (${code}) to the mechanism short_token, with and without the client id beside the bearer. Check that the token in the secret has the scope tokens:write and is of the client in the settings, that C2M allows this client the mechanism, and the scopes in the settings.`,
  );
}

/** What it means that no answer came. */
export function noAnswer(operation: Operation, error: TransportError): RetryableError | AmbiguousError {
  if (!error.sent) {
    const { remedy } = causeOf({ code: error.reason });
    return new RetryableError(
      "unreachable",
      `${operation}: could not connect to C2M (${error.reason}). If this repeats, check the base_url. ${remedy}`,
    );
  }
  const what = `${operation}: the request was sent and no answer came (${error.reason}).`;
  if (operation === "issueLongTermToken") return lost("no_answer", what, undefined);
  return new RetryableError("no_answer", `${what} Try again later.`);
}

/**
 * What it means that C2M reports success in an answer that is of no use.
 *
 * @param problem what is wrong with it, without quoting it
 */
export function badAnswer(operation: Operation, answer: HttpAnswer, problem: string): RetryableError | AmbiguousError {
  const what = `${operation}: C2M answered HTTP ${answer.status}, but ${problem}.`;
  if (operation === "issueLongTermToken") return lost("bad_answer", what, answer);
  return new RetryableError("bad_answer", `${what} Try again later.`);
}

function lost(code: C2mCode, what: string, answer: HttpAnswer | undefined): AmbiguousError {
  const ids = answer ? tokenIdsOf(answer) : { tokenId: undefined };
  const remedy = ids.tokenId === undefined ? "its id is not known: it ends with its lifetime." : "revoke it by its id.";
  return new AmbiguousError(code, `${what} A token may have been made; ${remedy}`, ids);
}

function permanentCode(answer: HttpAnswer): C2mCode {
  const { status } = answer;
  const said = errorCodeOf(answer);
  if (status < 400) return "redirected";
  if (said !== undefined && Object.hasOwn(remedies, said)) return said as keyof typeof remedies;
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  return "invalid_request";
}

const checkCredentials =
  "Check the client id and the credentials in the credentials secret, and that they were made for the C2M at the base_url.";
const checkScopes = "Check the scopes in the settings against those that C2M allows this client.";
const checkBaseUrl = "Check the base_url in the settings: scheme, host, stage and version, without /auth.";

/** The codes of C2M's bodies (RFC 6749 §5.2 and its own) that are passed on, and what to do. */
const remedies = {
  invalid_grant: checkCredentials,
  invalid_client: checkCredentials,
  unauthorized_client: "Ask C2M to allow this client the mechanism in the settings, or choose another one.",
  unsupported_grant_type: "Choose another mechanism in the settings; C2M does not know this one.",
  invalid_scope: checkScopes,
  insufficient_scope: `${checkScopes} The mechanism short_token needs tokens:write besides.`,
  invalid_token: "The token is expired, revoked or not one of C2M's: it has to be replaced.",
  invalid_request:
    "Check the scopes and the lifetime in the settings; if they are right, this release does not fit C2M's API.",
  not_found: checkBaseUrl,
} satisfies Partial<Record<C2mCode, string>>;

/** The same for the codes that stand for an answer that does not say. */
const ownRemedies = {
  redirected: `Redirects are not followed, since credentials go to the base_url only. ${checkBaseUrl}`,
  unauthorized: `C2M or a gateway before it does not say why. ${checkCredentials} ${checkBaseUrl}`,
  forbidden: `C2M or a gateway before it does not say why. ${checkBaseUrl}`,
} satisfies Partial<Record<C2mCode, string>>;
