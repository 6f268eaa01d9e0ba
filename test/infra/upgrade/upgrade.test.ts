import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VirtualClock } from "../../../local-cloud/clock.ts";
import type { LocalCloud } from "../../../local-cloud/cloud.ts";
import type { Deployment } from "../../../local-cloud/pulumi/deploy.ts";
import { kindOf } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import { currentToken, hour, logGroup, stackConfig } from "../../harness/stack.ts";
import { deployRelease, recordedRelease } from "./recorded-release.ts";

/** What people would lose with a replacement: values, the ledger, what they encrypted, whom the alarms reach. */
const kept = ["Secret", "LogGroup", "Key", "Alias", "Topic", "TopicSubscription"];

/** Inputs that the provider can't change where the resource stands. */
const identity = ["name", "namePrefix", "endpoint", "protocol"];

// The release's stack: two tokens, a key of its own and an e-mail address for the alarms.
const { config, secretKeys = [] } = stackConfig();
const grace = { grace: "2 hours" };
const tokens = JSON.stringify([
  { name: "c2m/api-token", ...grace },
  { name: "c2m/other", ...grace },
]);
const now = await plan({
  config: { ...config, tokens, kmsKey: "create", alarmEmails: '["ops@example.com"]' },
  secretKeys,
});

// Each of these goes on where the one before it ended.
describe("a stack of release 0.1.0, after `pulumi up` with this program", () => {
  const release = recordedRelease("0.1.0");
  let cloud: LocalCloud;
  let clock: VirtualClock;
  let deployment: Deployment;
  let valuesBefore: (string | undefined)[];
  let linesBefore: unknown[];

  const live = () =>
    cloud.c2m
      .liveLongTokens()
      .map(({ id }) => id)
      .sort();
  const values = () =>
    release.versions.map(
      ({ secret, id }) => cloud.secretsManager.engine.getSecretValue({ SecretId: secret, VersionId: id }).SecretString,
    );

  beforeAll(async () => {
    ({ cloud, clock, deployment } = await deployRelease(release));
    valuesBefore = values();
    linesBefore = cloud.logs.lines(logGroup);
    deployment = await deployment.update(now);
  });

  afterAll(() => cloud.stop());

  it("has every secret, log group, key, topic and subscription where it was", () => {
    const known = new Map(deployment.plan.resources.map((resource) => [resource.urn, resource]));
    const before = release.plan.resources.filter((resource) => kept.includes(kindOf(resource)));
    expect(new Set(before.map(kindOf))).toEqual(new Set(kept));
    for (const { urn, id, inputs } of before) {
      const same = known.get(urn);
      expect(same, `${urn} would be deleted`).toBeDefined();
      expect(same?.id, `${urn} would be another`).toBe(id);
      for (const key of identity) expect(same?.inputs[key], `${key} of ${urn}`).toEqual(inputs[key]);
    }
  });

  it("has every stored value and every line of the ledger", () => {
    expect(valuesBefore.every((value) => value !== undefined)).toBe(true);
    expect(values()).toEqual(valuesBefore);
    expect(linesBefore.length).toBeGreaterThan(release.ledger.length);
    expect(cloud.logs.lines(logGroup).slice(0, linesBefore.length)).toEqual(linesBefore);
  });

  it("has the same tokens: none was issued for good, none revoked", () => {
    expect(currentToken(cloud).token_id).toBe("tok_lt_e4ab3b");
    expect(live()).toEqual(["tok_lt_0f0f0f", "tok_lt_31ae09", "tok_lt_ce3cbc", "tok_lt_e4ab3b"]);
  });

  it("revokes what the release had left: the superseded token after its grace, the orphan by its line", async () => {
    await clock.advanceBy(3 * hour);
    expect(live()).toEqual(["tok_lt_ce3cbc", "tok_lt_e4ab3b"]);
  });

  it("goes on reporting the issue call without an answer that the release had left", async () => {
    await clock.advanceBy(24 * hour);
    expect(cloud.metrics.alarming()).toContain("c2m-token-rotation-orphan-suspected");
  });

  it("rotates both secrets, and nothing else is left alive", async () => {
    const { engine } = cloud.secretsManager;
    for (const SecretId of ["c2m/api-token", "c2m/other"]) {
      engine.rotateSecret({ SecretId, ClientRequestToken: crypto.randomUUID() });
    }
    await cloud.secretsManager.idle();
    await clock.advanceBy(4 * hour);
    const current = ["c2m/api-token", "c2m/other"].map(
      (SecretId) => JSON.parse(engine.getSecretValue({ SecretId }).SecretString ?? "").token_id as string,
    );
    expect(live()).toEqual(current.sort());
    expect(live()).not.toContain("tok_lt_e4ab3b");
  });
});
