import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { type CloudState, LocalCloud } from "../../local-cloud/cloud.ts";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import { survivingPlan, withKeptGroups, worthKeeping } from "../../tools/local/saved-state.ts";
import { currentToken, day, emptyCloud, logGroup, secretName, stackPlan } from "../harness/stack.ts";

const runRulesEveryMs = day / 6;

/** What a cloud with the program in it came to. */
interface Past {
  plan: Plan;
  ports: { awsPort: number; c2mPort: number };
  /** After a rotation, within the grace of the superseded token. */
  rotated: Saved;
  /** After a rotation that C2M let fail: it is still open. */
  failed: Saved;
}

interface Saved {
  now: number;
  /** JSON of a CloudState. */
  state: string;
  described: object;
  listed: object;
  lines: string[];
}

let past: Past;

beforeAll(async () => {
  const { cloud, clock } = await emptyCloud({ runRulesEveryMs, secretsManager: { retry: "manual" } });
  try {
    const { plan } = await deploy(cloud, await stackPlan());
    await clock.advanceBy(7 * day);
    const rotated = saved(cloud);
    cloud.faults.add({
      service: "c2m",
      operation: "issueShortTermToken",
      times: Number.POSITIVE_INFINITY,
      fault: { kind: "error", status: 503, code: "unavailable", message: "as ordered" },
    });
    await clock.advanceBy(7 * day);
    const portOf = (url: string) => Number(new URL(url).port);
    past = {
      plan,
      ports: { awsPort: portOf(cloud.awsUrl), c2mPort: portOf(cloud.c2mUrl) },
      rotated,
      failed: saved(cloud),
    };
  } finally {
    await cloud.stop();
  }
});

function saved(cloud: LocalCloud): Saved {
  return {
    now: cloud.clock.now(),
    state: JSON.stringify(cloud.save()),
    ...secretOf(cloud),
    lines: cloud.logs.lines(logGroup),
  };
}

function secretOf({ secretsManager: { engine } }: LocalCloud) {
  return {
    described: engine.describeSecret({ SecretId: secretName }),
    listed: engine.listSecretVersionIds({ SecretId: secretName, IncludeDeprecated: true }),
  };
}

/** Another cloud that goes on where the first one stood, on its ports: functions know them. */
async function restart(
  from: Saved,
  change: (state: CloudState) => void = () => undefined,
): Promise<{ cloud: LocalCloud; clock: VirtualClock }> {
  const state = JSON.parse(from.state) as CloudState;
  change(state);
  const clock = new VirtualClock(from.now);
  const cloud = await LocalCloud.start({ clock, state, runRulesEveryMs, ...past.ports });
  onTestFinished(() => cloud.stop());
  const isThere = (arn: string) => cloud.secretsManager.engine.find(arn) !== undefined;
  await deploy(cloud, past.plan, survivingPlan(past.plan, isThere));
  return { cloud, clock };
}

function longTokens(cloud: LocalCloud): string[] {
  return cloud.c2m.tokens.filter(({ kind }) => kind === "long").map(({ id }) => id);
}

describe("a restarted cloud", () => {
  it("has the secrets as they were: versions, labels, dates and rotation", async () => {
    const { cloud } = await restart(past.rotated);
    expect(secretOf(cloud)).toEqual({ described: past.rotated.described, listed: past.rotated.listed });
  });

  it("has the log of a state that the last release wrote, whose plan does not name the group", async () => {
    const clock = new VirtualClock(past.rotated.now);
    const state = JSON.parse(past.rotated.state) as CloudState;
    const cloud = await LocalCloud.start({ clock, state, runRulesEveryMs, ...past.ports });
    onTestFinished(() => cloud.stop());
    const survivors = survivingPlan(past.plan);
    const old = { ...survivors, resources: survivors.resources.filter(({ type }) => !type.endsWith(":LogGroup")) };
    expect(old.resources.length).toBe(survivors.resources.length - 1);
    await deploy(
      cloud,
      past.plan,
      withKeptGroups(old, past.plan, (name) => cloud.logs.group(name) !== undefined),
    );
    expect(cloud.logs.lines(logGroup).slice(0, past.rotated.lines.length)).toEqual(past.rotated.lines);
  });

  it("has the log, which is the ledger", async () => {
    const { cloud } = await restart(past.rotated);
    expect(cloud.logs.lines(logGroup)).toEqual(past.rotated.lines);
  });

  it("issues no token for being restarted, and C2M accepts those that are there", async () => {
    const { cloud } = await restart(past.rotated);
    const { tokens } = (JSON.parse(past.rotated.state) as CloudState).c2m;
    expect(cloud.c2m.tokens).toEqual(tokens);
    expect(cloud.c2m.isAccepted(String(currentToken(cloud).token_id))).toBe(true);
  });

  it("rotates on the schedule, and revokes what the cloud before it left to be revoked", async () => {
    const { cloud, clock } = await restart(past.rotated);
    const before = longTokens(cloud);
    expect(cloud.c2m.liveLongTokens()).toHaveLength(2);
    await clock.advanceBy(7 * day + runRulesEveryMs);
    expect(longTokens(cloud)).toHaveLength(before.length + 1);
    expect(cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([currentToken(cloud).token_id]);
  });

  it("goes on with a rotation that was open, in the same version", async () => {
    const { cloud } = await restart(past.failed);
    const { engine } = cloud.secretsManager;
    const stages = engine.describeSecret({ SecretId: secretName }).VersionIdsToStages ?? {};
    const [pending] = Object.entries(stages).find(([, labels]) => labels.includes("AWSPENDING")) ?? [];
    expect(pending).toBeDefined();
    // Refused, and the unfinished rotation runs again.
    const rotate = () => engine.rotateSecret({ SecretId: secretName, ClientRequestToken: "a".repeat(36) });
    expect(rotate).toThrow("A previous rotation isn't complete");
    await cloud.secretsManager.idle();
    expect(engine.getSecretValue({ SecretId: secretName }).VersionId).toBe(pending);
  });

  it("makes a token secret anew that somebody deleted, with a token in it", async () => {
    const { cloud } = await restart(past.rotated, ({ secrets }) => {
      for (const list of Object.values(secrets)) {
        list.splice(
          list.findIndex(({ name }) => name === secretName),
          1,
        );
      }
    });
    expect(cloud.c2m.isAccepted(String(currentToken(cloud).token_id))).toBe(true);
    expect(cloud.secretsManager.engine.describeSecret({ SecretId: secretName }).RotationEnabled).toBe(true);
  });
});

describe("what is kept of a state", () => {
  const group = (messages: string[]) => ({
    name: "group",
    creationTime: 0,
    events: messages.map((message, index) => ({ stream: "s", timestamp: index, ingestionTime: index, message })),
  });

  it("is the whole ledger and the last other lines, so that a long run does not fill the disk", () => {
    const ledger = ['{"level":"INFO","message":"token.issued"}', '{"level":"INFO","message":"pending.detached"}'];
    const lines = Array.from({ length: 2_500 }, (_, index) => `line ${index}`);
    const state = { secrets: {}, logs: [group([...ledger, ...lines])], c2m: { clients: [], tokens: [] } };
    const kept = worthKeeping(state, 0).logs[0]?.events.map(({ message }) => message);
    expect(kept).toEqual([...ledger, ...lines.slice(-2_000)]);
  });

  it("is every token that lives, and no token that has been dead for a day", () => {
    const state = JSON.parse(past.rotated.state) as CloudState;
    const { tokens } = worthKeeping(state, past.rotated.now).c2m;
    const kinds = tokens.map(({ kind, issuedAt }) => `${kind} ${issuedAt === past.rotated.now ? "now" : "before"}`);
    // Of the short ones, which live for minutes, only the rotation that has just ended left some.
    expect(new Set(kinds)).toEqual(new Set(["long before", "long now", "short now"]));
    expect(worthKeeping(state, past.rotated.now + 200 * day).c2m.tokens).toEqual([]);
  });

  it("is the same at the second C2M", () => {
    const state = JSON.parse(past.rotated.state) as CloudState;
    state.c2mStage = structuredClone(state.c2m);
    const kept = worthKeeping(state, past.rotated.now + 200 * day);
    expect(kept.c2mStage).toEqual({ ...state.c2m, tokens: [] });
    delete state.c2mStage;
    expect(worthKeeping(state, past.rotated.now)).not.toHaveProperty("c2mStage");
  });

  it("is the last 2,000 letters", () => {
    const state = JSON.parse(past.rotated.state) as CloudState;
    const job = { clientId: "c2m_local", tokenId: "tok_lt_1", acceptedAt: 0, submission: {}, repeats: undefined };
    state.c2m.jobs = Array.from({ length: 2_001 }, (_, index) => ({ ...job, requestId: index + 1 }));
    const kept = worthKeeping(state, past.rotated.now).c2m.jobs?.map(({ requestId }) => requestId);
    expect([kept?.length, kept?.at(0), kept?.at(-1)]).toEqual([2_000, 2, 2_001]);
  });
});
