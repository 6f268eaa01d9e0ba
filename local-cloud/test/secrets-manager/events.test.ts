import { expect, test } from "vitest";
import { accountId, LocalAccount, region, token } from "./local-account.ts";

test("a service event has the shape that EventBridge was seen to deliver", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second");
  await account.service.idle();
  const [event] = account.eventsNamed("RotationSucceeded");
  expect(event).toMatchObject({
    source: "aws.secretsmanager",
    "detail-type": "AWS Service Event via CloudTrail",
    account: accountId,
    region,
    time: "2026-02-03T17:42:24Z",
    resources: [],
    detail: {
      eventType: "AwsServiceEvent",
      eventSource: "secretsmanager.amazonaws.com",
      eventName: "RotationSucceeded",
      userIdentity: { accountId, invokedBy: "secretsmanager.amazonaws.com" },
      requestParameters: null,
      responseElements: null,
      additionalEventData: { SecretId: arn },
      readOnly: false,
      managementEvent: true,
    },
  });
  expect(event?.detail).not.toHaveProperty("errorMessage");
  expect(event?.detail.requestID).toMatch(new RegExp(`^Rotation-${arn}-[0-9a-f-]{36}$`));
});

test("a rotation that went well tells its start, the moved label, and its end", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.events.events.length = 0;
  account.rotate(arn, "second");
  await account.service.idle();
  expect(account.events.events.map((event) => event.detail.eventName ?? event["detail-type"])).toEqual([
    "RotationStarted",
    "Secret Label Updated",
    "RotationSucceeded",
  ]);
});

test("Secret Label Updated names the secret, the label and the version", () => {
  const account = new LocalAccount();
  const arn = account.create();
  expect(account.eventsNamed("Secret Label Updated")).toEqual([
    {
      source: "aws.secretsmanager",
      "detail-type": "Secret Label Updated",
      account: accountId,
      region,
      time: "2026-02-03T17:42:24Z",
      resources: [arn],
      detail: { name: "app/token", labelUpdated: "AWSCURRENT", versionId: token("first") },
    },
  ]);
});

test("Secret Label Updated comes for labels of one's own, and not for AWSPENDING, AWSPREVIOUS, tags or policies", () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.events.events.length = 0;
  account.put(arn, "second", "two", ["AWSPENDING", "MINE"]);
  account.engine.tagResource({ SecretId: arn, Tags: [{ Key: "a", Value: "1" }] });
  account.engine.putResourcePolicy({ SecretId: arn, ResourcePolicy: "{}" });
  account.put(arn, "third", "three");
  expect(account.events.events.map((event) => event.detail.labelUpdated)).toEqual(["MINE", "AWSCURRENT"]);
});

test("no event holds a value or the RotationToken", async () => {
  const account = new LocalAccount();
  const arn = account.create("app/token", "the-first-value");
  account.rotate(arn, "second");
  await account.service.idle();
  const text = JSON.stringify(account.events.events);
  expect(text).not.toContain("the-first-value");
  expect(text).not.toContain("value of");
  expect(text).not.toContain(account.invocations[0]?.RotationToken);
});
