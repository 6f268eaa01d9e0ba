import { expect, test } from "vitest";
import { functionArn, LocalAccount, operator, token } from "./local-account.ts";

test("the function gets the full ARN, camelCase steps in order, one token for all four, and a RotationToken", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate("app/token", "second");
  await account.service.idle();
  expect(account.steps()).toEqual(["createSecret", "setSecret", "testSecret", "finishSecret"]);
  for (const event of account.invocations) {
    expect(event.SecretId).toBe(arn);
    expect(event.ClientRequestToken).toBe(token("second"));
    expect(event.RotationToken).toMatch(/^[a-zA-Z0-9-]{36,256}$/);
  }
});

test("RotateSecret answers with the new version's id before the function runs", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  const answer = account.rotate(arn, "second");
  expect(answer).toEqual({ ARN: arn, Name: "app/token", VersionId: token("second") });
  expect(account.invocations).toEqual([]);
  await account.service.idle();
  expect(account.invocations).toHaveLength(4);
});

test("before createSecret runs, the new version shows as AWSPENDING and has no value", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second");
  expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSCURRENT"], [token("second")]: ["AWSPENDING"] });
  expect(() =>
    account.engine.getSecretValue({ SecretId: arn, VersionId: token("second"), VersionStage: "AWSPENDING" }),
  ).toThrow(expect.objectContaining({ code: "ResourceNotFoundException", status: 400 }));
  await account.service.idle();
  expect(account.value(arn)).toBe(`value of ${token("second")}`);
});

test("each step starts when the one before has ended", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  const trace: string[] = [];
  account.step = async (event) => {
    trace.push(`${event.Step} starts`);
    await Promise.resolve();
    account.template(event);
    trace.push(`${event.Step} ends`);
  };
  account.rotate(arn, "second");
  await account.service.idle();
  expect(trace).toEqual(
    ["createSecret", "setSecret", "testSecret", "finishSecret"].flatMap((step) => [`${step} starts`, `${step} ends`]),
  );
});

test("tokens that are no UUIDs are taken", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  const ClientRequestToken = "terraform-20260203174223578300000001";
  account.engine.rotateSecret({ SecretId: arn, ClientRequestToken, RotationLambdaARN: functionArn });
  await account.service.idle();
  expect(account.stages(arn)[ClientRequestToken]).toEqual(["AWSCURRENT"]);
});

test.each([
  ["immediate", ["AWSCURRENT"], ["AWSCURRENT"]],
  [{ afterMs: 5000 }, ["AWSCURRENT", "AWSPENDING"], ["AWSCURRENT"]],
  ["never", ["AWSCURRENT", "AWSPENDING"], ["AWSCURRENT", "AWSPENDING"]],
] as const)("AWSPENDING after a rotation, %j", async (pendingAfterSuccess, atOnce, later) => {
  const account = new LocalAccount({ pendingAfterSuccess });
  const arn = account.create();
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.stages(arn)[token("second")]).toEqual(atOnce);
  await account.clock.advanceBy(6000);
  expect(account.stages(arn)[token("second")]).toEqual(later);
});

test("a rotation after one that left AWSPENDING beside AWSCURRENT is allowed", async () => {
  const account = new LocalAccount({ pendingAfterSuccess: "never" });
  const arn = account.create();
  account.rotate(arn, "second");
  await account.service.idle();
  account.rotate(arn, "third");
  await account.service.idle();
  expect(account.stages(arn)).toEqual({
    [token("second")]: ["AWSPREVIOUS"],
    [token("third")]: ["AWSCURRENT", "AWSPENDING"],
  });
});

test.each([
  ["once", "createSecret setSecret testSecret finishSecret"],
  ["twice", "createSecret createSecret setSecret setSecret testSecret testSecret finishSecret finishSecret"],
  ["concurrently", "createSecret createSecret setSecret setSecret testSecret testSecret finishSecret finishSecret"],
  ["late", "createSecret setSecret testSecret finishSecret createSecret setSecret testSecret finishSecret"],
] as const)("steps delivered %s", async (delivery, expected) => {
  const account = new LocalAccount({ delivery: () => delivery });
  const arn = account.create();
  let atOnce = 0;
  let most = 0;
  account.step = async (event) => {
    most = Math.max(most, ++atOnce);
    const promoted = account.stages(arn)[event.ClientRequestToken]?.includes("AWSCURRENT");
    if (!promoted) account.template(event);
    await Promise.resolve();
    atOnce -= 1;
  };
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.steps().join(" ")).toBe(expected);
  expect(most).toBe(delivery === "concurrently" ? 2 : 1);
  expect(account.stages(arn)[token("second")]).toEqual(["AWSCURRENT"]);
});

test("a rotation of a secret without a value starts with the placeholder alone", async () => {
  const account = new LocalAccount();
  const { ARN: arn } = account.engine.createSecret({ Name: "empty" }, operator);
  account.rotate(arn, "first");
  expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSPENDING"] });
  await account.service.idle();
  expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSCURRENT"] });
});
