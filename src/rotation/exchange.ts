import { type Exchange, endShortToken, endShortTokenMs, type TokenUser } from "../ports/c2m.ts";
import type { Clock } from "../ports/clock.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import { idsOf, type Revocable } from "./same-token.ts";

/** A long token that is asked about. */
export interface Exchangeable extends Pick<Revocable, "tokenId" | "headerTokenId"> {
  accessToken: Sensitive;
  /** Undefined where C2M did not say. */
  scopes?: readonly string[] | undefined;
}

/**
 * Asks C2M once whether a long token works. The short token that this makes is thrown away, so it is asked for with as little
 * power as possible; where it could issue tokens all the same, it is revoked.
 *
 * @param request.deadline epoch ms
 */
export async function askWhetherWorks(
  c2m: TokenUser,
  token: Exchangeable,
  { clock, deadline }: { clock: Pick<Clock, "now">; deadline: number },
): Promise<Exchange["outcome"]> {
  const scope = narrowestScope(token.scopes);
  const scopes = scope === undefined ? {} : { scopes: [scope] };
  const exchange = await c2m.issueShortTermToken({ longToken: token.accessToken, deadline, ...scopes });
  if (exchange.outcome === "works" && mayIssue(scope)) {
    const until = Math.min(deadline, clock.now() + endShortTokenMs);
    // An answer may name the token that it was asked with, too.
    const own = idsOf(token);
    const ids = own.length === 0 ? [] : idsOf(exchange.token).filter((id) => !own.includes(id));
    await endShortToken(c2m, ids, { bearer: token.accessToken, deadline: until });
  }
  return exchange.outcome;
}

/** One that is not about tokens, else one that can't issue any. */
function narrowestScope(scopes: readonly string[] | undefined): string | undefined {
  return (
    scopes?.find((scope) => !scope.startsWith("tokens:") && !scope.includes("*")) ??
    scopes?.find((scope) => !mayIssue(scope)) ??
    scopes?.[0]
  );
}

/** Without a scope it may all that the long token may. */
function mayIssue(scope: string | undefined): boolean {
  return scope === undefined || /^(\*|tokens:(\*|write))$/.test(scope);
}
