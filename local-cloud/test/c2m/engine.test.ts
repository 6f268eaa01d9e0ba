import { expect, test } from "vitest";
import { C2mEngine } from "../../c2m/engine.ts";
import { VirtualClock } from "../../clock.ts";
import { clientId, clientSecret, allScopes as scopes } from "./local-c2m.ts";

test("ids are never given twice, also when the random ones meet", async () => {
  const ids = ["a", "a", "b", "b", "a", "c"];
  const engine = new C2mEngine({ clock: new VirtualClock(), randomId: () => ids.shift() ?? "a" });
  engine.registerClient({ clientId, clientSecret, scopes });
  const issue = () =>
    engine.answer({
      method: "POST",
      path: "/auth/tokens/long",
      headers: { "x-client-id": clientId, "content-type": "application/json" },
      body: JSON.stringify({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
    });
  for (let call = 0; call < 3; call++) await issue();
  expect(engine.tokens.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(issue).toThrow(/must give new ones/);
});

test("an engine goes on where another left off, through JSON", async () => {
  const clock = new VirtualClock();
  const before = new C2mEngine({ clock });
  before.registerClient({ clientId, clientSecret, scopes });
  const issue = {
    method: "POST",
    path: "/auth/tokens/long",
    headers: { "x-client-id": clientId, "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
  };
  const use = async (engine: C2mEngine, token: string) =>
    (await engine.answer({ method: "GET", path: "/account", headers: { authorization: `Bearer ${token}` }, body: "" }))
      .status;
  const first = JSON.parse((await before.answer(issue)).body);
  const second = JSON.parse((await before.answer(issue)).body);
  await before.answer({
    method: "POST",
    path: `/auth/tokens/${first.token_id}/revoke`,
    headers: { authorization: `Bearer ${second.access_token}` },
    body: "",
  });
  const after = new C2mEngine({ clock, state: JSON.parse(JSON.stringify(before.save())) });
  expect([await use(after, first.access_token), await use(after, second.access_token)]).toEqual([401, 200]);
  expect((await after.answer(issue)).status).toBe(201);
});
