import { describe, expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { LocalCloud } from "../../cloud.ts";
import { clientId, clientSecret, allScopes as scopes } from "./local-c2m.ts";

async function start() {
  const cloud = await LocalCloud.start({ clock: new VirtualClock() });
  onTestFinished(() => cloud.stop());
  for (const c2m of [cloud.c2m, cloud.c2mStage]) c2m.registerClient({ clientId, clientSecret, scopes });
  const post = async (url: string, bearer?: string, body?: object) => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        ...(bearer === undefined ? { "x-client-id": clientId } : { authorization: `Bearer ${bearer}` }),
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
  };
  const issue = async (baseUrl: string) => {
    const credentials = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret };
    const { json } = await post(`${baseUrl}/auth/tokens/long`, undefined, credentials);
    return { text: String(json.access_token), id: String(json.token_id) };
  };
  return { cloud, post, issue };
}

describe("a second C2M", () => {
  test("is another path on the same host", async () => {
    const { cloud } = await start();
    const [production, stage] = [new URL(cloud.c2mUrl), new URL(cloud.c2mStageUrl)];
    expect([stage.host, production.pathname, stage.pathname]).toEqual([production.host, "/v2", "/dev"]);
  });

  test("does not know the tokens of the first, nor the first those of it", async () => {
    const { cloud, post, issue } = await start();
    const [production, stage] = [await issue(cloud.c2mUrl), await issue(cloud.c2mStageUrl)];
    for (const [own, other, { text, id }, stranger] of [
      [cloud.c2mUrl, cloud.c2mStageUrl, production, stage],
      [cloud.c2mStageUrl, cloud.c2mUrl, stage, production],
    ] as const) {
      const elsewhere = await post(`${other}/auth/tokens/short`, text);
      expect([elsewhere.status, elsewhere.json.code]).toEqual([401, "invalid_token"]);
      const revoked = await post(`${own}/auth/tokens/${stranger.id}/revoke`, text);
      expect([revoked.status, revoked.json.code]).toEqual([404, "not_found"]);
      const submitted = await post(`${other}/static`, text, {});
      expect([submitted.status, submitted.json.errorCode]).toEqual([401, "INVALID_TOKEN"]);
      expect((await post(`${own}/auth/tokens/short`, text)).status).toBe(201);
      expect((id === stranger.id || text === stranger.text) && "the same token").toBe(false);
    }
    expect(cloud.c2m.liveLongTokens()).toHaveLength(1);
    expect(cloud.c2mStage.liveLongTokens()).toHaveLength(1);
  });

  test("has no client until one is registered there", async () => {
    const cloud = await LocalCloud.start({ clock: new VirtualClock() });
    onTestFinished(() => cloud.stop());
    cloud.c2m.registerClient({ clientId, clientSecret, scopes });
    const answer = await fetch(`${cloud.c2mStageUrl}/auth/tokens/long`, {
      method: "POST",
      headers: { "x-client-id": clientId, "content-type": "application/json" },
      body: JSON.stringify({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
    });
    expect(await answer.json()).toMatchObject({ code: "invalid_grant" });
  });

  test("has knobs, faults and a name in the call log of its own", async () => {
    const { cloud, post } = await start();
    cloud.c2mStage.knobs.errorBody = "empty";
    const fault = { kind: "error", status: 503, code: "unavailable", message: "as ordered" } as const;
    cloud.faults.add({ service: "c2m-stage", fault });
    const statuses = [];
    for (const baseUrl of [cloud.c2mUrl, cloud.c2mStageUrl, cloud.c2mStageUrl]) {
      statuses.push((await post(`${baseUrl}/auth/tokens/short`, "unknown")).status);
    }
    expect(statuses).toEqual([401, 503, 401]);
    expect(cloud.calls.calls.map(({ service, error }) => [service, error])).toEqual([
      ["c2m", "invalid_token"],
      ["c2m-stage", "unavailable"],
      ["c2m-stage", "invalid_token"],
    ]);
  });

  test("goes on where it left off, through JSON", async () => {
    const { cloud, issue } = await start();
    const { id } = await issue(cloud.c2mStageUrl);
    const state = JSON.parse(JSON.stringify(cloud.save()));
    const later = await LocalCloud.start({ clock: new VirtualClock(), state });
    onTestFinished(() => later.stop());
    expect(later.c2mStage.liveLongTokens().map((token) => token.id)).toEqual([id]);
    expect(later.c2m.liveLongTokens()).toEqual([]);
  });
});
