import { describe, expect, it } from "vitest";
import type { Credentials } from "../../src/c2m/credentials.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientId, clientUnderTest, errorOf, issued, json, longToken } from "../harness/client-under-test.ts";
import type { Script } from "../harness/scripted-server.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();

const common = { client_id: clientId, scopes: ["jobs:submit"], ttl_seconds: 3600 };

describe("short tokens", () => {
  const short = { ...issued, access_token: "short.token" };
  const shortToken = {
    mechanism: "short_token" as const,
    clientId,
    longToken: new Sensitive(longToken),
  };

  it("are exchanged for the present token and issue with it, without the client's key", async () => {
    c2m.server.script(json(201, short), json(201, issued));
    const result = await clientUnderTest(c2m.server.url, { credentials: shortToken }).call("issueLongTermToken");
    expect(result).toMatchObject({ tokenId: issued.token_id });
    const [exchange, issue] = c2m.server.requests;
    expect(exchange).toMatchObject({ path: "/auth/tokens/short", body: '{"scopes":["tokens:write"]}' });
    expect(exchange?.headers.authorization).toBe(`Bearer ${longToken}`);
    expect(issue?.headers.authorization).toBe("Bearer short.token");
    expect(issue?.headers).not.toHaveProperty("x-client-id");
    expect(c2m.issueBodies()).toEqual([{ ...common, grant_type: "client_credentials" }]);
  });

  it("are revoked by their id when they have served, with the present token, and once (row 22)", async () => {
    c2m.server.script(json(201, { ...short, token_id: "tok_st_1" }), json(201, issued), { status: 204 });
    const { client, call } = clientUnderTest(c2m.server.url, { credentials: shortToken });
    await call("issueLongTermToken");
    await client.close();
    await client.close();
    expect(c2m.server.requests.map(({ path }) => path)).toEqual([
      "/auth/tokens/short",
      "/auth/tokens/long",
      "/auth/tokens/tok_st_1/revoke",
    ]);
    expect(c2m.server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${longToken}`);
  });

  it.each([
    ["both ids, where the token's own are known", ["tok_lt_1"], "tok_st_2", ["tok_st_1", "tok_st_2"]],
    [
      "the body's id alone, where the header names the token that it was asked with",
      ["tok_lt_1"],
      "tok_lt_1",
      ["tok_st_1"],
    ],
    ["the body's id alone, where that can't be told", undefined, "tok_st_2", ["tok_st_1"]],
  ])("are revoked by %s (rows 21, 22)", async (_, longTokenIds, header, revoked) => {
    const exchange = json(201, { ...short, token_id: "tok_st_1" }, { "x-token-id": header });
    c2m.server.script(exchange, json(201, issued), json(401, { code: "invalid_token" }), { status: 204 });
    const credentials = { ...shortToken, ...(longTokenIds ? { longTokenIds } : {}) };
    const { client, call } = clientUnderTest(c2m.server.url, { credentials });
    await call("issueLongTermToken");
    await client.close();
    expect(c2m.server.requests.slice(2).map(({ path }) => path)).toEqual(
      revoked.map((id) => `/auth/tokens/${id}/revoke`),
    );
  });

  it("are revoked also after an issue call that failed, and a failure to revoke them harms nothing (row 22)", async () => {
    c2m.server.script(
      json(201, { ...short, token_id: "tok_st_1" }),
      json(400, { code: "invalid_scope" }),
      json(400, {}),
    );
    const { client, call } = clientUnderTest(c2m.server.url, { credentials: shortToken });
    expect(await errorOf(call("issueLongTermToken"))).toMatchObject({ code: "invalid_scope" });
    await client.close();
    expect(c2m.server.requests.at(-1)?.path).toBe("/auth/tokens/tok_st_1/revoke");
  });

  it("go with the grant type that is set", async () => {
    const credentials: Credentials = { ...shortToken, grantType: "short_token" };
    await clientUnderTest(c2m.server.url, { credentials }).call("issueLongTermToken");
    expect(c2m.issueBodies()).toEqual([{ ...common, grant_type: "short_token" }]);
  });

  it.each([400, 401, 403])("that are refused with %i name what there is: no credentials secret", async (status) => {
    c2m.server.script(json(201, short), json(status, { code: "invalid_client" }));
    const error = await errorOf(
      clientUnderTest(c2m.server.url, { credentials: shortToken }).call("issueLongTermToken"),
    );
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_client" });
    expect(error.message).toContain("tokens:write");
    expect(error.message).not.toContain("credentials secret");
    expect(c2m.server.requests.slice(1).map(({ headers }) => headers["x-client-id"])).toEqual([undefined, clientId]);
  });

  it.each<[string, Script[], string]>([
    ["answered 503", [{ status: 503 }], "server_error"],
    ["not answered", ["reset"], "no_answer"],
    ["answered 503 at the second try, with the client's key", [json(401, {}), { status: 503 }], "server_error"],
    ["not answered at the second try", [json(401, {}), "reset"], "no_answer"],
  ])("may have issued where the call is %s: it is not repeated", async (_, scripts, code) => {
    c2m.server.script(json(201, short), ...scripts, json(201, issued));
    const error = await errorOf(
      clientUnderTest(c2m.server.url, { credentials: shortToken }).call("issueLongTermToken"),
    );
    expect(error).toMatchObject({ name: "AmbiguousError", code });
    expect(error.message).toMatch(/^issueLongTermToken: /);
    expect(c2m.issueBodies()).toHaveLength(scripts.length);
  });

  it("are exchanged once for all attempts", async () => {
    c2m.server.script(json(201, short), json(429, {}), json(201, issued));
    await clientUnderTest(c2m.server.url, { credentials: shortToken }).call("issueLongTermToken");
    expect(c2m.server.requests.map(({ path }) => path)).toEqual([
      "/auth/tokens/short",
      "/auth/tokens/long",
      "/auth/tokens/long",
    ]);
  });

  it("need a present token", async () => {
    const { client, clock } = clientUnderTest(c2m.server.url, {
      credentials: { ...shortToken, longToken: undefined },
    });
    const deadline = clock.now() + 60_000;
    const error = await errorOf(client.issueLongTermToken({ scopes: [], lifetimeSeconds: 3600, deadline }));
    expect(error).toMatchObject({ name: "PermanentError", code: "current_token_missing" });
    expect(error.message).toMatch(/at AWSCURRENT\. Supply a first token again/);
    expect(c2m.server.requests).toHaveLength(0);
  });

  it("need a live one: the error says that a person must supply it", async () => {
    c2m.server.script(json(401, { code: "invalid_token" }));
    const error = await errorOf(
      clientUnderTest(c2m.server.url, { credentials: shortToken }).call("issueLongTermToken"),
    );
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_token" });
    expect(error.message).toMatch(/^issueShortTermToken: .*Supply a first token again/);
    expect(c2m.server.requests).toHaveLength(1);
  });

  it.each([
    [json(403, { code: "insufficient_scope" }), "insufficient_scope"],
    [json(503, {}), "server_error"],
  ])("pass on another failure of the exchange as it is", async (script, code) => {
    c2m.server.script(script);
    const error = await errorOf(
      clientUnderTest(c2m.server.url, { credentials: shortToken }).call("issueLongTermToken"),
    );
    expect(error).toMatchObject({ code });
    expect(error.name).not.toBe("AmbiguousError");
    expect(error.message).not.toContain("Supply a first token");
  });
});
