import { afterEach, describe, expect, it } from "vitest";
import type { LocalCloud, LocalCloudOptions } from "../../../local-cloud/cloud.ts";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { all, one, policyIn } from "../../harness/declared.ts";
import { currentToken, emptyCloud, hour, secretName, stackPlan, type TestCloud } from "../../harness/stack.ts";

const program = await stackPlan({ schedule: "rate(4 hours)" });
const alarmTopic = one(program, "Topic", "-alarms").id;
const rotationTopic = one(program, "Topic", "-rotations").id;

let world: TestCloud | undefined;

afterEach(async () => {
  await world?.cloud.stop();
  world = undefined;
});

async function deployed(declared: Plan = program, options: Partial<LocalCloudOptions> = {}): Promise<TestCloud> {
  const started = await emptyCloud(options);
  world = started;
  await deploy(started.cloud, declared);
  return started;
}

function cloudOf(): LocalCloud {
  if (!world) throw new Error("Nothing is deployed.");
  return world.cloud;
}

/** The alarms that are on, without the rotation's name. */
function alarming(): string[] {
  return cloudOf()
    .metrics.alarming()
    .map((name) => name.replace("c2m-token-rotation-", ""));
}

/** What the topic got: the alarms' names, and the events' detail-types. */
function published(topic: string): string[] {
  return cloudOf()
    .topics.published(topic)
    .map((message) => {
      const { AlarmName, "detail-type": detailType } = JSON.parse(message) as Record<string, string>;
      return AlarmName ?? detailType ?? "";
    });
}

/** Has C2M refuse everything of this kind from now on. */
function refuse(operation: string): void {
  cloudOf().faults.add({
    service: "c2m",
    operation,
    times: 1_000,
    fault: { kind: "error", status: 500, code: "internal", message: "no" },
  });
}

/** The program without one statement of a topic's policy. */
function without(sid: string, topic: string): Plan {
  const { urn, inputs } = one(program, "TopicPolicy", topic);
  const policy = policyIn({ ...one(program, "TopicPolicy", topic) });
  const rest = { ...policy, Statement: policy.Statement.filter(({ Sid }) => Sid !== sid) };
  const resources = program.resources.map((resource) =>
    resource.urn === urn ? { ...resource, inputs: { ...inputs, policy: JSON.stringify(rest) } } : resource,
  );
  return { ...program, resources };
}

describe("the deployed alarms", () => {
  it("are silent while all is well, through rotations and daily runs", async () => {
    const { clock } = await deployed();
    await clock.advanceBy(30 * hour);
    expect(alarming()).toEqual([]);
    // That nothing ran before the deployment is silence too: told once, until the first run.
    expect(published(alarmTopic)).toEqual(["c2m-token-rotation-reconciler-silent"]);
  });

  it("tell when the reconciler is silent", async () => {
    const resources = program.resources.filter(({ urn }) => urn !== one(program, "EventTarget", "-reconciler").urn);
    const { clock } = await deployed({ ...program, resources });
    await clock.advanceBy(3.5 * hour);
    expect(alarming()).toEqual(["reconciler-silent"]);
    expect(published(alarmTopic)).toEqual(["c2m-token-rotation-reconciler-silent"]);
    await clock.advanceBy(6 * hour);
    expect(alarming()).toEqual(["reconciler-silent"]);
  });

  it("tell when nothing that the functions write reaches the log, while they run", async () => {
    const declared = await stackPlan();
    const resources = declared.resources.map((resource) => {
      if (!resource.type.endsWith(":RolePolicy")) return resource;
      const { Statement, ...rest } = policyIn(resource);
      const policy = { ...rest, Statement: Statement.filter(({ Sid }) => Sid !== "WriteLog") };
      return { ...resource, inputs: { ...resource.inputs, policy: JSON.stringify(policy) } };
    });
    const { clock } = await deployed({ ...declared, resources });
    await clock.advanceBy(4 * hour);
    expect(alarming()).toEqual(["log-silent"]);
  });

  it("tell when Lambda refuses to run the rotator: the version that is stuck", async () => {
    const { cloud, clock } = await deployed(program, { secretsManager: { retry: "manual" } });
    await clock.advanceBy(hour / 2);
    const fault = { kind: "error", status: 429, code: "TooManyRequestsException", message: "Rate exceeded" } as const;
    cloud.faults.add({ service: "lambda", operation: "Invoke", fault });
    const { engine } = cloud.secretsManager;
    engine.rotateSecret({ SecretId: secretName, ClientRequestToken: crypto.randomUUID() });
    await clock.advanceBy(4 * hour);
    expect(alarming()).toEqual(["pending-version-stuck"]);
  });

  it("tell when C2M rejects the token that apps use", async () => {
    const { cloud, clock } = await deployed(await stackPlan());
    const token = cloud.c2m.byId(String(currentToken(cloud).token_id));
    if (token) token.revokedAt = token.refusedFrom = clock.now();
    await clock.advanceBy(25 * hour);
    expect(alarming()).toEqual(["current-token-rejected"]);
  });

  it("tell when rotations fail: the errors, the version that is stuck, then the expiry that comes near", async () => {
    const { clock } = await deployed(await stackPlan({ schedule: "rate(4 hours)", lifetime: "12 hours" }));
    await clock.advanceBy(1.5 * hour);
    refuse("issueShortTermToken");
    await clock.advanceBy(6 * hour);
    expect(alarming()).toEqual(expect.arrayContaining(["pending-version-stuck"]));
    await clock.advanceBy(3 * hour);
    expect(alarming()).toEqual(expect.arrayContaining(["token-expiry-near"]));
    expect(published(alarmTopic)).toEqual(
      expect.arrayContaining(["c2m-token-rotation-rotator-errors", "AWS Service Event via CloudTrail"]),
    );
  });

  it("tell when superseded tokens can't be revoked", async () => {
    const { clock } = await deployed();
    refuse("revokeToken");
    await clock.advanceBy(9 * hour);
    expect(alarming()).toEqual(["revocation-backlog", "secrets-not-reconciled"]);
  });

  it("tell when C2M grants less than was asked for", async () => {
    const { clock } = await deployed(program, { c2m: { maximumTtlSeconds: 2 * 24 * 3_600 } });
    await clock.advanceBy(5.5 * hour);
    expect(alarming()).toContain("token-expiry-near");
  });
});

describe("the events", () => {
  it("tell the rotation topic of every new current value", async () => {
    const { cloud, clock } = await deployed();
    await clock.advanceBy(9 * hour);
    const events = cloud.topics.published(rotationTopic).map((message) => JSON.parse(message) as { detail: object });
    expect(events.length).toBeGreaterThanOrEqual(2);
    expect(events.at(-1)?.detail).toEqual({
      name: secretName,
      labelUpdated: "AWSCURRENT",
      versionId: Object.entries(
        cloud.secretsManager.engine.describeSecret({ SecretId: secretName }).VersionIdsToStages ?? {},
      ).find(([, stages]) => stages.includes("AWSCURRENT"))?.[0],
    });
  });

  it("of other secrets are not told", async () => {
    const { cloud } = await deployed();
    const before = published(rotationTopic).length;
    const { engine } = cloud.secretsManager;
    engine.createSecret({ Name: "other", SecretString: "a", ClientRequestToken: "a".repeat(32) }, cloud.administrator);
    engine.putSecretValue(
      { SecretId: "other", SecretString: "b", ClientRequestToken: "b".repeat(32) },
      cloud.administrator,
    );
    expect(published(rotationTopic)).toHaveLength(before);
  });
});

describe("every statement of the topics' policies is needed", () => {
  const failing = async (declared: Plan) => {
    const resources = declared.resources.filter(({ urn }) => urn !== one(program, "EventTarget", "-reconciler").urn);
    const { clock } = await deployed({ ...declared, resources });
    refuse("issueLongTermToken");
    await clock.advanceBy(5 * hour);
    cloudOf().metrics.evaluate();
    return new Set(published(alarmTopic));
  };

  it("with all of them, both alarms and failed rotations are told", async () => {
    expect(await failing(program)).toEqual(
      new Set([
        "c2m-token-rotation-reconciler-silent",
        "c2m-token-rotation-log-silent",
        "c2m-token-rotation-rotator-errors",
        "AWS Service Event via CloudTrail",
      ]),
    );
  });

  it("LetAlarmsPublish", async () => {
    expect(await failing(without("LetAlarmsPublish", "-alarms"))).toEqual(
      new Set(["AWS Service Event via CloudTrail"]),
    );
  });

  it("LetEventBridgePublish of the alarms", async () => {
    expect(await failing(without("LetEventBridgePublish", "-alarms"))).not.toContain(
      "AWS Service Event via CloudTrail",
    );
  });

  it("LetEventBridgePublish of the rotations", async () => {
    const { clock } = await deployed(without("LetEventBridgePublish", "-rotations"));
    await clock.advanceBy(5 * hour);
    expect(published(rotationTopic)).toEqual([]);
  });

  it("and there are no others", () => {
    expect(
      all(program, "TopicPolicy")
        .flatMap((policy) => policyIn(policy).Statement.map(({ Sid }) => Sid))
        .sort(),
    ).toEqual(["LetAlarmsPublish", "LetEventBridgePublish", "LetEventBridgePublish"]);
  });
});
