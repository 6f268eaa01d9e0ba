import { expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { createBearerClient } from "../../src/c2m/bearer-client.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientId, errorOf, issued, json, longToken, now } from "../harness/client-under-test.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();
const client = () => createBearerClient({ baseUrl: c2m.server.url, clientId, clock: new VirtualClock(now) });
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

it("a client with tokens alone issues none, and asks C2M for none", async () => {
  const issue = client().issueLongTermToken({ scopes: ["jobs:submit"], ttlSeconds: 3_600, current: token, deadline });
  expect(await errorOf(issue)).toMatchObject({ name: "PermanentError", code: "issue_forbidden" });
  expect(c2m.server.requests).toEqual([]);
});
