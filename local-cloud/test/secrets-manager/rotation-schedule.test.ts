import { expect, test } from "vitest";
import type { RotationRules } from "../../schedule.ts";
import { functionArn, LocalAccount, token } from "./local-account.ts";

function started(account: LocalAccount): string[] {
  return account.eventsNamed("RotationStarted").map((event) => event.time);
}

function next(account: LocalAccount, arn: string): string | undefined {
  const { NextRotationDate } = account.engine.describeSecret({ SecretId: arn });
  return NextRotationDate === undefined ? undefined : new Date(NextRotationDate * 1000).toISOString();
}

async function schedule(account: LocalAccount, arn: string, RotationRules: RotationRules) {
  const ClientRequestToken = token("configure");
  const input = { SecretId: arn, ClientRequestToken, RotationLambdaARN: functionArn, RotationRules };
  account.engine.rotateSecret({ ...input, RotateImmediately: false });
  await account.service.idle();
}

test("NextRotationDate is the last second of the UTC day, AutomaticallyAfterDays after the rotation", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second", { days: 30 });
  await account.service.idle();
  expect(next(account, arn)).toBe("2026-03-05T23:59:59.000Z");
});

test("advancing the clock runs every due rotation to its end", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  await schedule(account, arn, { ScheduleExpression: "rate(4 hours)" });
  await account.clock.advanceTo("2026-02-04T08:00:00Z");
  expect(started(account)).toEqual([
    "2026-02-03T20:00:00Z",
    "2026-02-04T00:00:00Z",
    "2026-02-04T04:00:00Z",
    "2026-02-04T08:00:00Z",
  ]);
  expect(account.eventsNamed("RotationSucceeded")).toHaveLength(4);
  expect(next(account, arn)).toBe("2026-02-04T12:59:59.000Z");
});

test("every scheduled rotation gets a token of its own", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  await schedule(account, arn, { AutomaticallyAfterDays: 1 });
  await account.clock.advanceTo("2026-02-07T00:00:00Z");
  const tokens = account.invocations.filter((event) => event.Step === "finishSecret").map((e) => e.ClientRequestToken);
  expect(new Set(tokens).size).toBe(4);
});

test("a cron schedule starts at its hours, in UTC, and starts over every day", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  await schedule(account, arn, { ScheduleExpression: "cron(0 2/10 * * ? *)" });
  await account.clock.advanceTo("2026-02-04T12:00:00Z");
  expect(started(account)).toEqual(["2026-02-03T22:00:00Z", "2026-02-04T02:00:00Z", "2026-02-04T12:00:00Z"]);
});

test("where in its window a rotation starts is a knob", async () => {
  const account = new LocalAccount({ startWithin: (window) => window.start + 7 * 60_000 });
  const arn = account.create();
  await schedule(account, arn, { ScheduleExpression: "rate(1 day)", Duration: "2h" });
  await account.clock.advanceTo("2026-02-05T12:00:00Z");
  expect(started(account)).toEqual(["2026-02-04T00:07:00Z", "2026-02-05T00:07:00Z"]);
});

test("a value stored by hand counts as a rotation for the next date, and not for LastRotatedDate", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second", { days: 3 });
  await account.service.idle();
  const { LastRotatedDate } = account.engine.describeSecret({ SecretId: arn });
  await account.clock.advanceTo("2026-02-05T10:00:00Z");
  account.put(arn, "manual", "by hand");
  expect(next(account, arn)).toBe("2026-02-08T23:59:59.000Z");
  expect(account.engine.describeSecret({ SecretId: arn }).LastRotatedDate).toBe(LastRotatedDate);
  await account.clock.advanceTo("2026-02-07T23:59:00Z");
  expect(started(account)).toHaveLength(1);
});

test("a rotation sets LastRotatedDate, and AutomaticallyAfterDays from the expression", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  await schedule(account, arn, { ScheduleExpression: "rate(10 days)" });
  await account.service.idle();
  expect(account.engine.describeSecret({ SecretId: arn }).RotationRules).toEqual({
    ScheduleExpression: "rate(10 days)",
  });
  await account.clock.advanceTo("2026-02-13T05:00:00Z");
  const described = account.engine.describeSecret({ SecretId: arn });
  expect(described.RotationRules).toEqual({ ScheduleExpression: "rate(10 days)", AutomaticallyAfterDays: 10 });
  expect(described.LastRotatedDate).toBe(Date.parse("2026-02-13T00:00:00Z") / 1000);
});

test("what NextRotationDate shows of a window is a knob", async () => {
  const account = new LocalAccount({ nextRotationDate: "start" });
  const arn = account.create();
  await schedule(account, arn, { ScheduleExpression: "rate(10 days)" });
  expect(next(account, arn)).toBe("2026-02-13T00:00:00.000Z");
});

test("a local cloud can rotate every minute", async () => {
  const account = new LocalAccount({ rotateEveryMs: 60_000 });
  const arn = account.create();
  await schedule(account, arn, { AutomaticallyAfterDays: 30 });
  await account.clock.advanceBy(3 * 60_000);
  expect(account.eventsNamed("RotationSucceeded")).toHaveLength(3);
});

test("a deleted secret rotates no more, a restored one does again", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  await schedule(account, arn, { AutomaticallyAfterDays: 1 });
  account.engine.deleteSecret({ SecretId: arn });
  await account.clock.advanceTo("2026-02-06T12:00:00Z");
  expect(started(account)).toEqual([]);
  account.engine.restoreSecret({ SecretId: arn });
  await account.clock.advanceTo("2026-02-07T12:00:00Z");
  expect(started(account)).toEqual(["2026-02-07T00:00:00Z"]);
});

test("a rotation that takes long on the cloud's clock still ends before the clock goes on", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.step = async (event) => {
    await account.clock.sleep(60_000);
    account.template(event);
  };
  await schedule(account, arn, { AutomaticallyAfterDays: 1 });
  await account.clock.advanceTo("2026-02-04T00:00:00Z");
  expect(account.eventsNamed("RotationSucceeded").map((event) => event.time)).toEqual(["2026-02-04T00:04:00Z"]);
});

test("a window that comes while the configuration is being tested is used after the test", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.step = async (event) => {
    if (event.ClientRequestToken === token("test")) await account.clock.sleep(24 * 3_600_000);
    else account.template(event);
  };
  account.rotate(arn, "test", { RotateImmediately: false, days: 1 });
  await account.service.idle();
  expect(account.rotationEvents()).toEqual([
    "TestRotationStarted",
    "TestRotationSucceeded",
    "RotationStarted",
    "RotationSucceeded",
  ]);
});
