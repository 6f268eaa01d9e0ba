import { describe, expect, test } from "vitest";
import { LocalAccount, operator, refusal, token } from "./local-account.ts";

describe("PutSecretValue", () => {
  test("moves AWSCURRENT to the new version and AWSPREVIOUS to the one that had it", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(account.put(arn, "second", "two")).toEqual({
      ARN: arn,
      Name: "app/token",
      VersionId: token("second"),
      VersionStages: ["AWSCURRENT"],
    });
    account.put(arn, "third", "three");
    expect(account.stages(arn)).toEqual({ [token("second")]: ["AWSPREVIOUS"], [token("third")]: ["AWSCURRENT"] });
  });

  test("with AWSPENDING leaves AWSCURRENT alone", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(account.put(arn, "second", "two", ["AWSPENDING"]).VersionStages).toEqual(["AWSPENDING"]);
    expect(account.stages(arn)[token("first")]).toEqual(["AWSCURRENT"]);
  });

  test("takes AWSPENDING silently from another version", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two", ["AWSPENDING"]);
    account.put(arn, "third", "three", ["AWSPENDING"]);
    expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSCURRENT"], [token("third")]: ["AWSPENDING"] });
  });

  test("with default labels turns a version that is AWSCURRENT and AWSPENDING into AWSPREVIOUS", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two", ["AWSCURRENT", "AWSPENDING"]);
    account.put(arn, "third", "three");
    expect(account.stages(arn)).toEqual({ [token("second")]: ["AWSPREVIOUS"], [token("third")]: ["AWSCURRENT"] });
  });

  test("leaves labels of one's own where they are", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two", ["AWSCURRENT", "PUT0"]);
    account.put(arn, "third", "three");
    expect(account.stages(arn)[token("second")]).toEqual(["AWSPREVIOUS", "PUT0"]);
    account.put(arn, "fourth", "four");
    expect(account.stages(arn)[token("second")]).toEqual(["PUT0"]);
  });

  test("of the first version attaches AWSCURRENT whatever the labels are", () => {
    const account = new LocalAccount();
    const { ARN } = account.engine.createSecret({ Name: "empty" }, operator);
    expect(account.put(ARN, "first", "one", ["MINE"]).VersionStages).toEqual(["AWSCURRENT", "MINE"]);
  });

  test.each([
    [true, ["AWSCURRENT", "AWSPENDING"]],
    [false, ["AWSPENDING"]],
  ])("of the first value into a placeholder makes it current: %s", (firstValueInPlaceholderIsCurrent, stages) => {
    const account = new LocalAccount({ firstValueInPlaceholderIsCurrent });
    const { ARN } = account.engine.createSecret({ Name: "empty" }, operator);
    account.rotate(ARN, "first");
    expect(account.put(ARN, "first", "one", ["AWSPENDING"]).VersionStages).toEqual(stages);
  });

  test("with the same token and value again changes nothing", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two");
    account.put(arn, "third", "three");
    const before = account.engine.describeSecret({ SecretId: arn });
    expect(account.put(arn, "second", "two").VersionStages).toEqual(["AWSPREVIOUS"]);
    expect(account.engine.describeSecret({ SecretId: arn })).toEqual(before);
  });

  test("without a token is an InvalidRequestException", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(refusal(() => account.engine.putSecretValue({ SecretId: arn, SecretString: "two" }, operator))).toEqual({
      code: "InvalidRequestException",
      message: "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
      status: 400,
    });
  });

  test("takes binary, and a token with another kind of value is another value", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const SecretBinary = Buffer.from([0, 255]).toString("base64");
    account.engine.putSecretValue({ SecretId: arn, ClientRequestToken: token("second"), SecretBinary }, operator);
    const read = account.engine.getSecretValue({ SecretId: arn });
    expect(read.SecretBinary).toBe(SecretBinary);
    expect(read).not.toHaveProperty("SecretString");
    expect(refusal(() => account.put(arn, "second", SecretBinary)).code).toBe("ResourceExistsException");
  });
});

describe.each([
  ["CreateSecret", (account: LocalAccount) => account.create("app/token", "other")],
  ["PutSecretValue", (account: LocalAccount, arn: string) => account.put(arn, "first", "other")],
  [
    "UpdateSecret",
    (account: LocalAccount, SecretId: string) =>
      account.engine.updateSecret({ SecretId, ClientRequestToken: token("first"), SecretString: "other" }, operator),
  ],
] as const)("%s", (_, store) => {
  test("with a used token and another value is refused, without the value in the message", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(refusal(() => store(account, arn))).toEqual({
      code: "ResourceExistsException",
      message: `You can't use ClientRequestToken ${token("first")} because that value is already in use for a version of secret ${arn}.`,
      status: 400,
    });
  });
});

describe("UpdateSecret", () => {
  test("with a used token and the same value succeeds", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const input = { SecretId: arn, ClientRequestToken: token("first"), SecretString: "one" };
    expect(account.engine.updateSecret(input, operator)).toEqual({
      ARN: arn,
      Name: "app/token",
      VersionId: token("first"),
    });
  });

  test("with a value makes a new AWSCURRENT, and answers without labels", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const input = { SecretId: arn, ClientRequestToken: token("second"), SecretString: "two" };
    expect(account.engine.updateSecret(input, operator)).toEqual({
      ARN: arn,
      Name: "app/token",
      VersionId: token("second"),
    });
    expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSPREVIOUS"], [token("second")]: ["AWSCURRENT"] });
  });

  test("without a value answers without VersionId", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(account.engine.updateSecret({ SecretId: arn, Description: "new" }, operator)).toEqual({
      ARN: arn,
      Name: "app/token",
    });
    expect(account.engine.describeSecret({ SecretId: arn }).Description).toBe("new");
  });
});

describe("GetSecretValue", () => {
  test("reads AWSCURRENT unless told otherwise", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two");
    expect(account.engine.getSecretValue({ SecretId: arn })).toEqual({
      ARN: arn,
      Name: "app/token",
      VersionId: token("second"),
      SecretString: "two",
      VersionStages: ["AWSCURRENT"],
      CreatedDate: account.clock.now() / 1000,
    });
    expect(account.engine.getSecretValue({ SecretId: arn, VersionStage: "AWSPREVIOUS" }).SecretString).toBe("one");
    expect(account.engine.getSecretValue({ SecretId: arn, VersionId: token("first") }).SecretString).toBe("one");
  });

  test("of an unknown secret is a ResourceNotFoundException with status 400", () => {
    expect(refusal(() => new LocalAccount().engine.getSecretValue({ SecretId: "nothing" }))).toEqual({
      code: "ResourceNotFoundException",
      message: "Secrets Manager can't find the specified secret.",
      status: 400,
    });
  });

  test("of a label that no version has names the label", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(refusal(() => account.engine.getSecretValue({ SecretId: arn, VersionStage: "AWSPREVIOUS" })).message).toBe(
      "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
    );
    account.engine.createSecret({ Name: "empty" }, operator);
    expect(refusal(() => account.engine.getSecretValue({ SecretId: "empty" }))).toEqual({
      code: "ResourceNotFoundException",
      message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      status: 400,
    });
  });

  test("of an unknown version names the version", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(refusal(() => account.engine.getSecretValue({ SecretId: arn, VersionId: token("none") }))).toEqual({
      code: "ResourceNotFoundException",
      message: `Secrets Manager can't find the specified secret value for VersionId: ${token("none")}`,
      status: 400,
    });
  });

  test("of a version and a label that don't belong together is an InvalidRequestException", () => {
    const account = new LocalAccount();
    const arn = account.create();
    const input = { SecretId: arn, VersionId: token("first"), VersionStage: "AWSPENDING" };
    expect(refusal(() => account.engine.getSecretValue(input))).toEqual({
      code: "InvalidRequestException",
      message: "You provided a VersionStage that is not associated to the provided VersionId.",
      status: 400,
    });
  });
});

describe("BatchGetSecretValue", () => {
  test("lists what it can't read in Errors", () => {
    const account = new LocalAccount();
    account.create();
    const answer = account.engine.batchGetSecretValue({ SecretIdList: ["app/token", "nothing"] });
    expect(answer.SecretValues.map((value) => value.SecretString)).toEqual(["one"]);
    expect(answer.Errors).toEqual([
      {
        SecretId: "nothing",
        ErrorCode: "ResourceNotFoundException",
        Message: "Secrets Manager can't find the specified secret.",
      },
    ]);
  });

  test("finds by filters, page by page", () => {
    const account = new LocalAccount();
    for (const name of ["a/1", "a/2", "b/1"]) account.create(name, name);
    const Filters = [{ Key: "name" as const, Values: ["a/"] }];
    const first = account.engine.batchGetSecretValue({ Filters, MaxResults: 1 });
    expect(first.SecretValues.map((value) => value.SecretString)).toEqual(["a/1"]);
    const second = account.engine.batchGetSecretValue({ Filters, MaxResults: 1, NextToken: first.NextToken });
    expect(second.SecretValues.map((value) => value.SecretString)).toEqual(["a/2"]);
    expect(second).not.toHaveProperty("NextToken");
  });
});

describe("ListSecretVersionIds", () => {
  test("hides unlabelled versions unless IncludeDeprecated, and shows them without VersionStages", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two");
    account.put(arn, "third", "three");
    const CreatedDate = account.clock.now() / 1000;
    const KmsKeyIds = ["DefaultEncryptionKey"];
    const labelled = [
      { VersionId: token("second"), VersionStages: ["AWSPREVIOUS"], CreatedDate, KmsKeyIds },
      { VersionId: token("third"), VersionStages: ["AWSCURRENT"], CreatedDate, KmsKeyIds },
    ];
    expect(account.engine.listSecretVersionIds({ SecretId: arn })).toEqual({
      ARN: arn,
      Name: "app/token",
      Versions: labelled,
    });
    expect(account.engine.listSecretVersionIds({ SecretId: arn, IncludeDeprecated: true }).Versions).toEqual([
      { VersionId: token("first"), CreatedDate, KmsKeyIds },
      ...labelled,
    ]);
  });

  test("shows LastAccessedDate, to the day, only of versions that were read", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two");
    account.value(arn);
    const dates = account.engine.listSecretVersionIds({ SecretId: arn }).Versions.map((v) => v.LastAccessedDate);
    expect(dates).toEqual([undefined, Date.parse("2026-02-03T00:00:00Z") / 1000]);
  });

  test.each([true, false])("shows the placeholder of a rotation: %s", (listPlaceholder) => {
    const account = new LocalAccount({ listPlaceholder });
    const arn = account.create();
    account.rotate(arn, "second");
    const ids = account.engine.listSecretVersionIds({ SecretId: arn }).Versions.map((version) => version.VersionId);
    expect(ids.includes(token("second"))).toBe(listPlaceholder);
  });

  test("goes page by page", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two");
    const first = account.engine.listSecretVersionIds({ SecretId: arn, MaxResults: 1 });
    const second = account.engine.listSecretVersionIds({ SecretId: arn, MaxResults: 1, NextToken: first.NextToken });
    expect([...first.Versions, ...second.Versions].map((version) => version.VersionId)).toEqual([
      token("first"),
      token("second"),
    ]);
    expect(refusal(() => account.engine.listSecretVersionIds({ SecretId: arn, NextToken: "nonsense" })).code).toBe(
      "InvalidNextTokenException",
    );
  });
});
