import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Aws, DescribedSecret } from "../../../cli/aws.ts";
import { connectSdk } from "../../../cli/aws-sdk.ts";
import { type Expected, prices } from "../../../cli/rehearse/cost.ts";
import { promises } from "../../../cli/rehearse/promises.ts";
import { type Knob, questions } from "../../../cli/rehearse/questions.ts";
import { plainKnobs } from "../../../local-cloud/c2m/knobs.ts";
import { LocalCloud } from "../../../local-cloud/cloud.ts";
import { Hold } from "../../../local-cloud/faults.ts";
import { defaultKnobs, type KnobSettings } from "../../../local-cloud/secrets-manager/knobs.ts";
import { prices as benchPrices } from "../../../tools/bench/prices.ts";
import { type OperatedStack, secretName } from "../../harness/operated-stack.ts";
import { plan } from "../../harness/program.ts";
import { stackConfig } from "../../harness/stack.ts";
import { rehearse, startSandbox, unheldIn } from "./sandbox.ts";

let stack: OperatedStack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

interface Printed {
  interrupted: boolean;
  questions: { knob: Knob; answered: string | null; differs: boolean }[];
  leftBehind: { what: string; until: string | null; how: string }[];
}

const liveIds = ({ cloud }: OperatedStack) => cloud.c2m.liveLongTokens().map(({ id }) => id);

describe("a rehearsal", () => {
  it("finds every promise held, leaves the current token alone alive, and prints no secret", async () => {
    // As much as C2M lets through, the functions' calls included.
    stack = await startSandbox(undefined, { c2m: { rateLimitPerMinute: 10 } });
    const page = join(mkdtempSync(join(tmpdir(), "rehearsal-")), "rehearsal.html");
    const ran = await rehearse(stack, ["--report", page]);
    expect(ran.stderr).toBe("");
    expect(ran.code).toBe(0);
    expect(liveIds(stack)).toEqual([stack.tokenIdAt("AWSCURRENT")]);
    expect(ran.stdout).toMatch(/^It takes 5 min 30 s to /);
    for (const promise of Object.values(promises)) expect(ran.stdout).toContain(`held       ${promise}`);
    expect(ran.stdout).toContain(`11 of 11 promises held`);
    expect(ran.stdout).toMatch(new RegExp(`current token ${stack.tokenIdAt("AWSCURRENT")} .*: until 2026-`));
    const html = readFileSync(page, "utf8");
    expect(html).toContain("11 of 11 promises held");
    for (const secret of stack.secrets()) expect(ran.stdout + ran.stderr + html).not.toContain(secret);
    expect(ran.stdout).toMatch(/\n {2}… 3 min \d+ s yet\n {2}… 2 min \d+ s yet\n/);
    // As the alarm was before.
    expect(stack.cloud.metrics.alarming()).toEqual([]);
  });

  it("finds them held where AWS and C2M are late, and tells each difference with its knob", async () => {
    stack = await startSandbox(undefined, {
      c2m: { revocationDelayMs: 200_000 },
      secretsManager: { delivery: (step) => (step === "testSecret" ? "twice" : "once") },
    });
    const { secretsManager, logs } = stack.cloud;
    const { knobs } = secretsManager.engine;
    Object.assign(knobs, {
      pendingAfterSuccess: "never",
      labelOrder: "reversed",
      lastChangedMovedBy: ["value"],
      nextRotationDate: "start",
      listPlaceholder: false,
      unrecorded: {
        ...knobs.unrecorded,
        placeholderRead: { code: "ResourceNotFoundException", message: "It is empty." },
      },
    } satisfies KnobSettings);
    logs.knobs.deliveryDelayMs = 45_000;
    // Between two rotations time passes, or nothing could be told of the dates.
    await stack.clock.advanceBy(60_000);
    const { clock } = stack;
    // The version that the first rotation makes stays empty until it was looked at.
    const hold = new Hold();
    stack.cloud.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "hold", hold } });
    const sleep = async (ms: number) => {
      hold.release();
      await secretsManager.idle();
      await clock.advanceBy(ms);
    };
    const edges = { clock: { now: () => clock.now(), sleep } };
    const ran = await rehearse(stack, ["--json"], edges);
    const { questions: told } = JSON.parse(ran.stdout) as Printed;
    expect(unheldIn(ran)).toEqual({});
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(
      /AWSPENDING at the new version, empty; AWSCURRENT at the old version → .*holding tok_lt_/,
    );
    // Of a late read a rotation would fail, and be tried again.
    const same = told.filter(({ differs }) => !differs).map(({ knob, answered }) => `${knob}: ${answered}`);
    expect(same).toEqual(["secretsManager.visibilityDelayMs: none that could be seen"]);
  });

  it("finds them held where each third read is one from before", async () => {
    stack = await startSandbox();
    const env = stack.environment();
    const { clock } = stack;
    const connect = (region: string | undefined): Aws => {
      const aws = connectSdk(region, { env, now: () => clock.now() });
      const looks: DescribedSecret[] = [];
      const describeSecret = async (id: string) => {
        const now = await aws.describeSecret(id);
        looks.push(now);
        return (looks.length % 3 === 0 && looks.at(-2)) || now;
      };
      return { ...aws, describeSecret };
    };
    const ran = await rehearse(stack, ["--json"], { connect });
    expect(unheldIn(ran)).toEqual({});
  });

  it("is given the time that its grace takes, and says where that is long", async () => {
    const { config, secretKeys = [] } = stackConfig({ grace: "2 hours" });
    stack = await startSandbox(await plan({ config: { ...config, sandbox: "true" }, secretKeys }));
    const ran = await rehearse(stack);
    expect(ran.stdout).toMatch(/^It takes 2 h to /);
    expect(ran.stderr).toContain(
      'warning: the grace of c2m/api-token is 2 h, which is waited out. A sandbox does with `grace` "5 minutes"',
    );
    expect(ran.code).toBe(0);
  });
});

it("a rehearsal takes no more than --dry-run has said, at C2M's rate limit and with revocations as late as documented", async () => {
  stack = await startSandbox(undefined, { c2m: { rateLimitPerMinute: 10, revocationDelayMs: 300_000 } });
  const { calls } = stack.cloud.calls;
  const longTokens = () => stack?.cloud.c2m.tokens.filter(({ kind }) => kind === "long").length ?? 0;
  const said = JSON.parse((await rehearse(stack, ["--dry-run", "--json"])).stdout) as Expected;
  const [callsBefore, tokensBefore] = [calls.length, longTokens()];
  const ran = await rehearse(stack, ["--json"]);
  expect(unheldIn(ran)).toEqual({});
  const { startedAt, endedAt } = JSON.parse(ran.stdout) as { startedAt: string; endedAt: string };
  const tookMs = Date.parse(endedAt) - Date.parse(startedAt);
  expect(tookMs).toBeGreaterThanOrEqual(said.leastMs);
  expect(tookMs).toBeLessThanOrEqual(said.mostMs);
  expect(longTokens() - tokensBefore).toBe(said.longTokens);
  const made = (service: string, operation?: string) =>
    calls.slice(callsBefore).filter((one) => one.service === service && (operation ?? one.operation) === one.operation)
      .length;
  expect(made("c2m", "issueShortTermToken")).toBeLessThanOrEqual(said.shortTokens);
  const counted = {
    secretsManager: made("secretsmanager"),
    lambda: made("lambda"),
    logs: made("logs"),
    cloudWatch: made("cloudwatch"),
    c2m: made("c2m"),
  };
  for (const [service, count] of Object.entries(counted)) {
    expect(count, service).toBeLessThanOrEqual(said.calls[service as keyof Expected["calls"]]);
  }
});

describe("a rehearsal that is not begun", () => {
  it("says with --dry-run what it would do and cost, and does nothing", async () => {
    stack = await startSandbox();
    const calls = stack.cloud.calls.calls.filter(({ service }) => service === "c2m").length;
    const ran = await rehearse(stack, ["--dry-run"]);
    expect(ran.stdout).toMatch(
      /time +5 min 30 s to .*\n +tokens +3 long ones.*\n +calls +at most .*\n +cost +at most \$0\.\d\d \(AWS's list prices .* 2026-/,
    );
    expect(ran.code).toBe(0);
    expect(stack.labels()).toEqual(["AWSCURRENT"]);
    expect(stack.cloud.calls.calls.filter(({ service }) => service === "c2m")).toHaveLength(calls);
  });

  it("is refused on a stack that does not say that it is a sandbox, without the name, and with too short a grace", async () => {
    const { config, secretKeys = [] } = stackConfig({ grace: "1 minutes" });
    stack = await startSandbox(await plan({ config: { ...config, sandbox: "true" }, secretKeys }));
    const short = await rehearse(stack);
    expect(short).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("to try rollback it must be 3 min at least"),
    });
    const unnamed = await rehearse(stack, ["--yes", "another"]);
    expect(unnamed.code).toBe(3);
    await stack.stop();
    stack = await startSandbox(await plan(stackConfig()));
    const refused = await rehearse(stack);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("does not say that it is a sandbox") });
    expect(refused.stderr).toContain(
      "→ Where no app depends on its tokens: pulumi config set sandbox true, then pulumi up",
    );
    expect(stack.labels()).toEqual(["AWSCURRENT"]);
  });
});

describe("a rehearsal that AWS stands in the way of", () => {
  it("ends with 4 where AWS can't be reached", async () => {
    stack = await startSandbox();
    const ran = await rehearse(stack, [], {}, {}, { AWS_ENDPOINT_URL: "http://127.0.0.1:1" });
    expect(ran).toMatchObject({ code: 4, stderr: expect.stringContaining("ECONNREFUSED") });
  });

  it("goes on where a permission is missing, and names it at the promise that it is needed for", async () => {
    stack = await startSandbox();
    stack.allowAllBut("cloudwatch:SetAlarmState");
    const ran = await rehearse(stack, ["--json"]);
    expect(unheldIn(ran)).toEqual({ heard: expect.stringContaining("cloudwatch:SetAlarmState") });
    expect(ran.stdout).toContain('"verdict":"not tried"');
    expect(ran.code).toBe(1);
  });
});

it("says of nothing that it is broken where somebody else changes the secret meanwhile", async () => {
  stack = await startSandbox();
  const { secretsManager, administrator } = stack.cloud;
  const { engine } = secretsManager;
  const hold = new Hold();
  stack.cloud.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "hold", hold } });
  void hold.reached.then(() => {
    engine.putSecretValue(
      { SecretId: secretName, SecretString: "by hand", ClientRequestToken: crypto.randomUUID() },
      administrator,
    );
    hold.release();
  });
  const ran = await rehearse(stack, ["--json"]);
  expect(unheldIn(ran)).toMatchObject({
    labels: "Somebody else changed the secret meanwhile: another version is current.",
  });
  expect(ran.stdout).not.toContain('"verdict":"broken"');
  expect(ran.code).toBe(1);
});

describe("Ctrl-C in a rehearsal", () => {
  it("stops it while it waits, sets the alarm back, and tells what is left and until when", async () => {
    stack = await startSandbox();
    const [first, again] = [new AbortController(), new AbortController()];
    const { clock, cloud } = stack;
    const ran = await rehearse(stack, ["--json"], {
      signal: first.signal,
      again: again.signal,
      clock: {
        now: () => clock.now(),
        sleep: async (ms) => {
          await cloud.secretsManager.idle();
          // The grace is waited for.
          if (ms === 60_000) return first.abort();
          await clock.advanceBy(ms);
        },
      },
    });
    expect(ran.code).toBe(130);
    const { interrupted, leftBehind } = JSON.parse(ran.stdout) as Printed;
    expect(interrupted).toBe(true);
    const tokens = leftBehind.filter(({ what }) => what.includes("tok_lt_"));
    for (const id of liveIds(stack)) expect(tokens.map(({ what }) => what).join()).toContain(id);
    expect(tokens).toHaveLength(3);
    for (const { until } of tokens) expect(Date.parse(until ?? "")).toBeGreaterThan(clock.now());
    expect(cloud.metrics.alarming()).toEqual([]);
    // What it has left is nobody's burden: the reconciler comes by.
    await clock.advanceBy(3 * 3_600_000);
    expect(liveIds(stack)).toEqual([stack.tokenIdAt("AWSCURRENT")]);
  });

  it("pressed twice stops it at once, and it tells what it knows to be left", async () => {
    stack = await startSandbox();
    const [first, again] = [new AbortController(), new AbortController()];
    const hold = new Hold();
    stack.cloud.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "hold", hold } });
    void hold.reached.then(() => {
      first.abort();
      again.abort();
    });
    const ran = await rehearse(stack, [], { signal: first.signal, again: again.signal });
    hold.release();
    expect(ran.code).toBe(130);
    expect(ran.stderr).toMatch(
      /Stopped at once\. Left behind:\n {2}- current token tok_lt_\S+ in version \S+: until 2026-/,
    );
    expect(ran.stderr).toMatch(/- the rotation of version \S+: it goes on in AWS/);
  });
});

it("each question names a knob of the local cloud, and its default", async () => {
  const cloud = await LocalCloud.start({
    clock: { now: Date.now, sleep: async () => undefined, at: () => ({ cancel() {} }) },
  });
  const services: Record<string, unknown> = {
    secretsManager: { ...defaultKnobs(), delivery: defaultKnobs().delivery("createSecret", "") },
    logs: cloud.logs.knobs,
    c2m: plainKnobs,
  };
  await cloud.stop();
  for (const [knob, { local }] of Object.entries(questions)) {
    const value = knob.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], services);
    expect(value, knob).toEqual(local);
  }
});

it("the prices are those that the other figures are made with", () => {
  for (const [name, price] of Object.entries(prices)) {
    if (name in benchPrices) expect(price, name).toBe(benchPrices[name as keyof typeof benchPrices]);
  }
  expect(Object.keys(prices).filter((name) => name in benchPrices)).toHaveLength(4);
});
