import { describe, expect, it } from "vitest";
import { type EndOfLife, endTokens, mostEffectMs } from "../../cli/acting/end-of-life.ts";
import { unmarkDecommissioned } from "../../src/rotation/decommissioned.ts";
import { answering, day, endOf, storeAnother, twoTokens, watchedEnd } from "../harness/end-of-life.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

describe("the rotation", () => {
  it("is switched off, and waited for until no step can be at work and the log tells of all, once", async () => {
    const world = await World.ready();
    const [token] = world.live();
    const waits: number[] = [];
    const begins = world.clock.now();
    const wait: EndOfLife["wait"] = async (moment, what) => {
      waits.push(moment - begins);
      expect(what).toBe("step");
      expect(world.live()).toEqual([token]);
      expect((await world.store.describe(world.arn)).rotationEnabled).toBe(false);
      await endOf(world).wait(moment, what);
    };
    await endTokens({ ...endOf(world), wait });
    expect(waits).toEqual([120_000 + 15 * 60_000]);
    await world.clock.advanceBy(day);
    await endTokens({ ...endOf(world), wait });
    expect(waits).toHaveLength(1);
  });

  it("that is switched on meanwhile ends it before anything is revoked", async () => {
    const world = await World.ready();
    const end = endOf(world);
    const wait: EndOfLife["wait"] = async (moment, what) => {
      await end.wait(moment, what);
      await world.enableRotation();
    };
    const error = await failureOf(endTokens({ ...end, wait }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(error.message).toContain("switched on again");
    expect(world.live()).toHaveLength(1);
  });

  it("that goes on to issue is told, and the current token is not touched", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    await world.rotate();
    await world.clock.advanceBy(20 * 60_000);
    const again: string[] = [];
    // Somebody stores another one for each that is revoked.
    const onRevoked = () => void again.push(storeAnother(world, `tok_again_${again.length}`, ["ANY"]));
    const error = await failureOf(endTokens({ ...endOf(world), onRevoked }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(error.message).toContain("somebody still issues some");
    expect(again).toHaveLength(3);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it.each<[string, (world: World) => unknown]>([
    ["another token is stored", (world) => storeAnother(world, "tok_again", ["ANY"])],
    ["another token is current", (world) => storeAnother(world, "tok_again", ["AWSCURRENT"])],
    [
      "rotation is switched on",
      (world) => world.engine.rotateSecret({ SecretId: world.arn, ClientRequestToken: crypto.randomUUID() }),
    ],
  ])("is looked at once more at the end: where %s, nothing is called done", async (_, act) => {
    const world = await World.ready();
    await world.clock.advanceBy(20 * 60_000);
    const error = await failureOf(endTokens({ ...endOf(world), onRevoked: () => void act(world) }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    await world.engine.idle();
  });
});

it("that is broken off while it waits has revoked nothing", async () => {
  const world = await World.ready();
  const broken = new AbortController();
  const end = { ...endOf(world), signal: broken.signal, wait: async () => broken.abort(new Error("broken off")) };
  await expect(endTokens(end)).rejects.toThrow("broken off");
  expect(world.live()).toHaveLength(1);
});

it.each([1, 2])(
  "that is broken off between two tokens, %i of them superseded, has revoked the first",
  async (rotations) => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    for (let count = 0; count < rotations; count += 1) await world.rotate();
    const broken = new AbortController();
    const end = { ...endOf(world), signal: broken.signal, onRevoked: () => broken.abort(new Error("broken off")) };
    await expect(endTokens(end)).rejects.toThrow("broken off");
    expect(world.live()).toHaveLength(rotations);
    expect(world.live()).toContain(world.current().token_id);
  },
);

describe("the rotation that is off", () => {
  it("is not switched off again, and is waited for where nobody has marked the secret before", async () => {
    const world = await World.ready();
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    await world.clock.advanceBy(day);
    const cancelRotation = () => Promise.reject(new Error("It is off."));
    expect(await watchedEnd(world, { aws: { cancelRotation } })).toMatchObject({ ended: [], waits: ["step 17 min"] });
  });

  it("whose mark is taken off meanwhile ends it before anything is revoked", async () => {
    const world = await World.ready();
    const end = endOf(world);
    const wait: EndOfLife["wait"] = async (moment, why) => {
      await end.wait(moment, why);
      await unmarkDecommissioned(world, await world.store.describe(world.arn));
    };
    const error = await failureOf(endTokens({ ...end, wait }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(error.message).toContain("cancelled the decommission");
    expect(world.live()).toHaveLength(1);
  });
});

it("that is broken off before it waits does not wait", async () => {
  const world = await World.ready();
  const waits: number[] = [];
  const wait = async (moment: number) => void waits.push(moment);
  const end = { ...endOf(world), signal: AbortSignal.abort(new Error("broken off")), wait };
  await expect(endTokens(end)).rejects.toThrow("broken off");
  expect(waits).toEqual([]);
});

it("that is broken off while it waits for an effect calls nothing revoked", async () => {
  const world = await World.ready();
  const id = String(world.current().token_id);
  answering(world, { [id]: "claimed" });
  const [broken, revoked]: [AbortController, string[]] = [new AbortController(), []];
  const end = endOf(world, revoked);
  const wait: EndOfLife["wait"] = async (moment, why) => {
    await end.wait(moment, why);
    world.operator.revokeByHand(id);
    if (why === "effect") broken.abort(new Error("broken off"));
  };
  await expect(endTokens({ ...end, signal: broken.signal, wait })).rejects.toThrow("broken off");
  expect(revoked).toEqual([]);
});

it("waits for effects no longer than it says", async () => {
  const { world, firstId, currentId } = await twoTokens();
  const ids = [firstId, "tok_of_somebody", currentId];
  answering(world, Object.fromEntries(ids.map((id) => [id, "claimed"])));
  for (const id of [firstId, currentId]) world.operator.revokeByHand(id);
  const onRevoked = (id: string) => {
    if (id === firstId) storeAnother(world, "tok_of_somebody", ["ANY"]);
  };
  const { waits } = await watchedEnd(world, { onRevoked });
  expect(waits).toEqual(["step 17 min", "effect 5 min", "effect 5 min", "effect 5 min"]);
  expect(mostEffectMs).toBeGreaterThanOrEqual(15 * 60_000);
  expect(mostEffectMs).toBeLessThan(3_600_000);
});
