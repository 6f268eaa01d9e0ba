import { describe, expect, test } from "vitest";
import { functionArn, LocalAccount, operator, token } from "./local-account.ts";

describe("DescribeSecret", () => {
  test("has only fields that have a value", () => {
    const account = new LocalAccount();
    const { ARN } = account.engine.createSecret({ Name: "empty" }, operator);
    const now = account.clock.now() / 1000;
    expect(account.engine.describeSecret({ SecretId: "empty" })).toEqual({
      ARN,
      Name: "empty",
      CreatedDate: now,
      LastChangedDate: now,
    });
  });

  test("lists labelled versions only", () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.put(arn, "second", "two");
    account.put(arn, "third", "three");
    expect(Object.keys(account.stages(arn))).toEqual([token("second"), token("third")]);
  });

  test("shows LastAccessedDate from the first read on, to the day", () => {
    const account = new LocalAccount();
    const arn = account.create();
    expect(account.engine.describeSecret({ SecretId: arn })).not.toHaveProperty("LastAccessedDate");
    account.value(arn);
    expect(account.engine.describeSecret({ SecretId: arn }).LastAccessedDate).toBe(
      Date.parse("2026-02-03T00:00:00Z") / 1000,
    );
  });

  test("shows a key that was named, AWS's own too, and none where none was", () => {
    const account = new LocalAccount();
    account.engine.createSecret({ Name: "own", KmsKeyId: "alias/mine" }, operator);
    account.engine.createSecret({ Name: "aws", KmsKeyId: "alias/aws/secretsmanager" }, operator);
    expect(account.engine.describeSecret({ SecretId: "own" }).KmsKeyId).toBe("alias/mine");
    expect(account.engine.describeSecret({ SecretId: "aws" }).KmsKeyId).toBe("alias/aws/secretsmanager");
    account.engine.updateSecret({ SecretId: "aws", KmsKeyId: "" }, operator);
    expect(account.engine.describeSecret({ SecretId: "aws" })).not.toHaveProperty("KmsKeyId");
  });

  test("shows rotation once it is configured", async () => {
    const account = new LocalAccount();
    const arn = account.create();
    account.rotate(arn, "second", { days: 30 });
    await account.service.idle();
    expect(account.engine.describeSecret({ SecretId: arn })).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: functionArn,
      RotationRules: { AutomaticallyAfterDays: 30 },
      LastRotatedDate: account.clock.now() / 1000,
    });
  });
});

describe("LastChangedDate", () => {
  const changes: Record<string, (account: LocalAccount, arn: string) => unknown> = {
    value: (account, arn) => account.put(arn, "second", "two"),
    stage: (account, arn) =>
      account.engine.updateSecretVersionStage({
        SecretId: arn,
        VersionStage: "MINE",
        MoveToVersionId: token("first"),
      }),
    rotation: (account, arn) => account.rotate(arn, "second", { RotateImmediately: false }),
    metadata: (account, arn) => account.engine.updateSecret({ SecretId: arn, Description: "new" }, operator),
    tags: (account, arn) => account.engine.tagResource({ SecretId: arn, Tags: [{ Key: "a", Value: "1" }] }),
    policy: (account, arn) => account.engine.putResourcePolicy({ SecretId: arn, ResourcePolicy: "{}" }),
  };

  test.each(Object.keys(changes))("moves with a change of %s, where the knob says so", async (kind) => {
    for (const [knobs, moves] of [
      [{}, true],
      [{ lastChangedMovedBy: [] }, false],
    ] as const) {
      const account = new LocalAccount(knobs);
      const arn = account.create();
      const created = account.clock.now();
      await account.clock.advanceBy(5000);
      changes[kind]?.(account, arn);
      await account.service.idle();
      expect(account.engine.describeSecret({ SecretId: arn }).LastChangedDate).toBe(
        (created + (moves ? 5000 : 0)) / 1000,
      );
    }
  });
});

describe("ListSecrets", () => {
  function withThree(): LocalAccount {
    const account = new LocalAccount();
    account.create("app/one");
    account.create("app/two");
    account.create("Other");
    account.engine.updateSecret({ SecretId: "app/two", Description: "The second token" }, operator);
    account.engine.tagResource({ SecretId: "Other", Tags: [{ Key: "team", Value: "mail" }] });
    return account;
  }

  test.each([
    [[{ Key: "name" as const, Values: ["app/"] }], ["app/one", "app/two"]],
    [[{ Key: "name" as const, Values: ["APP/"] }], []],
    [[{ Key: "name" as const, Values: ["!app/"] }], ["Other"]],
    [[{ Key: "name" as const, Values: ["app/one", "Oth"] }], ["app/one", "Other"]],
    [[{ Key: "description" as const, Values: ["the sec"] }], ["app/two"]],
    [[{ Key: "tag-key" as const, Values: ["te"] }], ["Other"]],
    [[{ Key: "tag-value" as const, Values: ["mail"] }], ["Other"]],
    [[{ Key: "owning-service" as const, Values: ["appflow"] }], []],
    [[{ Key: "all" as const, Values: ["TOKEN"] }], ["app/two"]],
    [
      [
        { Key: "name" as const, Values: ["app/"] },
        { Key: "description" as const, Values: ["The"] },
      ],
      ["app/two"],
    ],
  ])("with filters %j", (Filters, names) => {
    expect(
      withThree()
        .engine.listSecrets({ Filters })
        .SecretList.map((secret) => secret.Name),
    ).toEqual(names);
  });

  test("shows deleted secrets only with IncludePlannedDeletion", () => {
    const account = withThree();
    account.engine.deleteSecret({ SecretId: "Other" });
    expect(account.engine.listSecrets({}).SecretList).toHaveLength(2);
    expect(account.engine.listSecrets({ IncludePlannedDeletion: true }).SecretList).toHaveLength(3);
  });

  test("sorts by name, and goes page by page", () => {
    const account = withThree();
    const order = { SortBy: "name", SortOrder: "desc", MaxResults: 2 } as const;
    const first = account.engine.listSecrets(order);
    const second = account.engine.listSecrets({ ...order, NextToken: first.NextToken });
    expect([...first.SecretList, ...second.SecretList].map((secret) => secret.Name)).toEqual([
      "app/two",
      "app/one",
      "Other",
    ]);
  });

  test("shows labels as SecretVersionsToStages", () => {
    const account = new LocalAccount();
    account.create();
    expect(account.engine.listSecrets({}).SecretList[0]?.SecretVersionsToStages).toEqual({
      [token("first")]: ["AWSCURRENT"],
    });
  });
});
