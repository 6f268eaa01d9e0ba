import { describe, expect, it } from "vitest";
import type { VirtualClock } from "../../local-cloud/clock.ts";
import { clientId, clientSecret, clientUnderTest, issued, json, longToken } from "../harness/client-under-test.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();

describe("requests", () => {
  it("issues at /auth/tokens/long with the client id as key", async () => {
    c2m.server.script(json(201, issued));
    await clientUnderTest(`${c2m.server.url}/v2/`).call("issueLongTermToken");
    const [request] = c2m.server.requests;
    expect(request).toMatchObject({ method: "POST", path: "/v2/auth/tokens/long" });
    expect(request?.headers).toMatchObject({
      "x-client-id": clientId,
      "content-type": "application/json",
      "content-length": String(request?.body.length),
      accept: "application/json",
      "accept-encoding": "identity",
      "user-agent": expect.stringMatching(/^c2m-token-rotation\/\d/),
    });
    expect(request?.headers).not.toHaveProperty("authorization");
    expect(JSON.parse(request?.body ?? "")).toEqual({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scopes: ["jobs:submit"],
      ttl_seconds: 3600,
    });
  });

  it("exchanges at /auth/tokens/short with the long token in the header alone", async () => {
    c2m.server.script(json(201, issued));
    await clientUnderTest(`${c2m.server.url}/v2`).call("issueShortTermToken");
    const [request] = c2m.server.requests;
    expect(request).toMatchObject({ method: "POST", path: "/v2/auth/tokens/short" });
    expect(request?.headers.authorization).toBe(`Bearer ${longToken}`);
    expect(JSON.parse(request?.body ?? "")).toEqual({ scopes: ["jobs:submit"] });
  });

  it("exchanges without a body when no scopes are asked for", async () => {
    c2m.server.script(json(201, issued));
    const { client, clock } = clientUnderTest(`${c2m.server.url}/v2`);
    const exchange = await client.issueShortTermToken({
      longToken: await token(client, clock),
      deadline: clock.now() + 60_000,
    });
    expect(exchange.outcome === "works" && exchange.token.accessToken.reveal()).toBe(issued.access_token);
    const request = c2m.server.requests.at(-1);
    expect(request?.body).toBe("");
    expect(request?.headers["content-length"]).toBe("0");
    expect(request?.headers).not.toHaveProperty("content-type");
  });

  it("revokes at /auth/tokens/{id}/revoke without a body, with the id encoded", async () => {
    c2m.server.script(json(201, issued), { status: 204 });
    const { client, clock } = clientUnderTest(c2m.server.url);
    const bearer = await token(client, clock);
    await client.revokeToken({ tokenId: "tok/1 ?#%", bearer, deadline: clock.now() + 60_000 });
    const request = c2m.server.requests.at(-1);
    expect(request).toMatchObject({ method: "POST", path: "/auth/tokens/tok%2F1%20%3F%23%25/revoke", body: "" });
    expect(request?.headers.authorization).toBe(`Bearer ${issued.access_token}`);
  });

  const token = async (client: ReturnType<typeof clientUnderTest>["client"], clock: VirtualClock) => {
    const request = { scopes: [], lifetimeSeconds: 3600, deadline: clock.now() + 60_000 };
    return (await client.issueLongTermToken(request)).accessToken;
  };
});
