import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientSecret, currentToken, hour, logGroup, secretName } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

// Each of these goes on where the one before it ended.
describe("a stack's life under the Pulumi engine", () => {
  let engine: EngineStack;
  let created: number;

  beforeAll(async () => {
    engine = await EngineStack.create({ config: { "tokens[0].schedule": "rate(4 hours)" } });
  });
  afterAll(() => engine.stop());

  const secretsManager = () => engine.cloud.secretsManager.engine;
  const tokenId = () => currentToken(engine.cloud).token_id;
  const calls = () => [engine.cloud.calls.calls.length, engine.cloud.bus.events.length];
  const rotation = () => secretsManager().describeSecret({ SecretId: secretName });

  it("preview announces every resource, and makes none", async () => {
    const { create = 0, ...others } = await engine.preview();
    expect(create).toBeGreaterThan(40);
    expect(others).toEqual({});
    expect(secretsManager().listSecrets({}).SecretList).toEqual([]);
    expect(engine.cloud.c2m.tokens).toEqual([]);
    created = create;
  });

  it("up makes them and puts a working token into the secret", async () => {
    expect(await engine.up()).toEqual({ create: created });
    expect(engine.cloud.c2m.isLive(String(tokenId()))).toBe(true);
    expect(engine.cloud.c2m.liveLongTokens()).toHaveLength(1);
    expect(rotation().RotationEnabled).toBe(true);
  });

  it("a second up changes nothing: the program declares the same again", async () => {
    const before = calls();
    expect(await engine.up()).toEqual({ same: created });
    expect(calls()).toEqual(before);
  });

  it("another schedule is kept to from then on, and nothing rotates at once", async () => {
    const token = tokenId();
    await engine.configure({ "tokens[0].schedule": "rate(6 hours)" });
    await engine.up();
    expect(rotation().RotationRules?.ScheduleExpression).toBe("rate(6 hours)");
    expect(tokenId()).toBe(token);
  });

  it("after three rotations, preview sees nothing to do, and up leaves the rotated token alone", async () => {
    const first = tokenId();
    await engine.world.clock.advanceBy(19 * hour);
    const rotated = tokenId();
    expect(rotated).not.toBe(first);
    expect(engine.cloud.c2m.tokens.filter(({ kind }) => kind === "long").length).toBeGreaterThanOrEqual(4);
    expect(await engine.preview()).toEqual({ same: created });
    expect(await engine.up()).toEqual({ same: created });
    expect(tokenId()).toBe(rotated);
  });

  it("refresh after rotations finds the cloud as the state has it, and up has nothing to do", async () => {
    const rotated = tokenId();
    expect(await engine.refresh()).toEqual({ same: created });
    expect(await engine.up()).toEqual({ same: created });
    expect(tokenId()).toBe(rotated);
  });

  it("refresh notices a rotation that was turned off by hand; up turns it on, and rotates nothing at once", async () => {
    const token = tokenId();
    secretsManager().cancelRotateSecret({ SecretId: secretName });
    expect(await engine.refresh()).toEqual({ same: created - 1, update: 1 });
    expect(await engine.up()).toEqual({ same: created - 1, update: 1 });
    expect(rotation().RotationEnabled).toBe(true);
    expect(tokenId()).toBe(token);
  });

  it("keeps the client secret encrypted in the state, its history and the stack's file, and has no token there", async () => {
    const stored = engine.storedFiles();
    expect(stored).toContain("c2m/client-credentials");
    const { deployment } = await engine.stack.exportStack();
    // It is there, for who has the passphrase.
    expect(JSON.stringify(deployment)).toContain(clientSecret);
    for (const secret of engine.secrets()) {
      for (const text of [stored, engine.printed]) expect(text.includes(secret)).toBe(false);
    }
  });

  it("destroy refuses at its preview, since the token secret and the log are protected", async () => {
    const refusal = await engine.sh("pulumi destroy").catch(String);
    expect(refusal).toMatch(/api-token" cannot be deleted\s+because it is protected/);
    expect(await engine.preview()).toEqual({ same: created });
  });

  it("destroy without a preview deletes the rest; up brings it back, with the same token and the same ledger", async () => {
    const token = tokenId();
    const ledger = engine.cloud.logs.lines(logGroup);
    await expect(engine.destroy()).rejects.toThrow(/protected/);
    expect(rotation().RotationEnabled).toBe(false);
    const { create = 0 } = await engine.up();
    expect(create).toBeGreaterThan(30);
    expect(rotation().RotationEnabled).toBe(true);
    expect(tokenId()).toBe(token);
    expect(engine.cloud.c2m.isLive(String(token))).toBe(true);
    expect(engine.cloud.logs.lines(logGroup).slice(0, ledger.length)).toEqual(ledger);
  });

  it("destroy deletes everything once the protection is gone", async () => {
    await engine.configure({ protect: "false" });
    await engine.up();
    expect(await engine.destroy()).toEqual({ delete: created });
    const secrets = secretsManager().listSecrets({ IncludePlannedDeletion: true }).SecretList ?? [];
    expect(secrets.map(({ DeletedDate }) => DeletedDate === undefined)).toEqual([false, false]);
    expect((await engine.stack.exportStack()).deployment.resources ?? []).toEqual([]);
  });
});
