import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Caller } from "../../local-cloud/aws/service.ts";
import { C2mFrontDoor } from "../../local-cloud/c2m/front-door.ts";
import type { C2mKnobs } from "../../local-cloud/c2m/knobs.ts";
import { CallLog } from "../../local-cloud/calls.ts";
import type { VirtualClock } from "../../local-cloud/clock.ts";
import type { LocalCloud } from "../../local-cloud/cloud.ts";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import type { HttpSend } from "../../src/c2m/http.ts";
import { createHttpSend } from "../../src/c2m/transport.ts";
import { inProcessClient } from "./in-process-client.ts";
import { emptyCloud, hour, secretName } from "./stack.ts";

const minute = 60_000;

/** One process of an app: every caller in it shares what `start` made. */
export interface App {
  /** One request to C2M, with whatever care this app takes. Resolves with the status that the app ends up with. */
  request(): Promise<number>;
  stop?(): void;
}

/** What an app gets to work with: its own identity at AWS and its own way to C2M, so that its calls can be told apart. */
export interface Surroundings {
  secretId: string;
  secretsManager: SecretsManagerClient;
  /** The same without HTTP, for reads by the ten thousand. */
  inProcessSecretsManager: SecretsManagerClient;
  /** C2M's base URL, which the secret names, too; its auth API is served over HTTP. */
  c2mUrl: string;
  /** By which the app calls C2M's auth API. */
  send: HttpSend;
  clock: VirtualClock;
  /** C2M's account call, without HTTP: for requests by the ten thousand. */
  account(url: string, init: RequestInit): Promise<{ status: number; headers: Headers }>;
}

/** How an app is built from its surroundings. */
export type AppKind = (surroundings: Surroundings) => App;

export interface FleetOptions<Name extends string> {
  /** The program with a schedule of 4 hours and some grace. */
  program: Plan;
  /** Each of them uses the same secret. */
  apps: Record<Name, AppKind>;
  /** Default 20. */
  rotations?: number;
  /** Callers in each app who ask at the same time, each time. Default 200. */
  callers?: number;
  c2m?: Partial<C2mKnobs>;
  /** For what goes wrong: called when everything is deployed. */
  disturb?: (cloud: LocalCloud) => void;
}

export interface AppFigures {
  requests: number;
  failures: number;
  /** Statuses of the failed requests, or the error's code, and how many. */
  reasons: Record<string, number>;
  /** GetSecretValue calls. */
  secretReads: number;
  /** Requests to C2M's auth API: the app makes none but exchanges. */
  exchanges: number;
}

export interface FleetFigures<Name extends string> {
  rotations: number;
  apps: Record<Name, AppFigures>;
}

/**
 * As seen of the real C2M, in ms of the virtual clock; guessed where nothing was seen. None for reading secrets: apps do
 * that by the hundred at once, and whoever waits pushes the clock.
 */
const latencies: [service: string, operation: string, ms: number][] = [
  ["c2m", "issueLongTermToken", 2_600],
  ["c2m", "issueShortTermToken", 400],
  ["c2m", "revokeToken", 300],
];

/** Tokens of 2 KB would be most of the time that the whole takes. */
const shortTexts: Partial<C2mKnobs> = { tokenFormat: "opaque", tokenLength: 60 };

/** When all callers ask, counted from the start of a rotation, in ms: all the time while it runs, and after it. */
const bursts = [0, 1_000, 2_000, 3_000, 4_000, 6_000, 6 * minute, 65 * minute];

/** How many requests a caller makes per rotation. */
export const burstsPerRotation = bursts.length;

/** Lets apps with many callers use C2M through many rotations of a deployed stack. */
export async function runFleet<Name extends string>(options: FleetOptions<Name>): Promise<FleetFigures<Name>> {
  const { program, rotations = 20, callers = 200 } = options;
  const { cloud, clock } = await emptyCloud({ c2m: { ...shortTexts, ...options.c2m } });
  const apps: [Name, RunningApp][] = [];
  try {
    await deploy(cloud, program);
    for (const [service, operation, ms] of latencies) {
      cloud.faults.add({ service, operation, times: Number.POSITIVE_INFINITY, fault: { kind: "latency", ms } });
    }
    options.disturb?.(cloud);
    for (const [name, kind] of Object.entries<AppKind>(options.apps)) {
      apps.push([name as Name, RunningApp.start(cloud, clock, name, kind)]);
    }
    const running = new Set<Promise<unknown>>();
    const burst = async () => {
      const isInner = running.size > 0;
      const bursts = Promise.all(apps.map(([, app]) => app.burst(callers)));
      running.add(bursts);
      bursts.finally(() => running.delete(bursts));
      // A burst that falls due while another one waits, on the clock, for an answer: both may need that answer.
      if (isInner) return;
      while (running.size > 0) await Promise.all(running);
    };
    cloud.bus.onEvent(({ detail }) => {
      if (detail.eventName !== "RotationStarted") return;
      for (const afterMs of bursts) clock.at(clock.now() + afterMs, burst);
    });
    await clock.advanceBy(rotations * 4 * hour + 2 * hour);
    await Promise.all(running);
    const succeeded = cloud.bus.events.filter(({ detail }) => detail.eventName === "RotationSucceeded");
    const figures = apps.map(([name, app]) => [name, app.figures(cloud)]);
    return { rotations: succeeded.length, apps: Object.fromEntries(figures) };
  } finally {
    for (const [, app] of apps) app.stop();
    await cloud.stop();
  }
}

class RunningApp {
  readonly #arn: string;
  readonly #app: App;
  readonly #exchanges: () => number;
  readonly #secretsManager: SecretsManagerClient;
  #requests = 0;
  readonly #reasons: Record<string, number> = {};

  private constructor(parts: {
    arn: string;
    app: App;
    exchanges: () => number;
    secretsManager: SecretsManagerClient;
  }) {
    this.#arn = parts.arn;
    this.#app = parts.app;
    this.#exchanges = parts.exchanges;
    this.#secretsManager = parts.secretsManager;
  }

  static start(cloud: LocalCloud, clock: VirtualClock, name: string, kind: AppKind): RunningApp {
    const { c2m: engine, faults, calls, accountId, region } = cloud;
    const arn = `arn:aws:iam::${accountId}:user/${name}`;
    const caller: Caller = { kind: "administrator", accountId, arn };
    const frontDoor = new C2mFrontDoor({ engine, faults, calls: new CallLog(), clock });
    const overHttp = createHttpSend();
    let exchanges = 0;
    const secretsManager = new SecretsManagerClient(cloud.clientConfig(caller));
    const app = kind({
      secretId: secretName,
      secretsManager,
      inProcessSecretsManager: inProcessClient({
        service: cloud.secretsManager,
        caller,
        region,
        faults,
        calls,
        clock,
      }),
      c2mUrl: cloud.c2mUrl,
      send(request) {
        exchanges += 1;
        return overHttp(request);
      },
      clock,
      async account(_url, init) {
        const headers = init.headers as Record<string, string>;
        const answer = await frontDoor.serve({ method: "GET", path: "/account", headers, body: "" });
        return { status: answer === "cut" ? 0 : answer.status, headers: new Headers() };
      },
    });
    return new RunningApp({ arn, app, exchanges: () => exchanges, secretsManager });
  }

  /** All callers ask at the same time. */
  async burst(callers: number): Promise<void> {
    const outcomes = await Promise.all(Array.from({ length: callers }, () => this.#app.request().catch(codeOf)));
    this.#requests += callers;
    for (const outcome of outcomes) {
      if (outcome !== 200) this.#reasons[outcome] = (this.#reasons[outcome] ?? 0) + 1;
    }
  }

  figures(cloud: LocalCloud): AppFigures {
    return {
      requests: this.#requests,
      failures: Object.values(this.#reasons).reduce((total, count) => total + count, 0),
      reasons: this.#reasons,
      secretReads: cloud.calls.calls.filter(({ caller }) => caller === this.#arn).length,
      exchanges: this.#exchanges(),
    };
  }

  stop(): void {
    this.#app.stop?.();
    this.#secretsManager.destroy();
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code ?? error);
}
