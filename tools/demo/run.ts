import { VirtualClock } from "../../local-cloud/clock.ts";
import { LocalCloud } from "../../local-cloud/cloud.ts";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import { plan } from "../../test/harness/program.ts";
import { App } from "./app.ts";
import { type CallsOfStep, callsPerStep } from "./calls-per-step.ts";
import { checkPromise } from "./check-promise.ts";
import { FrozenApp } from "./frozen-app.ts";
import { type LetterFigures, Letters } from "./letters.ts";
import { type Moment, watchTokens } from "./timeline.ts";

const hour = 60 * 60_000;
const day = 24 * hour;

/** As it was seen of the real C2M, in ms of the virtual clock; guessed where nothing was seen. */
const latencies: [service: string, operation: string | undefined, ms: number][] = [
  ["c2m", "issueLongTermToken", 2_600],
  ["c2m", "issueShortTermToken", 400],
  ["c2m", "revokeToken", 300],
  ["secretsmanager", undefined, 30],
];

/** Made up here and searched for in everything that is printed. */
const clientSecret = "demo-client-secret-5b1f0c";
const secretName = "c2m/api-token";
const graceHours = 1;

export interface DemoOptions {
  /** Virtual weeks; the schedule is weekly. */
  weeks: number;
  /** Called as things happen. */
  onMoment?: (moment: Moment) => void;
}

/** The demo's figures; also what `--json` prints. */
export interface DemoResult extends LetterFigures {
  rotations: number;
  tokensIssued: number;
  tokensRevoked: number;
  tokensLive: number;
  /** Letters that the apps sent, and those of them that the apps were not told to be accepted. */
  appRequests: number;
  appFailures: number;
  /** The rotation function's calls to Secrets Manager. */
  awsCallsPerRotation: number;
  /**
   * Issue, exchange, revoke, and the exchange that shows the revoked token dead; the reconciler's daily exchange of the
   * current token is not among them.
   */
  c2mCallsPerRotation: number;
  /** The reconciler's calls to Secrets Manager and CloudWatch Logs. */
  reconcilerCallsPerDay: number;
  violations: string[];
  timeline: Moment[];
  /** What the demo covers, epoch ms. */
  window: { from: number; to: number };
  graceHours: number;
  /** The apps' letters, a line per day (epoch ms of its begin). */
  appByDay: { day: number; accepted: number; refused: number }[];
  /** Calls of the rotation function, over all rotations. */
  callsPerStep: CallsOfStep[];
  /** What was made to go wrong: how slow every call is. */
  faults: { service: string; operation: string; latencyMs: number }[];
}

/** Deploys the Pulumi program into a local cloud and lets weeks pass, with an app that sends letters all the time, and one that is frozen. */
export async function runDemo({ weeks, onMoment }: DemoOptions): Promise<DemoResult> {
  const clock = new VirtualClock("2026-01-01T00:00:00Z");
  const cloud = await LocalCloud.start({ clock });
  try {
    cloud.c2m.registerClient({
      clientId: "c2m_demo",
      clientSecret,
      scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
    });
    for (const [service, operation, ms] of latencies) {
      cloud.faults.add({
        service,
        ...(operation === undefined ? {} : { operation }),
        times: Number.POSITIVE_INFINITY,
        fault: { kind: "latency", ms },
      });
    }
    const timeline: Moment[] = [];
    const log: string[] = [];
    cloud.logs.onLine(({ message }) => log.push(message));
    const note = (moment: Moment) => {
      timeline.push(moment);
      onMoment?.(moment);
    };
    watchTokens(cloud, note);
    const declared = await plan({
      config: {
        clientId: "c2m_demo",
        clientSecret,
        baseUrl: cloud.c2mUrl,
        tokens: JSON.stringify([{ name: secretName, schedule: "rate(7 days)", grace: `${graceHours} hours` }]),
      },
      secretKeys: ["clientSecret"],
    });
    await deploy(cloud, declared);
    const from = cloud.calls.calls.length;
    const options = {
      aws: cloud.clientConfig(),
      secretId: secretName,
      c2mUrl: cloud.c2mUrl,
      cacheMs: graceHours * hour,
    };
    const letters = new Letters(cloud, clock, note);
    const app = new App({ ...options, now: () => clock.now() });
    const frozen = new FrozenApp(options, clock);
    const started = clock.now();
    try {
      letters.sendFrom(app);
      letters.sendFromFrozen(frozen);
      // The last rotation's grace ends, the reconciler comes by, and the frozen process goes on.
      await clock.advanceBy(weeks * 7 * day + 6 * hour);
    } finally {
      app.stop();
      await frozen.stop();
    }
    note(letters.moment());
    return {
      ...resultOf(cloud, { letters, from, timeline, log, days: weeks * 7 }),
      window: { from: timeline[0]?.at ?? started, to: clock.now() },
      graceHours,
      appByDay: [...letters.byDay].map(([today, counts]) => ({ day: today, ...counts })),
      callsPerStep: callsPerStep(cloud.calls.calls.slice(from), log),
      faults: latencies.map(([service, operation = "every call", latencyMs]) => ({ service, operation, latencyMs })),
    };
  } finally {
    await cloud.stop();
  }
}

function resultOf(
  cloud: LocalCloud,
  seen: { letters: Letters; from: number; timeline: Moment[]; log: string[]; days: number },
): Omit<DemoResult, "window" | "graceHours" | "appByDay" | "callsPerStep" | "faults"> {
  const { letters, from, timeline, log, days } = seen;
  const app = { requests: letters.figures.lettersSent, failures: letters.failures };
  const rotations = cloud.bus.events.filter(({ detail }) => detail.eventName === "RotationSucceeded").length;
  const long = cloud.c2m.tokens.filter(({ kind }) => kind === "long");
  const later = cloud.calls.calls.slice(from);
  const perRotation = (count: number) => (rotations === 0 ? 0 : Number((count / rotations).toFixed(2)));
  const ofRotator = later.filter(({ caller, service }) => service === "secretsmanager" && caller.includes("-rotator"));
  const ofReconciler = later.filter(({ caller }) => caller.includes("-reconciler"));
  const atC2m = later.filter(({ service, operation }) => service === "c2m" && operation !== "submitStatic");
  return {
    rotations,
    tokensIssued: long.length,
    tokensRevoked: long.filter(({ revokedAt }) => revokedAt !== undefined).length,
    tokensLive: cloud.c2m.liveLongTokens().length,
    appRequests: app.requests,
    appFailures: app.failures,
    ...letters.figures,
    awsCallsPerRotation: perRotation(ofRotator.length),
    c2mCallsPerRotation: perRotation(atC2m.length - dailyProofs(log)),
    reconcilerCallsPerDay: Number((ofReconciler.length / days).toFixed(1)),
    violations: checkPromise(cloud, {
      secretName,
      app,
      letters: letters.figures,
      timeline,
      log,
      secrets: [clientSecret],
    }),
    timeline,
  };
}

function dailyProofs(log: string[]): number {
  const completed = log.filter((line) => line.includes('"reconcile.completed"'));
  return completed.reduce((total, line) => total + (JSON.parse(line) as { proven: number }).proven, 0);
}
