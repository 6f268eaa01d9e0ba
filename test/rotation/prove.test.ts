import { describe, expect, it } from "vitest";
import { parseValue } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { proveToken } from "../../src/rotation/prove.ts";
import { createSecret } from "../../src/rotation/steps/create-secret.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

/** The token at AWSCURRENT. */
function currentToken(world: World) {
  const parsed = parseValue(new Sensitive(JSON.stringify(world.current())));
  if (parsed.kind !== "ours") throw new Error("The current value is not ours.");
  return parsed.token;
}

describe("a young token that C2M rejects", () => {
  it.each([
    ["once more where there is time for it", 9_000, 7_000],
    ["no more where there is none", 8_999, 3_000],
  ])("is tried %s", async (_, time, waited) => {
    const world = await World.ready();
    world.operator.revokeByHand(String(world.current().token_id));
    const from = world.clock.now();
    const context = world.context({ deadline: from + 5_000 + time });
    const failure = await failureOf(proveToken(context, currentToken(world), 5_000));
    expect(failure).toMatchObject({ name: "PermanentError", code: "invalid_token" });
    expect(failure.message).toMatch(/C2M does not know the token, which was issued only minutes ago/);
    expect(world.clock.now() - from).toBe(waited);
  });

  it("need not have been rejected by C2M: the message says so", async () => {
    const world = await World.ready();
    world.fail("issueShortTermToken", { kind: "garble", status: 401, body: "<html>" }, Number.POSITIVE_INFINITY);
    const failure = await failureOf(proveToken(world.context(), currentToken(world), 0));
    expect(failure).toMatchObject({ name: "PermanentError", code: "unauthorized" });
    expect(failure.message).toMatch(/HTTP 401, and C2M or a gateway before it does not say why/);
  });
});

describe("a lifetime that is shorter than was asked for", () => {
  /** C2M answers the issue call with a token that ends so long from now, and does not say how long it lives. */
  async function issuedFor(seconds: number) {
    const world = await World.ready({ settings: { lifetimeSeconds: 7_200 } });
    const version = await world.open();
    const { issueLongTermToken } = world.c2m;
    const issuer = {
      issueLongTermToken: async (request: Parameters<typeof issueLongTermToken>[0]) => ({
        ...(await issueLongTermToken(request)),
        lifetimeSeconds: undefined,
        expiresAt: new Date(world.clock.now() + seconds * 1_000).toISOString(),
      }),
    };
    await createSecret(world.context({ issuer }), { versionId: version, rotationToken: undefined }).catch(
      () => undefined,
    );
    return world.events("token.lifetime.clamped").map(({ granted_seconds }) => granted_seconds);
  }

  it("is told by the expiry where C2M does not say it, less what clocks may differ", async () => {
    expect(await issuedFor(6_600)).toEqual([]);
    expect(await issuedFor(6_599)).toEqual([6_599]);
  });

  /** The current token lives for 60 days, the next one for an hour. */
  async function clamped() {
    const world = await World.ready({ knobs: { retry: "manual" } });
    const version = await world.open();
    world.c2mEngine.knobs.maximumTtlSeconds = 3_600;
    return { world, version };
  }

  it("is refused while the current token works, with whose help the new one is revoked", async () => {
    const { world, version } = await clamped();
    expect((await failureOf(world.run("createSecret", version))).code).toBe("lifetime_clamped");
    const revocation = world.calls.calls.findLast(({ operation }) => operation === "revokeToken");
    expect(revocation?.caller).toBe(world.current().token_id);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("is taken where C2M does not say whether the current token works", async () => {
    const { world, version } = await clamped();
    world.fail("issueShortTermToken", { kind: "cut", when: "before" }, Number.POSITIVE_INFINITY);
    await world.run("createSecret", version);
    expect(world.value(version)).toMatchObject({ expires_at: expect.stringContaining("2026-01-01T01:") });
  });

  it("hides no fault of the program", async () => {
    const { world, version } = await clamped();
    const broken = { ...world.c2m, issueShortTermToken: () => Promise.reject(new TypeError("a bug")) };
    const target = { versionId: version, rotationToken: undefined };
    await expect(createSecret(world.context({ c2mAt: () => broken }), target)).rejects.toThrow(TypeError);
  });
});

describe("a token that has to die at once", () => {
  const bearerOf = (world: World) => world.calls.calls.findLast(({ operation }) => operation === "revokeToken")?.caller;

  it("is revoked with the current one where it lacks scopes: its own might be missing", async () => {
    const world = await World.ready();
    const version = await world.open();
    const { issueLongTermToken } = world.c2m;
    const issuer = {
      issueLongTermToken: async (request: Parameters<typeof issueLongTermToken>[0]) => ({
        ...(await issueLongTermToken(request)),
        scopes: ["jobs:submit"],
      }),
    };
    const run = createSecret(world.context({ issuer }), { versionId: version, rotationToken: undefined });
    expect((await failureOf(run)).code).toBe("scopes_missing");
    expect(bearerOf(world)).toBe(world.current().token_id);
  });

  it("is revoked with the current one where the store refuses it, or has another one", async () => {
    const refused = await World.ready();
    const version = await refused.open();
    refused.fail("PutSecretValue", "AccessDeniedException");
    await failureOf(refused.run("createSecret", version));
    expect(bearerOf(refused)).toBe(refused.current().token_id);
    const overtaken = await World.ready();
    const other = await overtaken.open();
    await Promise.all([overtaken.run("createSecret", other), overtaken.run("createSecret", other)]);
    expect(bearerOf(overtaken)).toBe(overtaken.current().token_id);
  });
});
