import { afterEach, describe, expect, it } from "vitest";
import { limitsOf } from "../harness/limits.ts";
import { Fleet, throttled } from "../harness/rotation-fleet.ts";

describe("a fleet", () => {
  let fleet: Fleet;
  afterEach(() => fleet.stop());

  it("rotates every secret in its window, revokes what was superseded, and never has a dead token", async () => {
    fleet = new Fleet({ secrets: 5, schedule: "rate(10 days)" });
    await fleet.deploy();
    for (let day = 1; day <= 32; day += 1) await fleet.passDay();
    expect(fleet.rotations()).toEqual({ succeeded: 15, failed: 0 });
    expect(fleet.calls.total("c2m", "issueLongTermToken")).toBe(15);
    expect(fleet.calls.total("c2m", "revokeToken")).toBe(15);
    expect(fleet.outages()).toEqual([]);
    expect(fleet.c2mEngine.liveLongTokens()).toHaveLength(5);
  });

  it("spreads the rotations of a day over the day", async () => {
    fleet = new Fleet({ secrets: 20, schedule: "rate(10 days)" });
    await fleet.deploy();
    for (let day = 1; day <= 11; day += 1) await fleet.passDay();
    const issued = fleet.c2mEngine.liveLongTokens().map(({ issuedAt }) => new Date(issuedAt).getUTCHours());
    expect(new Set(issued).size).toBeGreaterThan(8);
  });

  it("gets through a limit of 2 calls a minute without an outage, however often it is told to wait", async () => {
    fleet = new Fleet({ secrets: 20, schedule: "rate(10 days)", limitPerMinute: 2 });
    await fleet.deploy();
    for (let day = 1; day <= 12; day += 1) await fleet.passDay();
    expect(fleet.calls.limited).toBeGreaterThan(0);
    expect(fleet.rotations().succeeded).toBe(20);
    expect(fleet.outages()).toEqual([]);
  });

  it("that starts all at once has steps refused by a small account, and gets through; each on its own day, none", async () => {
    const account = { secrets: 12, concurrency: 4, startsAtOnce: true };
    fleet = new Fleet({ ...account, schedule: "cron(0 0 2 * ? *)" });
    await fleet.deploy();
    for (let day = 1; day <= 2; day += 1) await fleet.passDay();
    expect(fleet.mostAtOnce).toBe(4);
    expect(fleet.failures.get(throttled)).toBeGreaterThan(0);
    expect(fleet.notRotated()).toEqual([]);
    fleet.stop();
    fleet = new Fleet({ ...account, schedule: (name) => `cron(0 0 ${2 + Number(name.split("-")[1])} * ? *)` });
    await fleet.deploy();
    for (let day = 1; day <= 14; day += 1) await fleet.passDay();
    expect(fleet.mostAtOnce).toBe(1);
    expect(fleet.failures.size).toBe(0);
    expect(fleet.notRotated()).toEqual([]);
  });

  it("of a hundred secrets is looked at in one run, with one call each where nothing has happened, and within the budget", async () => {
    fleet = new Fleet({ secrets: 100 });
    await fleet.deploy();
    await fleet.passDay();
    const { run } = await fleet.reconcileAll();
    expect(run).toMatchObject({ secrets: 100, failed: 0 });
    expect(run.c2mCalls).toBeLessThanOrEqual(100);
    // Those whose hour of proof it is are read.
    expect(run.secretsManagerCalls).toBeGreaterThanOrEqual(100);
    expect(run.secretsManagerCalls).toBeLessThanOrEqual(120);
  });
});

describe("the limits of a fleet", () => {
  it("come soonest first, and grow with what is allowed", () => {
    const limits = limitsOf({ limitPerMinute: 10, rotationsPerYear: 12, budget: 100 });
    const sizes = limits.map(({ secrets }) => secrets);
    expect(sizes).toEqual(sizes.toSorted((one, other) => one - other));
    const wider = limitsOf({ limitPerMinute: 20, rotationsPerYear: 12, budget: 200 });
    for (const [index, { secrets }] of wider.entries()) expect(secrets).toBeGreaterThanOrEqual(sizes[index] ?? 0);
  });
});
