import { describe, expect, test } from "vitest";
import { LocalAccount, operator, refusal, token } from "./local-account.ts";

const markedForDeletion = {
  code: "InvalidRequestException",
  message: "You can't perform this operation on the secret because it was marked for deletion.",
  status: 400,
};

describe("CreateSecret", () => {
  test("makes an ARN of the name, a hyphen and six characters", () => {
    expect(new LocalAccount().create()).toMatch(
      /^arn:aws:secretsmanager:us-east-1:123456789012:secret:app\/token-[A-Za-z0-9]{6}$/,
    );
  });

  test("takes the six characters from a caller who must know the ARN before", () => {
    const account = new LocalAccount();
    expect(account.engine.createSecret({ Name: "app/token" }, operator, "AbC123").ARN).toBe(
      "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/token-AbC123",
    );
  });

  test("again with the same name, token and value answers the same", () => {
    const account = new LocalAccount();
    const input = { Name: "app/token", ClientRequestToken: token("first"), SecretString: "one" };
    const first = account.engine.createSecret(input, operator);
    expect(account.engine.createSecret(input, operator)).toEqual(first);
    expect(first).toEqual({ ARN: expect.any(String), Name: "app/token", VersionId: token("first") });
  });

  test("of a name that is taken is refused", () => {
    const account = new LocalAccount();
    account.create();
    const taken = {
      code: "ResourceExistsException",
      message: "The operation failed because the secret app/token already exists.",
      status: 400,
    };
    const other = { Name: "app/token", ClientRequestToken: token("other"), SecretString: "one" };
    expect(refusal(() => account.engine.createSecret(other, operator))).toEqual(taken);
    expect(refusal(() => account.engine.createSecret({ Name: "app/token" }, operator))).toEqual(taken);
  });

  test("without a value makes no version", () => {
    const account = new LocalAccount();
    const answer = account.engine.createSecret({ Name: "empty", ClientRequestToken: token("first") }, operator);
    expect(answer).not.toHaveProperty("VersionId");
    expect(account.engine.describeSecret({ SecretId: "empty" })).not.toHaveProperty("VersionIdsToStages");
  });

  test("with a value and without a token is an InvalidRequestException", () => {
    const create = () => new LocalAccount().engine.createSecret({ Name: "new", SecretString: "one" }, operator);
    expect(refusal(create).code).toBe("InvalidRequestException");
  });

  test("of a name that is scheduled for deletion is refused", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.engine.deleteSecret({ SecretId: arn });
    expect(refusal(() => account.create())).toEqual({
      code: "InvalidRequestException",
      message: "You can't create this secret because a secret with this name is already scheduled for deletion.",
      status: 400,
    });
  });
});

describe("DeleteSecret", () => {
  test.each([
    [{}, 30],
    [{ RecoveryWindowInDays: 7 }, 7],
  ])("with %j waits %i days, shows DeletedDate, and refuses use", async (options, days) => {
    const account = new LocalAccount();
    const arn = account.create();
    const now = account.clock.now();
    expect(account.engine.deleteSecret({ SecretId: arn, ...options })).toEqual({
      ARN: arn,
      Name: "app/token",
      DeletionDate: now / 1000 + days * 86_400,
    });
    expect(account.engine.describeSecret({ SecretId: arn }).DeletedDate).toBe(now / 1000);
    for (const use of [
      () => account.value(arn),
      () => account.put(arn, "second", "two"),
      () => account.engine.tagResource({ SecretId: arn, Tags: [] }),
      () => account.engine.untagResource({ SecretId: arn, TagKeys: [] }),
    ]) {
      expect(refusal(use)).toEqual(markedForDeletion);
    }
    await account.clock.advanceBy(days * 86_400_000);
    expect(refusal(() => account.engine.describeSecret({ SecretId: arn })).code).toBe("ResourceNotFoundException");
  });

  test("by force is done at once, and again, and for what is not there", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const input = { SecretId: arn, ForceDeleteWithoutRecovery: true };
    expect(account.engine.deleteSecret(input).DeletionDate).toBe(account.clock.now() / 1000);
    expect(account.engine.deleteSecret(input).ARN).toBe(arn);
    expect(account.create()).not.toBe("");
  });

  test("by force of a secret that is scheduled for deletion succeeds", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.engine.deleteSecret({ SecretId: arn });
    account.engine.deleteSecret({ SecretId: arn, ForceDeleteWithoutRecovery: true });
    expect(account.engine.find(arn)).toBeUndefined();
  });

  test("by force may hold the name for a while", async () => {
    const account = new LocalAccount({ forceDeleteLingersMs: 5000 });
    const arn = account.create();
    account.engine.deleteSecret({ SecretId: arn, ForceDeleteWithoutRecovery: true });
    expect(refusal(() => account.create()).code).toBe("InvalidRequestException");
    await account.clock.advanceBy(5000);
    expect(account.create()).not.toBe(arn);
  });

  test("by force and with a recovery window is refused", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const input = { SecretId: arn, ForceDeleteWithoutRecovery: true, RecoveryWindowInDays: 7 };
    expect(refusal(() => account.engine.deleteSecret(input)).code).toBe("InvalidParameterException");
  });
});

test("RestoreSecret makes a secret usable again", () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.engine.deleteSecret({ SecretId: arn });
  expect(account.engine.restoreSecret({ SecretId: arn })).toEqual({ ARN: arn, Name: "app/token" });
  expect(account.value(arn)).toBe("one");
  expect(account.engine.describeSecret({ SecretId: arn })).not.toHaveProperty("DeletedDate");
  expect(refusal(() => account.engine.restoreSecret({ SecretId: arn })).code).toBe("InvalidRequestException");
});

describe("a partial ARN", () => {
  test("without its last six characters finds the secret", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(account.engine.describeSecret({ SecretId: arn.slice(0, -7) }).ARN).toBe(arn);
  });

  test("does not find a name that itself ends in a hyphen and six characters", () => {
    const account = new LocalAccount();
    const arn = account.create("app-abc123");
    expect(refusal(() => account.engine.describeSecret({ SecretId: arn.slice(0, -7) })).code).toBe(
      "ResourceNotFoundException",
    );
    expect(account.engine.describeSecret({ SecretId: "app-abc123" }).ARN).toBe(arn);
  });

  test.each([-6, -8, -3])("cut at another place (%i) finds nothing", (end) => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(account.engine.find(arn.slice(0, end))).toBeUndefined();
  });

  test("of another region finds nothing", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(account.engine.find(arn.replace("us-east-1", "eu-west-1").slice(0, -7))).toBeUndefined();
  });
});

describe("tags", () => {
  test("are set, replaced and removed, and removing what is not there is fine", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(
      account.engine.tagResource({
        SecretId: arn,
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "b", Value: "1" },
        ],
      }),
    ).toEqual({});
    account.engine.tagResource({ SecretId: arn, Tags: [{ Key: "a", Value: "2" }] });
    expect(account.engine.untagResource({ SecretId: arn, TagKeys: ["b", "missing"] })).toEqual({});
    expect(account.engine.describeSecret({ SecretId: arn }).Tags).toEqual([{ Key: "a", Value: "2" }]);
  });
});

describe("a resource policy", () => {
  test("is stored, read and deleted", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const names = { ARN: arn, Name: "app/token" };
    const ResourcePolicy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    expect(account.engine.getResourcePolicy({ SecretId: arn })).toEqual(names);
    expect(account.engine.putResourcePolicy({ SecretId: arn, ResourcePolicy })).toEqual(names);
    expect(account.engine.getResourcePolicy({ SecretId: arn })).toEqual({ ...names, ResourcePolicy });
    expect(account.engine.deleteResourcePolicy({ SecretId: arn })).toEqual(names);
    expect(account.engine.getResourcePolicy({ SecretId: arn })).toEqual(names);
  });

  test("that is no JSON is refused", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const put = () => account.engine.putResourcePolicy({ SecretId: arn, ResourcePolicy: "{" });
    expect(refusal(put).code).toBe("MalformedPolicyDocumentException");
  });
});
