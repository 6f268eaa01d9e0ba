import { describe, expect, test } from "vitest";
import { LocalAccount, refusal, token } from "./local-account.ts";

function withPending(knobs = {}) {
  const account = new LocalAccount(knobs);
  const arn = account.create();
  account.put(arn, "second", "two", ["AWSPENDING"]);
  const move = (VersionStage: string, to?: string, from?: string) =>
    account.engine.updateSecretVersionStage({
      SecretId: arn,
      VersionStage,
      ...(to === undefined ? {} : { MoveToVersionId: token(to) }),
      ...(from === undefined ? {} : { RemoveFromVersionId: token(from) }),
    });
  return { account, arn, move };
}

describe("UpdateSecretVersionStage", () => {
  test("moving AWSCURRENT moves AWSPREVIOUS by itself and leaves AWSPENDING", () => {
    const { account, arn, move } = withPending();
    expect(move("AWSCURRENT", "second", "first")).toEqual({ ARN: arn, Name: "app/token" });
    expect(account.stages(arn)).toEqual({
      [token("first")]: ["AWSPREVIOUS"],
      [token("second")]: ["AWSCURRENT", "AWSPENDING"],
    });
  });

  test("moving AWSCURRENT back to the previous version swaps the two", () => {
    const { account, arn, move } = withPending();
    move("AWSCURRENT", "second", "first");
    move("AWSCURRENT", "first", "second");
    expect(account.stages(arn)).toEqual({
      [token("first")]: ["AWSCURRENT"],
      [token("second")]: ["AWSPENDING", "AWSPREVIOUS"],
    });
  });

  test("moving AWSCURRENT without RemoveFromVersionId names the version that has it", () => {
    const { move } = withPending();
    expect(refusal(() => move("AWSCURRENT", "second"))).toEqual({
      code: "InvalidParameterException",
      message: `The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version ${token("first")}, so you must explicitly reference that version in RemoveFromVersionId.`,
      status: 400,
    });
  });

  test("to where the label already is needs no RemoveFromVersionId and changes nothing", () => {
    const { account, arn, move } = withPending();
    move("AWSCURRENT", "first");
    expect(account.stages(arn)[token("first")]).toEqual(["AWSCURRENT"]);
  });

  test("with RemoveFromVersionId alone detaches", () => {
    const { account, arn, move } = withPending();
    move("AWSPENDING", undefined, "second");
    expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSCURRENT"] });
  });

  test("attaches a label that nobody has", () => {
    const { account, arn, move } = withPending();
    move("MINE", "first");
    expect(account.stages(arn)[token("first")]).toEqual(["AWSCURRENT", "MINE"]);
  });

  test.each([
    ["a RemoveFromVersionId that has not the label", "AWSCURRENT", "first", "second", "InvalidParameterException"],
    ["a MoveToVersionId that is not there", "AWSCURRENT", "nowhere", "first", "ResourceNotFoundException"],
    ["AWSCURRENT to nowhere", "AWSCURRENT", undefined, "first", "InvalidParameterException"],
    ["neither version", "MINE", undefined, undefined, "InvalidParameterException"],
  ])("with %s is refused and changes nothing", (_, stage, to, from, code) => {
    const { account, arn, move } = withPending();
    const before = account.stages(arn);
    expect(refusal(() => move(stage, to, from))).toMatchObject({ code, status: 400 });
    expect(account.stages(arn)).toEqual(before);
  });

  test.each(["accept", "refuse"] as const)("moving AWSCURRENT to an empty version: %s", (promoteEmptyVersion) => {
    const account = new LocalAccount({ promoteEmptyVersion });
    const arn = account.create();
    account.rotate(arn, "second");
    const move = () =>
      account.engine.updateSecretVersionStage({
        SecretId: arn,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: token("second"),
        RemoveFromVersionId: token("first"),
      });
    if (promoteEmptyVersion === "refuse") expect(refusal(move).code).toBe("InvalidRequestException");
    else expect(move().ARN).toBe(arn);
  });

  test("texts that nobody recorded can be set", () => {
    const { move } = withPending({
      unrecorded: { wrongRemoveFrom: { code: "InvalidRequestException", message: "{stage} is not on {version}" } },
    });
    expect(refusal(() => move("AWSCURRENT", "second", "second"))).toMatchObject({
      code: "InvalidRequestException",
      message: `AWSCURRENT is not on ${token("second")}`,
    });
  });
});

test("labels come in the order of the knob", () => {
  const { account, arn, move } = withPending({ labelOrder: "reversed" });
  move("AWSCURRENT", "second", "first");
  expect(account.stages(arn)[token("second")]).toEqual(["AWSPENDING", "AWSCURRENT"]);
});

test("a secret has at most 20 labels", () => {
  const account = new LocalAccount();
  const arn = account.create();
  const labels = Array.from({ length: 18 }, (_, n) => `LABEL${n}`);
  account.put(arn, "second", "two", ["AWSPENDING", ...labels]);
  expect(refusal(() => account.put(arn, "third", "three", ["ONE-MORE"])).code).toBe("LimitExceededException");
  const attach = { SecretId: arn, VersionStage: "ONE-MORE", MoveToVersionId: token("second") };
  expect(refusal(() => account.engine.updateSecretVersionStage(attach)).code).toBe("LimitExceededException");
  expect(account.put(arn, "third", "three", ["AWSPENDING"]).VersionStages).toEqual(["AWSPENDING"]);
});

describe("more than 100 versions", () => {
  test("unlabelled ones older than a day are purged", async () => {
    const account = new LocalAccount();
    const arn = account.create();
    for (let n = 2; n <= 100; n += 1) account.put(arn, `v${n}`, `value ${n}`);
    await account.clock.advanceBy(86_400_000);
    account.put(arn, "v101", "value 101");
    const { versions } = account.engine.find(arn)?.state ?? {};
    expect(versions?.size).toBe(100);
    expect(versions?.has(token("first"))).toBe(false);
  });

  test("are refused while none is old enough", () => {
    const account = new LocalAccount();
    const arn = account.create();
    for (let n = 2; n <= 100; n += 1) account.put(arn, `v${n}`, `value ${n}`);
    expect(refusal(() => account.put(arn, "v101", "value 101")).code).toBe("LimitExceededException");
  });

  test("are purged by rotations too", async () => {
    const account = new LocalAccount({ versionLimit: 5 });
    const arn = account.create();
    account.rotate(arn, "second", { days: 1 });
    await account.service.idle();
    await account.clock.advanceBy(10 * 86_400_000);
    expect(account.engine.find(arn)?.state.versions.size).toBe(5);
  });
});
