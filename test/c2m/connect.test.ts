import { expect, expectTypeOf, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { connectTokenUser } from "../../src/c2m/connect.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { issued, json, longToken, now } from "../harness/client-under-test.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();
const client = () => connectTokenUser({ baseUrl: c2m.server.url, clock: new VirtualClock(now) });
const token = new Sensitive(longToken);
const deadline = Date.parse(now) + 60_000;

it("a client with tokens alone exchanges them and revokes", async () => {
  c2m.server.script(json(201, issued), { status: 204 });
  await client().issueShortTermToken({ longToken: token, deadline });
  await client().revokeToken({ tokenId: "tok_lt_b8e0aa", bearer: token, deadline });
  expect(c2m.server.requests.map(({ method, path }) => [method, path])).toEqual([
    ["POST", "/auth/tokens/short"],
    ["POST", "/auth/tokens/tok_lt_b8e0aa/revoke"],
  ]);
});

it("a client with tokens alone can't issue: it has no such method", () => {
  expect(client()).not.toHaveProperty("issueLongTermToken");
  expectTypeOf(client()).toEqualTypeOf<TokenUser>();
});
