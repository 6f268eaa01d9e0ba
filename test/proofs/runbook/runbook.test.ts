import { describe, expect, it } from "vitest";
import { run } from "../../../cli/cli.ts";
import { alarmSpecs } from "../../../infra/resources/alarms.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { alarmNames } from "../../../src/formats/metrics.ts";
import { policyIn } from "../../harness/declared.ts";
import { hour, OperatedStack, type OperatedStackOptions, secretName } from "../../harness/operated-stack.ts";
import { stackPlan } from "../../harness/stack.ts";
import { Operator } from "./operator.ts";
import { lostRegion, newClientSecret, otherRegion, renewedSecret } from "./past.ts";
import { runbookSections } from "./runbook-page.ts";

const shortLifetimeHours = 12;
const longestLifetimeSeconds = 90 * 86_400;

const sections = runbookSections();
const [fast, weekly, short] = await Promise.all([
  stackPlan({ schedule: "rate(4 hours)" }),
  stackPlan(),
  stackPlan({ schedule: "rate(4 hours)", lifetime: `${shortLifetimeHours} hours` }),
]);

type Fault = Parameters<OperatedStack["cloud"]["faults"]["add"]>[0]["fault"];

/** Has every such call go wrong until it is mended. */
function breaks(stack: OperatedStack, service: string, operation: string, fault: Fault): void {
  stack.cloud.faults.add({ service, operation, times: Number.POSITIVE_INFINITY, fault });
}

const error = (status: number, code: string): Fault => ({ kind: "error", status, code, message: "no" });

function rotateAfter(hours: number) {
  return async (stack: OperatedStack) => {
    await stack.clock.advanceBy(hours * hour);
    await stack.rotate();
  };
}

/** What makes each alarm ring: an account of what happened since the deployment. */
const causes: Record<string, OperatedStackOptions> = {
  "rotator-errors": {
    ageMs: hour,
    history: async (stack) => {
      breaks(stack, "c2m", "issueLongTermToken", error(400, "invalid_scope"));
      await rotateAfter(0.5)(stack);
    },
  },
  "reconciler-errors": {
    ageMs: 4 * hour,
    history: async (stack) => breaks(stack, "logs", "FilterLogEvents", error(500, "InternalFailure")),
  },
  "reconciler-silent": { ageMs: 4 * hour, program: withoutSchedule(weekly) },
  "log-silent": { ageMs: 4 * hour, program: withoutLogPermission(weekly) },
  "secrets-not-reconciled": {
    ageMs: 7 * hour,
    history: async (stack) => {
      breaks(stack, "c2m", "revokeToken", error(500, "internal"));
      await rotateAfter(0.5)(stack);
    },
  },
  "current-token-rejected": {
    ageMs: 25 * hour,
    history: async ({ cloud }) => {
      const token = cloud.c2m.liveLongTokens()[0];
      if (token) token.revokedAt = token.refusedFrom = cloud.clock.now();
    },
  },
  "token-expiry-near": {
    ageMs: 10 * hour,
    program: short,
    history: async (stack) => {
      await stack.clock.advanceBy(1.5 * hour);
      breaks(stack, "c2m", "issueLongTermToken", error(400, "invalid_grant"));
    },
  },
  "rotation-too-late": { ageMs: 4 * hour, c2m: { maximumTtlSeconds: 2 * 86_400 } },
  "revocation-backlog": {
    ageMs: 5 * hour,
    history: async (stack) => {
      breaks(stack, "c2m", "revokeToken", error(500, "internal"));
      await rotateAfter(0.5)(stack);
    },
  },
  "orphan-suspected": {
    ageMs: 3 * hour,
    program: short,
    history: async (stack) => {
      breaks(stack, "c2m", "issueLongTermToken", { kind: "cut", when: "after" });
      await rotateAfter(0.5)(stack);
    },
    secretsManager: { retry: "manual" },
  },
  "revoked-token-alive": {
    ageMs: 4 * hour,
    history: async (stack) => {
      // Whatever answers the revocation, it is not C2M.
      breaks(stack, "c2m", "revokeToken", error(200, "done"));
      await rotateAfter(0.5)(stack);
    },
  },
  "credentials-fallback": {
    ageMs: hour,
    history: async (stack) => {
      const { engine } = stack.cloud.secretsManager;
      const SecretId = "c2m/client-credentials";
      const { SecretString = "" } = engine.getSecretValue({ SecretId });
      const store = (secret: object) => {
        const version = { SecretId, ClientRequestToken: crypto.randomUUID(), SecretString: JSON.stringify(secret) };
        engine.putSecretValue(version, stack.cloud.administrator);
      };
      store({ ...JSON.parse(SecretString), client_secret: "mistyped" });
      await rotateAfter(0.5)(stack);
      store(JSON.parse(SecretString));
    },
  },
  "unrevocable-token": {
    ageMs: 4 * hour,
    history: async (stack) => {
      breaks(stack, "c2m", "revokeToken", error(403, "insufficient_scope"));
      await rotateAfter(0.5)(stack);
    },
  },
  "pending-version-stuck": {
    ageMs: 5 * hour,
    program: fast,
    history: async (stack) => {
      breaks(stack, "c2m", "issueShortTermToken", error(500, "internal"));
      await rotateAfter(0.5)(stack);
    },
    secretsManager: { retry: "manual" },
  },
  "a-leak": {},
  "the-client-secret-has-leaked": { history: async ({ cloud }) => renewedSecret(cloud) },
  "the-client-secret-is-renewed": { history: async ({ cloud }) => renewedSecret(cloud) },
  "a-region-is-lost": { region: otherRegion, program: { resources: [], outputs: {} }, history: lostRegion },
  "a-deleted-secret-is-restored": {
    history: async (stack) => {
      const { code, stdout, stderr } = await stack.on("decommission", "--yes", secretName);
      expect(code, stdout + stderr).toBe(0);
    },
  },
  "back-to-the-previous-token": { history: (stack) => stack.rotate() },
  "proof-of-the-rotation": { ageMs: 15 * 24 * hour },
  "the-end-of-a-token": { history: (stack) => stack.rotate() },
};

describe("the runbook", () => {
  it("has a section for every alarm, and a cause is known here for every section", () => {
    const anchors = sections.map(({ anchor }) => anchor);
    expect(anchors).toEqual(expect.arrayContaining([...alarmNames]));
    expect(Object.keys(causes).sort()).toEqual([...anchors].sort());
  });

  it.each(alarmNames)(
    "says of %s what it means, how bad it is, what to check, what to do and how to confirm",
    (name) => {
      const text = sections.find(({ anchor }) => anchor === name)?.text ?? "";
      expect(text).toMatch(
        /^\n\S[\s\S]*\*\*How bad\*\*: (now|today|this week)[\s\S]*\*\*Check\*\*[\s\S]*\*\*Do\*\*[\s\S]*\*\*Confirm\*\*/,
      );
    },
  );

  it("uses only commands and options that there are", async () => {
    for (const { commands } of sections) {
      for (const { program, args } of Object.values(commands).flat()) {
        if (program === "c2m-tokens") expect(await understood(args)).toBe(true);
      }
    }
  });

  it("links only to sections that there are", () => {
    for (const { text } of sections) {
      for (const [, anchor] of text.matchAll(/\]\(#([^)]+)\)/g)) {
        expect(sections.map((section) => section.anchor)).toContain(anchor);
      }
    }
  });
});

describe.concurrent("following the runbook", () => {
  it.each(sections)("$anchor", async ({ anchor, commands }) => {
    const stack = await OperatedStack.start({ ...(causes[anchor] ?? {}) });
    try {
      if (alarmNames.some((name) => name === anchor)) {
        const rung = stack.cloud.metrics.evaluate().filter(({ state }) => state === "ALARM");
        expect(rung.map(({ name }) => name)).toContain(`c2m-token-rotation-${anchor}`);
      }
      const operator = new Operator(stack, { clientSecret: newClientSecret });
      for (const command of commands.Check) {
        expect([0, 1], `check: ${command.args}`).toContain((await operator.follow(command)).code);
      }
      // What stood in the way is gone.
      stack.cloud.faults.clear();
      stack.cloud.c2m.knobs.maximumTtlSeconds = longestLifetimeSeconds;
      for (const command of [...commands.Do, ...commands.Confirm]) {
        const { code, stdout, stderr } = await operator.follow(command);
        expect(code, `${command.args.join(" ")}\n${stdout}${stderr}`).toBe(0);
      }
      if (alarmNames.some((name) => name === anchor)) {
        await stack.clock.advanceBy(lookBackHours(anchor) * hour);
        expect(stack.cloud.metrics.alarming(), "it ends").not.toContain(`c2m-token-rotation-${anchor}`);
      }
      if (anchor !== "the-end-of-a-token") {
        const current = stack.tokenIdAt("AWSCURRENT") ?? "";
        expect(stack.cloud.c2m.isAccepted(current), "the current token works").toBe(true);
      }
    } finally {
      await stack.stop();
    }
  });
});

/** As far as the alarm looks back, and as long as an hourly run of the reconciler does; that of a suspect lives as long as the token may. */
function lookBackHours(name: string): number {
  const spec = alarmSpecs(1).find((one) => one.name === name);
  const looksBack = ((spec?.period ?? 0) * (spec?.among ?? 0)) / 3_600 + 8;
  return name === "orphan-suspected" ? looksBack + shortLifetimeHours : looksBack;
}

/** Whether the command line knows the command and its options. */
async function understood(args: string[]): Promise<boolean> {
  const nothing = { write: () => undefined };
  const edges = {
    stdout: nothing,
    stderr: nothing,
    stdin: {},
    env: {},
    clock: { now: () => 0, sleep: async () => undefined },
  };
  const signal = new AbortController().signal;
  return (await run([...args, "--help"], { ...edges, ask: async () => "", signal, again: signal })) === 0;
}

function withoutLogPermission(program: Plan): Plan {
  const resources = program.resources.map((resource) => {
    if (!resource.type.endsWith(":RolePolicy")) return resource;
    const policy = policyIn(resource);
    const Statement = policy.Statement.filter(({ Sid }) => Sid !== "WriteLog");
    return { ...resource, inputs: { ...resource.inputs, policy: JSON.stringify({ ...policy, Statement }) } };
  });
  return { ...program, resources };
}

function withoutSchedule(program: Plan): Plan {
  const resources = program.resources.filter(
    ({ type, name }) => !(type.endsWith(":EventTarget") && name.includes("reconciler")),
  );
  return { ...program, resources };
}
