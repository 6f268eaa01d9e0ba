import type { ParsedValue, StoredToken } from "../formats/stored-token.ts";
import { stepTime } from "../formats/time-table.ts";
import { PermanentError } from "../ports/errors.ts";
import type { RotationContext, SecretContext } from "./context.ts";
import { askWhetherWorks, type Exchangeable } from "./exchange.ts";
import { discard } from "./revoke.ts";

/** First wait before a rejected token is tried again, in ms; it doubles up to `longestWaitMs`. */
const firstWaitMs = 1_000;
const longestWaitMs = 15_000;

/** An exchange that would have less time than this is not begun. In ms. */
const exchangeMs = 2_000;

/** A token that C2M still rejects this long after it was issued is not late, it is dead. In ms. */
const propagationMs = 10 * 60_000;

/** A token that is to be exchanged. */
export interface Provable extends Exchangeable {
  /** ISO 8601. */
  issuedAt: string | undefined;
  baseUrl: string | undefined;
}

export type Proof =
  | "works"
  /** C2M said that it is not valid, and it is too old for that to be late propagation. */
  | "dead"
  /** It belongs to a C2M that the settings don't name: it was sent nowhere. */
  | "elsewhere";

/**
 * Exchanges a long token for a short one at its own C2M: the cheapest proof that it works. A 401 may be late propagation,
 * so it tries again until `reserveMs` before the function's end; then it throws, unless the token is definitely dead.
 *
 * @throws PermanentError `invalid_token` or `unauthorized` for a young token, and what the exchange throws
 */
export async function proveToken(
  context: Pick<SecretContext, "c2mAt" | "clock" | "deadline">,
  token: Provable,
  reserveMs: number,
): Promise<Proof> {
  const { clock } = context;
  const c2m = context.c2mAt(token.baseUrl);
  if (!c2m) return "elsewhere";
  const deadline = context.deadline - reserveMs;
  for (let wait = firstWaitMs; ; wait = Math.min(wait * 2, longestWaitMs)) {
    const outcome = await askWhetherWorks(c2m, token, { clock, deadline });
    if (outcome === "works") return "works";
    if (outcome === "invalid_token" && isOld(token.issuedAt, clock.now())) return "dead";
    if (clock.now() + wait + exchangeMs > deadline) {
      throw new PermanentError(
        outcome,
        outcome === "invalid_token"
          ? "issueShortTermToken: C2M does not know the token, which was issued only minutes ago (invalid_token). If it stays so, the token has to be replaced."
          : "issueShortTermToken: HTTP 401, and C2M or a gateway before it does not say why (unauthorized). Check the base_url and the token.",
      );
    }
    await clock.sleep(wait);
  }
}

/**
 * Proves a token that was just issued and will be current as soon as it is stored. One that does not work is revoked, and
 * the reason thrown.
 *
 * @param current what this run has read at AWSCURRENT
 */
export async function proveOrDiscard(
  context: RotationContext,
  token: StoredToken,
  current: ParsedValue | undefined,
): Promise<void> {
  try {
    if ((await proveToken(context, token, stepTime.storeOrRevoke)) === "works") return;
    throw new PermanentError("token_rejected", "C2M rejects the token that it has just issued. Ask Click2Mail why.");
  } catch (error) {
    await discard(context, token, [current]);
    throw error;
  }
}

/** The scopes that `settings` ask for and the token does not have. C2M need not tell a token's scopes. */
export function missingScopes(wanted: readonly string[], granted: readonly string[] | undefined): string[] {
  return granted === undefined ? [] : wanted.filter((scope) => !granted.includes(scope));
}

/**
 * Whether a token is so old that `invalid_token` means that it is dead: C2M may not know one yet that it issued minutes ago.
 * Without a known age nothing rules out that it is old.
 *
 * @param issuedAt ISO 8601
 */
export function isOld(issuedAt: string | undefined, now: number): boolean {
  return issuedAt === undefined || now - Date.parse(issuedAt) > propagationMs;
}
