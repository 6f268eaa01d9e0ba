import { describe, expect, test } from "vitest";
import type { RotationStep } from "../../secrets-manager/rotation.ts";
import { accountId, functionArn, LocalAccount, operator, refusal, rotator, token } from "./local-account.ts";

const inProgress = {
  code: "InvalidRequestException",
  message: "A previous rotation isn't complete. That rotation will be reattempted.",
  status: 400,
};

/** A function that fails in a step as long as `broken` is true. */
function failingIn(account: LocalAccount, step: RotationStep) {
  const state = { broken: true };
  account.step = (event) => {
    if (state.broken && event.Step === step) throw new Error("the step fails");
    if (account.stages(event.SecretId)[event.ClientRequestToken]?.includes("AWSCURRENT")) return;
    if (event.Step === "createSecret" && hasValue(account, event.ClientRequestToken)) return;
    account.template(event);
  };
  return state;
}

function hasValue(account: LocalAccount, version: string): boolean {
  return account.engine.find("app/token")?.state.versions.get(version)?.value !== undefined;
}

describe.each(["createSecret", "setSecret", "testSecret", "finishSecret"] as const)("a failure in %s", (step) => {
  test("stops the sequence, leaves the labels and is reported by its step", async () => {
    const account = new LocalAccount();
    const arn = account.create();
    failingIn(account, step);
    account.rotate(arn, "second");
    await account.service.idle();
    expect(account.steps().at(-1)).toBe(step);
    expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSCURRENT"], [token("second")]: ["AWSPENDING"] });
    expect(account.rotationEvents()).toEqual(["RotationStarted", "RotationFailed"]);
    expect(account.eventsNamed("RotationFailed")[0]?.detail.errorMessage).toBe(
      `Error when executing lambda ${functionArn} during ${step} step`,
    );
  });

  test("is retried from createSecret with the same token", async () => {
    const account = new LocalAccount();
    const arn = account.create();
    const state = failingIn(account, step);
    account.rotate(arn, "second", { days: 1 });
    await account.service.idle();
    state.broken = false;
    account.invocations.length = 0;
    await account.clock.advanceTo("2026-02-04T01:00:00Z");
    expect(account.steps()).toEqual(["createSecret", "setSecret", "testSecret", "finishSecret"]);
    expect(new Set(account.invocations.map((event) => event.ClientRequestToken))).toEqual(new Set([token("second")]));
    expect(account.stages(arn)[token("second")]).toEqual(["AWSCURRENT"]);
  });

  test("leaves LastRotatedDate and NextRotationDate as they were", async () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.rotate(arn, "second", { days: 1 });
    await account.service.idle();
    failingIn(account, step);
    const before = account.engine.describeSecret({ SecretId: arn });
    await account.clock.advanceTo("2026-02-06T12:00:00Z");
    const after = account.engine.describeSecret({ SecretId: arn });
    expect(account.eventsNamed("RotationFailed").length).toBeGreaterThan(0);
    expect(after.LastRotatedDate).toBe(before.LastRotatedDate);
    expect(after.NextRotationDate).toBe(before.NextRotationDate);
  });
});

test("retries come as often as the knob says while the window is open, and no more", async () => {
  const account = new LocalAccount({ retry: { everyMs: 3_600_000, maxAttempts: 3 } });
  const arn = account.create();
  account.rotate(arn, "test", { RotateImmediately: false, days: 1 });
  await account.service.idle();
  failingIn(account, "setSecret");
  await account.clock.advanceTo("2026-02-04T23:59:00Z");
  expect(account.eventsNamed("RotationStarted").map((event) => event.time)).toEqual([
    "2026-02-04T00:00:00Z",
    "2026-02-04T01:00:00Z",
    "2026-02-04T02:00:00Z",
  ]);
});

test("a retry that would come after the window's end waits for the next window", async () => {
  const account = new LocalAccount({ retry: { everyMs: 3_600_000, maxAttempts: Number.POSITIVE_INFINITY } });
  const arn = account.create();
  account.engine.rotateSecret({
    SecretId: arn,
    ClientRequestToken: token("test"),
    RotationLambdaARN: functionArn,
    RotationRules: { ScheduleExpression: "rate(12 hours)", Duration: "2h" },
    RotateImmediately: false,
  });
  await account.service.idle();
  failingIn(account, "setSecret");
  await account.clock.advanceTo("2026-02-04T13:30:00Z");
  expect(account.eventsNamed("RotationStarted").map((event) => event.time)).toEqual([
    "2026-02-04T00:00:00Z",
    "2026-02-04T01:00:00Z",
    "2026-02-04T12:00:00Z",
    "2026-02-04T13:00:00Z",
  ]);
  expect(new Set(account.invocations.slice(1).map((event) => event.ClientRequestToken)).size).toBe(1);
});

test("with manual retries a failed rotation waits for the next window", async () => {
  const account = new LocalAccount({ retry: "manual" });
  const arn = account.create();
  account.rotate(arn, "test", { RotateImmediately: false, days: 1 });
  await account.service.idle();
  failingIn(account, "setSecret");
  await account.clock.advanceTo("2026-02-05T23:00:00Z");
  expect(account.eventsNamed("RotationStarted").map((event) => event.time)).toEqual([
    "2026-02-04T00:00:00Z",
    "2026-02-05T00:00:00Z",
  ]);
});

test("RotateSecret while a rotation is unfinished is refused, and tries that one again", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  const state = failingIn(account, "testSecret");
  account.rotate(arn, "second");
  await account.service.idle();
  state.broken = false;
  expect(refusal(() => account.rotate(arn, "third"))).toEqual(inProgress);
  await account.service.idle();
  expect(account.stages(arn)[token("second")]).toEqual(["AWSCURRENT"]);
  expect(account.engine.find(arn)?.state.versions.has(token("third"))).toBe(false);
});

test("RotateSecret while a step is running is refused and starts nothing", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second");
  expect(refusal(() => account.rotate(arn, "third"))).toEqual(inProgress);
  await account.service.idle();
  expect(account.steps()).toHaveLength(4);
});

test.each([
  [true, "2026-02-11T23:59:59Z"],
  [false, "2026-02-04T23:59:59Z"],
])("the rules of a refused RotateSecret are stored: %s", async (refusedRotateStoresRules, next) => {
  const account = new LocalAccount({ refusedRotateStoresRules, refusedRotateRetries: false });
  const arn = account.create();
  failingIn(account, "testSecret");
  account.rotate(arn, "second", { days: 1 });
  await account.service.idle();
  expect(refusal(() => account.rotate(arn, "third", { days: 8 })).code).toBe("InvalidRequestException");
  const { NextRotationDate = 0 } = account.engine.describeSecret({ SecretId: arn });
  expect(new Date(NextRotationDate * 1000)).toEqual(new Date(next));
  expect(account.eventsNamed("RotationStarted")).toHaveLength(1);
});

test("the in-progress message may come with the other apostrophe", () => {
  const account = new LocalAccount({ apostrophe: "’" });
  const arn = account.create();
  account.rotate(arn, "second");
  expect(refusal(() => account.rotate(arn, "third")).message).toBe(
    "A previous rotation isn’t complete. That rotation will be reattempted.",
  );
});

test("with AWSPENDING detached by hand, a new rotation can start", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  const state = failingIn(account, "testSecret");
  account.rotate(arn, "second");
  await account.service.idle();
  state.broken = false;
  account.engine.updateSecretVersionStage({
    SecretId: arn,
    VersionStage: "AWSPENDING",
    RemoveFromVersionId: token("second"),
  });
  account.rotate(arn, "third");
  await account.service.idle();
  expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSPREVIOUS"], [token("third")]: ["AWSCURRENT"] });
});

test("with AWSPENDING detached by hand, nothing is tried again", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "test", { RotateImmediately: false, days: 2 });
  await account.service.idle();
  failingIn(account, "testSecret");
  await account.clock.advanceTo("2026-02-05T00:30:00Z");
  const [VersionId] = Object.entries(account.stages(arn)).find(([, stages]) => stages.includes("AWSPENDING")) ?? [];
  account.engine.updateSecretVersionStage({
    SecretId: arn,
    VersionStage: "AWSPENDING",
    RemoveFromVersionId: String(VersionId),
  });
  await account.clock.advanceTo("2026-02-05T23:30:00Z");
  expect(account.eventsNamed("RotationStarted")).toHaveLength(1);
});

test.each([
  ["PutSecretValue", (account: LocalAccount, arn: string) => account.put(arn, "manual", "by hand")],
  [
    "UpdateSecret",
    (account: LocalAccount, arn: string) =>
      account.engine.updateSecret(
        { SecretId: arn, ClientRequestToken: token("manual"), SecretString: "by hand" },
        operator,
      ),
  ],
] as const)("%s during a rotation takes AWSPENDING away and abandons the rotation", async (_, store) => {
  const account = new LocalAccount();
  const arn = account.create();
  account.step = (event) => {
    account.template(event);
    if (event.Step === "createSecret") store(account, arn);
  };
  account.rotate(arn, "second", { days: 1 });
  await account.service.idle();
  expect(account.steps()).toEqual(["createSecret"]);
  expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSPREVIOUS"], [token("manual")]: ["AWSCURRENT"] });
  expect(account.rotationEvents()).toEqual(["RotationStarted", "RotationAbandoned"]);
});

test.each([
  [true, ["RotationStarted", "RotationAbandoned"]],
  [false, ["RotationStarted", "RotationSucceeded"]],
])("a put with a label of one's own abandons the rotation: %s", async (customPutAbandons, events) => {
  const account = new LocalAccount({ customPutAbandons });
  const arn = account.create();
  account.step = (event) => {
    account.template(event);
    if (event.Step === "createSecret") account.put(arn, "manual", "by hand", ["MINE"]);
  };
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.rotationEvents()).toEqual(events);
});

test("a function that ends well without moving AWSCURRENT has failed", async () => {
  const account = new LocalAccount({ currentNotMovedMessage: "not moved" });
  const arn = account.create();
  account.step = (event) => (event.Step === "finishSecret" ? undefined : account.template(event));
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.eventsNamed("RotationFailed")[0]?.detail.errorMessage).toBe("not moved");
  expect(account.engine.describeSecret({ SecretId: arn }).LastRotatedDate).toBeUndefined();
});

test.each([
  ["after-createSecret", ["createSecret"]],
  ["after-finishSecret", ["createSecret", "setSecret", "testSecret", "finishSecret"]],
] as const)("a pending version that somebody else stored fails the rotation, %s", async (creatorCheck, steps) => {
  const account = new LocalAccount({ creatorCheck });
  const arn = account.create();
  account.step = (event) => {
    if (event.Step === "createSecret") account.put(arn, "second", "not by the function", ["AWSPENDING"]);
    else account.template(event);
  };
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.steps()).toEqual(steps);
  expect(account.eventsNamed("RotationFailed")[0]?.detail.errorMessage).toBe(
    `Pending secret version ${token("second")} for Secret ${arn} was not created by Lambda ${functionArn}. Remove the AWSPENDING staging label and restart rotation`,
  );
});

test("a pending version that another role stored is not the function's", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  const otherRole = { ...rotator, arn: `arn:aws:sts::${accountId}:assumed-role/rotator/other-function` };
  account.step = ({ Step, ClientRequestToken }) => {
    if (Step !== "createSecret") return;
    const input = { SecretId: arn, ClientRequestToken, SecretString: "two", VersionStages: ["AWSPENDING"] };
    account.engine.putSecretValue(input, otherRole);
  };
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.eventsNamed("RotationFailed")[0]?.detail.errorMessage).toContain("was not created by Lambda");
});

test("with the RotationToken somebody else's identity may store the pending version", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.step = (event) => {
    if (event.Step !== "createSecret") return account.template(event);
    const { ClientRequestToken, RotationToken } = event;
    account.engine.putSecretValue(
      { SecretId: arn, ClientRequestToken, SecretString: "two", VersionStages: ["AWSPENDING"], RotationToken },
      operator,
    );
  };
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.rotationEvents()).toEqual(["RotationStarted", "RotationSucceeded"]);
});
