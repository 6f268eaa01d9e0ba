import { describe, expect, it } from "vitest";
import { decommissionLabel } from "../../src/formats/labels.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { runProveCredentials } from "../../src/rotation/steps/run-step.ts";
import { clientSecret, failureOf, scopes, World } from "../harness/rotation-world.ts";

const prove = (...worlds: World[]) => runProveCredentials(worlds.map((world) => world.context()));

describe("the proof of a client's credentials", () => {
  it("issues a token for an hour and revokes it, whatever the secret holds", async () => {
    const world = await World.ready();
    world.log.length = 0;
    const from = world.calls.calls.length;
    expect(await prove(world)).toEqual({ outcome: "proven" });
    expect(world.countCalls("c2m", from)).toEqual({ issueLongTermToken: 1, revokeToken: 1 });
    expect(world.c2mEngine.tokens.at(-1)).toMatchObject({ expiresAt: world.clock.now() + 3_600_000 });
    expect(world.live()).toEqual([world.current().token_id]);
    expect(world.events("credentials.proven")).toMatchObject([{ secret: world.arn, client_id: "c2m_client" }]);
    // The ledger knows it, should the function die in between.
    expect(world.events("token.issued")).toMatchObject([
      { token_id: expect.any(String), version_id: "proof-of-credentials" },
    ]);
  });

  it("is a step in the log, of no version", async () => {
    const world = await World.ready();
    world.log.length = 0;
    await prove(world);
    const fields = { step: "proveCredentials", secret: world.arn, version_id: "" };
    expect([...world.events("step.started"), ...world.events("step.succeeded")]).toEqual([fields, fields]);
  });

  it("has nothing to prove where no token is listed", async () => {
    expect(await prove()).toEqual({ outcome: "proven" });
  });

  it("is done once for all secrets of a client", async () => {
    const [one, other] = [await World.ready(), await World.ready({ settings: { secretName: "c2m/other" } })];
    const issued = other.issued().length;
    await prove(one, other);
    expect(other.issued()).toHaveLength(issued);
  });

  it("issues nothing in the name of a secret whose decommission was begun", async () => {
    const [one, other] = [await World.ready(), await World.ready({ settings: { secretName: "c2m/other" } })];
    one.operator.moveStage(decommissionLabel, one.holder("AWSCURRENT"));
    const issued = [one.issued().length, other.issued().length];
    await prove(one, other);
    expect([one.issued().length, other.issued().length]).toEqual([issued[0], (issued[1] ?? 0) + 1]);
    await prove(one);
    expect(one.issued()).toHaveLength(issued[0] ?? 0);
  });

  it("fails with wrong credentials, and leaves the current token alone", async () => {
    const world = await World.ready();
    const stages = world.stages();
    world.c2mEngine.registerClient({ clientId: "c2m_client", clientSecret: `${clientSecret}x`, scopes });
    expect((await failureOf(prove(world))).code).toBe("invalid_grant");
    expect(world.stages()).toEqual(stages);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("fails where the settings ask for a scope that the client does not have", async () => {
    const world = await World.ready();
    world.settings.scopes = [...scopes, "reports:read"];
    expect((await failureOf(prove(world))).code).toBe("insufficient_scope");
  });

  it("accepts a token with a shorter lifetime than an hour: it proves as much", async () => {
    const world = await World.ready({ c2mKnobs: { maximumTtlSeconds: 7_776_000 } });
    world.c2mEngine.knobs.maximumTtlSeconds = 1_800;
    expect(await prove(world)).toEqual({ outcome: "proven" });
  });

  it.each([
    ["ours", (world: World) => JSON.stringify(world.current())],
    ["plain", (world: World) => String(world.current().access_token)],
  ])(
    "refuses a secret that is about to be deployed with the token of another (%s), and names both (row 8)",
    async (_, copy) => {
      const one = await World.ready();
      const other = new World({ settings: { secretName: "c2m/other" }, initialValue: copy(one) });
      const failure = await failureOf(prove(one, other));
      expect(failure).toMatchObject({ name: "PermanentError", code: "duplicate_token" });
      expect(failure.message).toMatch(/"c2m\/api-token" and "c2m\/other" hold the same token/);
      expect(failure.message).not.toContain(String(one.current().access_token));
    },
  );

  it("tells of two that are deployed and hold the same token, and proves the credentials all the same (row 8)", async () => {
    const one = await World.ready();
    const other = new World({ settings: { secretName: "c2m/other" }, initialValue: JSON.stringify(one.current()) });
    const duplicates = [["c2m/api-token", "c2m/other"]];
    const at = expect.stringMatching(/Z$/);
    await other.enableRotation();
    expect(await prove(one, other)).toEqual({ outcome: "proven", duplicates, at });
    const retired = new World({
      settings: { ...other.settings, retire: true },
      initialValue: JSON.stringify(one.current()),
    });
    expect(await prove(one, retired)).toEqual({ outcome: "proven", duplicates, at });
    expect(one.live()).toEqual([one.current().token_id]);
  });

  it("takes an empty secret and two different ones for what they are", async () => {
    const worlds = [
      await World.ready(),
      new World({ settings: { secretName: "empty" } }),
      new World({ settings: { secretName: "text" }, initialValue: "an-old-token" }),
      new World({ settings: { secretName: "json" }, initialValue: '{"apiKey":"x"}' }),
    ];
    expect(await prove(...worlds)).toEqual({ outcome: "proven" });
  });

  it("tells a duplicate also where both are plain texts (row 8)", async () => {
    const initialValue = "an-old-token";
    const [one, other] = ["c2m/plain", "c2m/other"].map(
      (secretName) => new World({ settings: { secretName }, initialValue }),
    );
    if (!one || !other) throw new Error("Two worlds were made.");
    expect((await failureOf(prove(one, other))).message).toMatch(/"c2m\/plain" and "c2m\/other" hold the same token/);
  });

  it("tells a duplicate also where the first of the two is a plain text", async () => {
    const one = await World.ready();
    const plain = new World({
      settings: { secretName: "c2m/plain" },
      initialValue: String(one.current().access_token),
    });
    const other = new World({ settings: { secretName: "c2m/other" }, initialValue: '{"apiKey":"x"}' });
    expect((await failureOf(prove(other, plain, one))).message).toMatch(/"c2m\/plain" and "c2m\/api-token"/);
  });

  it.each([true, false])(
    "tells a duplicate in JSON of somebody's own, whichever comes first: %s (row 8)",
    async (isFirst) => {
      const one = await World.ready();
      const initialValue = JSON.stringify({ C2M_TOKEN: one.current().access_token });
      const other = new World({ settings: { secretName: "c2m/other" }, initialValue });
      expect((await failureOf(isFirst ? prove(one, other) : prove(other, one))).code).toBe("duplicate_token");
    },
  );

  it("is done for each client, and each secret of credentials", async () => {
    const one = await World.ready();
    const settings = { secretName: "c2m/other", credentialsSecretId: "c2m/other-credentials" };
    const other = await World.ready({ settings });
    await prove(one, other);
    expect([one.issued().length, other.issued().length]).toEqual([2, 2]);
    expect([one.live().length, other.live().length]).toEqual([1, 1]);
  });

  it("needs no value, and issues nothing where the token authenticates itself: its bootstrap proves it", async () => {
    const empty = new World();
    await prove(empty);
    expect([empty.issued().length, empty.live().length]).toEqual([1, 0]);
    const full = await World.ready();
    delete full.settings.credentialsSecretId;
    expect(await prove(full)).toEqual({ outcome: "proven" });
    expect(full.issued()).toHaveLength(1);
  });

  it.each([
    ["authenticate themselves", { credentialsSecretId: undefined }],
    ["have credentials of their own", { credentialsSecretId: "c2m/other-credentials" }],
    ["are of another client", { clientId: "c2m_other" }],
    ["write the base URL in another way", { baseUrl: "https://C2M.test:443/v2/" }],
  ])("tells a duplicate also among secrets that %s (row 8)", async (_, settings) => {
    const one = await World.ready();
    const copy = String(one.current().access_token);
    const other = new World({ settings: { secretName: "c2m/other" }, initialValue: copy });
    Object.assign(other.settings, settings);
    if ("credentialsSecretId" in settings) one.settings.credentialsSecretId = undefined;
    expect((await failureOf(prove(one, other))).code).toBe("duplicate_token");
  });

  it("goes on where a secret can't be read for good, and fails where it may be read later", async () => {
    const world = await World.ready();
    world.fail("GetSecretValue", "AccessDeniedException");
    expect(await prove(world)).toEqual({ outcome: "proven" });
    expect(world.issued()).toHaveLength(2);
    world.fail("GetSecretValue", "InternalServiceError", 100);
    expect(await failureOf(prove(world))).toMatchObject({ name: "RetryableError" });
    expect(world.issued()).toHaveLength(2);
  });

  describe("where C2M gives a token that it gave before", () => {
    /** C2M answers the issue call with this token. */
    async function given(seconds: number) {
      const world = await World.ready();
      const { id, text } = await world.foreignToken();
      const token = {
        accessToken: new Sensitive(text),
        tokenType: "Bearer",
        tokenId: id,
        headerTokenId: undefined,
        scopes,
        expiresAt: new Date(world.clock.now() + seconds * 1_000).toISOString(),
        lifetimeSeconds: seconds,
      };
      return { world, id, text, context: world.context({ issuer: { issueLongTermToken: async () => token } }) };
    }

    it("revokes none that lives for much longer than was asked for: it may be current", async () => {
      const { world, id, context } = await given(7_201);
      await runProveCredentials([context]);
      expect(world.live()).toContain(id);
      const other = await given(7_200);
      await runProveCredentials([other.context]);
      expect(other.world.live()).not.toContain(other.id);
    });

    it("revokes none that another secret of the client holds", async () => {
      const { world, id, text, context } = await given(3_600);
      const other = new World({ settings: { secretName: "c2m/other" }, initialValue: text });
      await runProveCredentials([context, other.context()]);
      expect(world.live()).toContain(id);
    });
  });
});
