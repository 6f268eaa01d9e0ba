import type { StoredToken } from "../formats/stored-token.ts";
import { PermanentError } from "../ports/errors.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import type { RotationContext } from "./context.ts";
import { discard } from "./revoke.ts";

/** First wait before a rejected token is tried again, in ms; it doubles up to `longestWaitMs`. */
const firstWaitMs = 1_000;
const longestWaitMs = 15_000;

/** An exchange that would have less time than this is not begun. In ms. */
const exchangeMs = 2_000;

/** A token that C2M still rejects this long after it was issued is not late, it is dead. In ms. */
const propagationMs = 10 * 60_000;

export type Proof =
  | "works"
  /** C2M said that it is not valid, and it is too old for that to be late propagation. */
  | "dead";

/**
 * Exchanges a long token for a short one: the cheapest proof that it works. A 401 may be late propagation, so it tries
 * again until `reserveMs` before the function's end; then it throws, unless the token is definitely dead.
 */
export async function proveToken(
  context: RotationContext,
  token: { accessToken: Sensitive; scopes: readonly string[] | undefined; issuedAt: string | undefined },
  reserveMs: number,
): Promise<Proof> {
  const { clock } = context;
  const scope = narrowestScope(token.scopes);
  const deadline = context.deadline - reserveMs;
  for (let wait = firstWaitMs; ; wait = Math.min(wait * 2, longestWaitMs)) {
    try {
      await context.c2m.issueShortTermToken({
        longToken: token.accessToken,
        deadline,
        ...(scope === undefined ? {} : { scopes: [scope] }),
      });
      return "works";
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      if (error.code !== "invalid_token" && error.code !== "unauthorized") throw error;
      if (error.code === "invalid_token" && isOld(token.issuedAt, clock.now())) return "dead";
      if (clock.now() + wait + exchangeMs > deadline) throw error;
      await clock.sleep(wait);
    }
  }
}

/**
 * Proves a token that was just issued and will be current as soon as it is stored. One that does not work is revoked, and
 * the reason thrown.
 */
export async function proveOrDiscard(
  context: RotationContext,
  secretArn: string,
  token: StoredToken,
  reserveMs: number,
): Promise<void> {
  try {
    if ((await proveToken(context, token, reserveMs)) === "works") return;
    throw new PermanentError("token_rejected", "C2M rejects the token that it has just issued. Ask Click2Mail why.");
  } catch (error) {
    await discard(context, secretArn, token);
    throw error;
  }
}

/** The scopes that `settings` ask for and the token does not have. C2M need not tell a token's scopes. */
export function missingScopes(wanted: readonly string[], granted: readonly string[] | undefined): string[] {
  return granted === undefined ? [] : wanted.filter((scope) => !granted.includes(scope));
}

/** The short token is thrown away, so it is asked for with as little power as possible. */
function narrowestScope(scopes: readonly string[] | undefined): string | undefined {
  return scopes?.find((scope) => !scope.startsWith("tokens:") && !scope.includes("*")) ?? scopes?.[0];
}

// Without a known age nothing rules out that the token is old.
function isOld(issuedAt: string | undefined, now: number): boolean {
  return issuedAt === undefined || now - Date.parse(issuedAt) > propagationMs;
}
