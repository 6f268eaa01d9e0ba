import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import type { ExchangeRequest, RevokeRequest, TokenUser } from "../../src/ports/c2m.ts";
import { RetryableError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { askWhetherWorks, type Exchangeable } from "../../src/rotation/exchange.ts";

const clock = new VirtualClock();
const own = { accessToken: new Sensitive("long"), tokenId: "tok_lt", headerTokenId: undefined };

/** Asks a C2M that gives the short token these ids. */
async function asked(
  token: Partial<Exchangeable>,
  ids: { tokenId?: string; headerTokenId?: string } = { tokenId: "tok_st" },
) {
  const exchanges: ExchangeRequest[] = [];
  const revoked: RevokeRequest[] = [];
  const c2m: TokenUser = {
    issueShortTermToken: async (request) => {
      exchanges.push(request);
      const issued = {
        accessToken: new Sensitive("short"),
        tokenType: "Bearer",
        scopes: undefined,
        expiresAt: "",
        lifetimeSeconds: 900,
      };
      return { outcome: "works", token: { tokenId: undefined, headerTokenId: undefined, ...issued, ...ids } };
    },
    revokeToken: async (request) => {
      revoked.push(request);
      throw new RetryableError("rate_limited", "no");
    },
  };
  const outcome = await askWhetherWorks(c2m, { ...own, ...token }, { clock, deadline: clock.now() + 60_000 });
  expect(outcome).toBe("works");
  return { scopes: exchanges[0]?.scopes, revoked: revoked.map(({ tokenId }) => tokenId), requests: revoked };
}

/** A short token that is made to find out whether a long one works could issue tokens for minutes yet (row 22). */
describe("the short token of a proof", () => {
  it.each([
    [["tokens:write", "jobs:submit", "tokens:revoke"], ["jobs:submit"]],
    [["tokens:write", "tokens:revoke", "tokens:*"], ["tokens:revoke"]],
    [["tokens:write", "jobs:*"], ["jobs:*"]],
  ])("of one with %j is asked for with %j, and left alone", async (scopes, narrow) => {
    expect(await asked({ scopes })).toMatchObject({ scopes: narrow, revoked: [] });
  });

  it.each([
    ["tokens:write", ["tokens:write"], ["tokens:write"]],
    ["any scope", ["*"], ["*"]],
    ["any scope of tokens", ["tokens:*"], ["tokens:*"]],
    ["scopes that C2M did not tell", undefined, undefined],
    ["no scopes", [], undefined],
  ])("of one with %s is revoked, and a failure to do so harms nothing", async (_, scopes, narrow) => {
    const { requests, ...rest } = await asked({ scopes });
    expect(rest).toEqual({ scopes: narrow, revoked: ["tok_st"] });
    expect(requests[0]).toMatchObject({ bearer: own.accessToken, deadline: clock.now() + 5_000 });
  });

  it("is revoked by both its ids, and never by one of the token that it was made from", async () => {
    const ids = { tokenId: "tok_st", headerTokenId: "tok_header" };
    expect((await asked({}, ids)).revoked).toEqual(["tok_st", "tok_header"]);
    expect((await asked({}, { tokenId: "tok_st", headerTokenId: "tok_lt" })).revoked).toEqual(["tok_st"]);
    expect((await asked({}, { tokenId: "tok_lt" })).revoked).toEqual([]);
    expect((await asked({ headerTokenId: "tok_header" }, ids)).revoked).toEqual(["tok_st"]);
    expect((await asked({ tokenId: undefined })).revoked).toEqual([]);
  });
});
