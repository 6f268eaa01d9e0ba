import { randomUUID } from "node:crypto";
import type { Caller } from "../../local-cloud/aws/service.ts";
import { C2mEngine } from "../../local-cloud/c2m/engine.ts";
import { C2mFrontDoor } from "../../local-cloud/c2m/front-door.ts";
import { EventBus } from "../../local-cloud/events/bus.ts";
import { Faults } from "../../local-cloud/faults.ts";
import type { RotationEvent } from "../../local-cloud/secrets-manager/rotation.ts";
import { SecretsManagerService } from "../../local-cloud/secrets-manager/service.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { type C2mClient, createC2mClient } from "../../src/c2m/client.ts";
import type { HttpSend } from "../../src/c2m/http.ts";
import type { RotationLog } from "../../src/formats/ledger.ts";
import { formatLine, isLedgerEvent, type LedgerEntry } from "../../src/formats/ledger.ts";
import { secretNameOf } from "../../src/formats/settings.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { CallBudget } from "../../src/reconcile/call-budget.ts";
import { reconcile } from "../../src/reconcile/reconcile.ts";
import type { ReconcileReport } from "../../src/reconcile/report.ts";
import { hourOfProof, type Scope } from "../../src/reconcile/survey.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import { ProvenVersions } from "../../src/rotation/proven.ts";
import { runBootstrap, runStep } from "../../src/rotation/steps/run-step.ts";
import { CallRates } from "./call-rates.ts";
import { sendTo } from "./in-process-c2m.ts";
import { inProcessClient } from "./in-process-client.ts";
import { SimulationClock } from "./simulation-clock.ts";

const accountId = "123456789012";
const region = "us-east-1";
const functionArn = `arn:aws:lambda:${region}:${accountId}:function:rotator`;
const clientId = "c2m_fleet";
const clientSecret = "fleet-client-secret";
const baseUrl = "https://c2m.test/v2";
const start = "2026-01-01T00:00:00Z";

const hour = 3_600_000;

/** The code of a step that Lambda has refused to run. */
export const throttled = "throttled";

/** The functions' timeouts as deployed, less what they keep back for answering, in ms. */
const stepMs = 119_000;
const reconcileMs = 299_000;

/** How long calls take, in ms. Ours: /long was seen to take 3.6 s, the others are assumed. */
const takes = { issueLongTermToken: 3_600, otherC2mCalls: 500, secretsManager: 15 };

export interface FleetOptions {
  secrets: number;
  /** C2M's auth calls per minute and source address. Default Infinity. */
  limitPerMinute?: number;
  /** Default `rate(30 days)`. */
  schedule?: string | ((name: string) => string);
  /** How many steps Lambda runs at once; those above are refused. Default Infinity. */
  concurrency?: number;
  /** Whether each rotation starts with its window, in place of any time within it; default false. */
  startsAtOnce?: boolean;
  /** C2M calls that a run of the reconciler may make; default 45, as deployed. */
  budget?: number;
  /** For the times within the rotation windows; default 1. */
  seed?: number;
}

/** What a run of the reconciler did and took. */
export interface ReconcileRun {
  secrets: number;
  /** On the fleet's clock. */
  seconds: number;
  c2mCalls: number;
  /** Secrets that the run did not get done with. */
  failed: number;
  /** Of Secrets Manager, with those for the secrets that were left out. */
  secretsManagerCalls: number;
}

/**
 * Many secrets of one account and one C2M client, deployed at once, on one clock: the protocol and the reconciler as they
 * are, on the engines of the local cloud, with calls that take time.
 */
export class Fleet {
  readonly clock = new SimulationClock(start);
  readonly calls = new CallRates();
  readonly runs: ReconcileRun[] = [];
  /** Steps that failed, by the error's code. */
  readonly failures = new Map<string, number>();
  /** The most steps that ran at once. */
  mostAtOnce = 0;
  /** Hours in which a metric was sent, of each metric. */
  readonly metricHours = new Set<string>();
  /** Bytes of the lines that the functions have written. */
  logBytes = 0;
  /** The end of every rotation, in epoch ms. */
  readonly endedAt: number[] = [];
  readonly c2mEngine: C2mEngine;
  readonly #bus = new EventBus();
  readonly #service: SecretsManagerService;
  readonly #store: SecretStore;
  readonly #c2m: C2mClient;
  readonly #names: string[];
  readonly #ledger: LedgerEntry[] = [];
  readonly #rotatedAt = new Map<string, number>();
  readonly #options: Required<FleetOptions>;
  #delays = false;
  #atWork = 0;

  constructor(options: FleetOptions) {
    this.#options = {
      limitPerMinute: Number.POSITIVE_INFINITY,
      schedule: "rate(30 days)",
      concurrency: Number.POSITIVE_INFINITY,
      startsAtOnce: false,
      budget: 45,
      seed: 1,
      ...options,
    };
    const { clock, calls } = this;
    const faults = new Faults(clock);
    const random = randomFrom(this.#options.seed);
    this.#names = Array.from({ length: options.secrets }, (_, index) => `c2m/token-${index}`);
    // The limit is turned on once all secrets have their first token.
    this.c2mEngine = new C2mEngine({
      clock,
      knobs: { tokenLength: 120, rateLimitPerMinute: Number.POSITIVE_INFINITY },
    });
    this.c2mEngine.registerClient({ clientId, clientSecret, scopes: ["jobs:submit", "tokens:revoke"] });
    const rotatorRole: Caller = {
      kind: "role",
      accountId,
      roleName: "rotator",
      arn: `arn:aws:sts::${accountId}:assumed-role/rotator/rotator`,
    };
    this.#service = new SecretsManagerService({
      clock,
      accountId,
      region,
      events: this.#bus,
      // AWS says of a window no more than that the rotation starts within it: any time is as likely.
      knobs: {
        startWithin: ({ start, end }) => start + (this.#options.startsAtOnce ? 0 : random() * (end - start)),
      },
      rotator: {
        mayInvoke: () => true,
        isFunction: (_, caller) => caller.arn === rotatorRole.arn,
        invoke: (_function, _secret, event) => this.#step(event),
      },
    });
    const client = inProcessClient({ service: this.#service, caller: rotatorRole, region, faults, calls, clock });
    this.#store = delayed(new SecretsManagerStore(client), () => this.#wait(takes.secretsManager));
    const send = sendTo(new C2mFrontDoor({ engine: this.c2mEngine, faults, calls, clock }), baseUrl);
    this.#c2m = createC2mClient({
      baseUrl,
      clientId,
      clock,
      random,
      credentials: async () => ({ mechanism: "client_secret", clientId, clientSecret: new Sensitive(clientSecret) }),
      send: delayedSend(send, (ms) => this.#wait(ms)),
    });
  }

  /** Deploys all secrets and lets the years begin. What that takes is not counted. */
  async deploy(): Promise<void> {
    const { schedule } = this.#options;
    for (const name of this.#names) {
      this.#service.engine.createSecret(
        { Name: name, ClientRequestToken: randomUUID() },
        { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/operator` },
      );
      await runBootstrap(this.#context(name, stepMs));
      this.#service.engine.rotateSecret({
        SecretId: name,
        ClientRequestToken: randomUUID(),
        RotationLambdaARN: functionArn,
        RotationRules: { ScheduleExpression: typeof schedule === "string" ? schedule : schedule(name) },
        RotateImmediately: false,
      });
    }
    await this.#service.engine.idle();
    this.calls.reset();
    this.metricHours.clear();
    this.logBytes = 0;
    this.#bus.events.length = 0;
    this.c2mEngine.knobs.rateLimitPerMinute = this.#options.limitPerMinute;
    this.#delays = true;
    this.clock.at(this.clock.now() + hour, () => this.#hourly());
  }

  /** Lets a day pass. */
  async passDay(): Promise<void> {
    await this.clock.advanceTo(this.clock.now() + 24 * hour);
  }

  /** One run of the reconciler over all secrets, as it is each hour, or each day. */
  async reconcileAll(scope: Scope = "recent"): Promise<{ run: ReconcileRun; cpuMs: number }> {
    const cpu = process.cpuUsage();
    const running = this.#reconcile(this.#names, scope);
    await this.clock.advanceTo(this.clock.now() + hour / 2);
    const { user, system } = process.cpuUsage(cpu);
    return { run: await running, cpuMs: (user + system) / 1_000 };
  }

  rotations(): { succeeded: number; failed: number } {
    const count = (name: string) => this.#bus.events.filter(({ detail }) => detail.eventName === name).length;
    return { succeeded: count("RotationSucceeded"), failed: count("RotationFailed") };
  }

  /** Secrets whose current token is dead. */
  outages(): string[] {
    const live = new Set(this.c2mEngine.liveLongTokens().map(({ id }) => id));
    return this.#names.filter((name) => {
      const { SecretString = "{}" } = this.#service.engine.getSecretValue({ SecretId: name });
      return !live.has((JSON.parse(SecretString) as { token_id?: string }).token_id ?? "");
    });
  }

  /** Secrets that still hold their first token. */
  notRotated(): string[] {
    return this.#names.filter((name) => !this.#rotatedAt.has(name));
  }

  stop(): void {
    this.#service.stop();
  }

  async #step(event: RotationEvent): Promise<{ error?: string }> {
    const name = secretNameOf(event.SecretId) ?? "";
    if (this.#atWork >= this.#options.concurrency) {
      this.failures.set(throttled, (this.failures.get(throttled) ?? 0) + 1);
      return { error: throttled };
    }
    this.#atWork += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atWork);
    try {
      await runStep(this.#context(name, stepMs), event.Step, {
        versionId: event.ClientRequestToken,
        rotationToken: new Sensitive(event.RotationToken),
      });
      if (event.Step === "finishSecret") {
        this.#rotatedAt.set(name, this.clock.now());
        this.endedAt.push(this.clock.now());
      }
      return {};
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      return { error: code };
    } finally {
      this.#atWork -= 1;
    }
  }

  /**
   * The hourly run. Secrets to which nothing has happened are left out: each costs a call and changes nothing, and one more
   * where a token goes; a year of them would cost hours.
   */
  async #hourly(): Promise<void> {
    this.clock.at(this.clock.now() + hour, () => this.#hourly());
    const now = this.clock.now();
    const hourOfDay = new Date(now).getUTCHours();
    const due = this.#names.filter(
      (name) => hourOfProof(name) === hourOfDay || now - (this.#rotatedAt.get(name) ?? 0) < 12 * hour,
    );
    this.runs.push(await this.#reconcile(due, "recent"));
  }

  async #reconcile(names: readonly string[], scope: Scope): Promise<ReconcileRun> {
    const { clock, calls } = this;
    const before = calls.total("secretsmanager");
    const began = clock.now();
    const budget = new CallBudget(this.#options.budget);
    const secrets = names.map((name) => {
      const { settings, ...parts } = this.#context(name, reconcileMs);
      return { settings, parts: { ...parts, c2mAt: () => budget.limit(this.#c2m) } };
    });
    const report: ReconcileReport = await reconcile(
      {
        clock,
        log: this.#log,
        ledger: { read: async (from) => ({ entries: this.#entriesFrom(from), unreadable: 0 }) },
        budget,
        deadline: began + reconcileMs,
        secrets,
        stepMs: 120_000,
      },
      { scope },
    );
    const hasRevoked = report.secrets.some(({ revoked }) => revoked.length > 0);
    const leftOut = this.#names.length - names.length;
    return {
      secrets: names.length,
      seconds: (clock.now() - began) / 1_000,
      c2mCalls: report.c2mCalls,
      failed: report.secrets.filter(({ error }) => error).length,
      secretsManagerCalls: calls.total("secretsmanager") - before + leftOut * (hasRevoked ? 2 : 1),
    };
  }

  #context(secretName: string, timeMs: number): RotationContext {
    return {
      arn: secretName,
      store: this.#store,
      issuer: this.#c2m,
      c2mAt: () => this.#c2m,
      siblings: [],
      proven: this.#proven,
      clock: this.clock,
      log: this.#log,
      settings: {
        secretName,
        clientId,
        baseUrl,
        credentialsSecretId: "c2m/client-credentials",
        scopes: ["jobs:submit", "tokens:revoke"],
        lifetimeSeconds: 60 * 86_400,
        graceSeconds: 3_600,
        pendingMaxAgeSeconds: 26 * 3_600,
        revocation: true,
      },
      randomId: randomUUID,
      deadline: this.clock.now() + timeMs,
    };
  }

  readonly #proven = new ProvenVersions({ now: () => this.clock.now() });

  readonly #log: RotationLog = {
    event: (event, fields) => {
      this.logBytes += formatLine(event, fields, this.clock.now()).length;
      if (isLedgerEvent(event)) this.#ledger.push({ event, at: this.clock.now(), fields } as LedgerEntry);
    },
    metric: (name) => void this.metricHours.add(`${name} ${Math.floor(this.clock.now() / hour)}`),
  };

  #entriesFrom(from: number): LedgerEntry[] {
    let first = this.#ledger.length;
    while (first > 0 && (this.#ledger[first - 1]?.at ?? 0) >= from) first -= 1;
    return this.#ledger.slice(first);
  }

  async #wait(ms: number): Promise<void> {
    if (this.#delays) await this.clock.sleep(ms);
  }
}

function delayed(store: SecretStore, wait: () => Promise<void>): SecretStore {
  const after =
    <Request extends unknown[], Answer>(call: (...request: Request) => Promise<Answer>) =>
    async (...request: Request): Promise<Answer> => {
      await wait();
      return await call(...request);
    };
  return {
    describe: after((secretId) => store.describe(secretId)),
    read: after((secretId, versionId) => store.read(secretId, versionId)),
    readCurrent: after((secretId) => store.readCurrent(secretId)),
    listVersions: after((secretId) => store.listVersions(secretId)),
    put: after((version) => store.put(version)),
    moveStage: after((move) => store.moveStage(move)),
  };
}

/** C2M takes its time before it answers, and each attempt anew. */
function delayedSend(send: HttpSend, wait: (ms: number) => Promise<void>): HttpSend {
  return async (request) => {
    const operation = request.url.pathname.split("/").at(-1);
    await wait(operation === "long" ? takes.issueLongTermToken : takes.otherC2mCalls);
    return await send(request);
  };
}

/** Mulberry32: numbers in [0, 1) that are the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
