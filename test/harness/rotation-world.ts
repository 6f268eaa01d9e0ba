import type { Caller } from "../../local-cloud/aws/service.ts";
import { C2mEngine } from "../../local-cloud/c2m/engine.ts";
import { C2mFrontDoor } from "../../local-cloud/c2m/front-door.ts";
import type { C2mKnobs } from "../../local-cloud/c2m/knobs.ts";
import { CallLog } from "../../local-cloud/calls.ts";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { EventBus } from "../../local-cloud/events/bus.ts";
import { type Fault, Faults } from "../../local-cloud/faults.ts";
import type { KnobSettings } from "../../local-cloud/secrets-manager/knobs.ts";
import type { RotationEvent } from "../../local-cloud/secrets-manager/rotation.ts";
import { SecretsManagerService } from "../../local-cloud/secrets-manager/service.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { type C2mClient, createC2mClient } from "../../src/c2m/client.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import type { EventName, Events, RotationLog } from "../../src/formats/ledger.ts";
import type { MetricName } from "../../src/formats/metrics.ts";
import { listedBaseUrl, type TokenSettings } from "../../src/formats/settings.ts";
import { RotationError } from "../../src/ports/errors.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import { ProvenVersions } from "../../src/rotation/proven.ts";
import type { BootstrapResult } from "../../src/rotation/steps/bootstrap.ts";
import { runBootstrap, runStep } from "../../src/rotation/steps/run-step.ts";
import { sendTo } from "./in-process-c2m.ts";
import { inProcessClient } from "./in-process-client.ts";
import { Operator } from "./operator.ts";

const accountId = "123456789012";
const region = "us-east-1";
const rotatorArn = `arn:aws:sts::${accountId}:assumed-role/rotator/rotator`;
const baseUrl = "https://c2m.test/v2";

export const clientId = "c2m_client";
export const clientSecret = "cs-3f9a-client-secret-7b21";
export const scopes = ["jobs:submit", "jobs:read", "tokens:revoke"];

/** A line of the function's log. */
export type LogLine = { [Name in EventName]: { at: number; event: Name; fields: Events[Name] } }[EventName];

export interface WorldOptions {
  settings?: Partial<TokenSettings>;
  knobs?: KnobSettings;
  c2mKnobs?: Partial<C2mKnobs>;
  /** What stands in the secret before anything else; default nothing. */
  initialValue?: string;
  /** Seconds a step may take; default 120. */
  timeoutSeconds?: number;
  /** Default `clientSecret`. */
  clientSecret?: string;
  /** What authenticates an issue call; default the client secret. */
  credentials?: () => Promise<Credentials>;
  /** Where the function speaks as well; default nowhere but `log` and `metrics`. */
  alsoTo?: RotationLog;
}

/** The error that a step ends with; throws when it succeeds. */
export async function failureOf(run: Promise<unknown>): Promise<RotationError> {
  try {
    await run;
  } catch (error) {
    if (error instanceof RotationError) return error;
    throw error;
  }
  throw new Error("It succeeded, where a failure was expected.");
}

/** The protocol, in this process, on the engines of the local cloud and a virtual clock: no HTTP, no processes. */
export class World {
  readonly clock = new VirtualClock("2026-01-01T00:00:00Z");
  readonly faults = new Faults(this.clock);
  readonly calls = new CallLog();
  readonly bus = new EventBus();
  readonly log: LogLine[] = [];
  readonly metrics: { name: MetricName; value: number }[] = [];
  readonly c2mEngine: C2mEngine;
  readonly service: SecretsManagerService;
  readonly store: SecretStore;
  readonly c2m: C2mClient;
  readonly settings: TokenSettings;
  readonly arn: string;
  readonly functionArn = `arn:aws:lambda:${region}:${accountId}:function:rotator`;
  readonly rotatorRole: Caller = {
    kind: "role",
    accountId,
    roleName: "rotator",
    arn: rotatorArn,
  };
  readonly administrator: Caller = { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/operator` };
  readonly operator = new Operator(this);
  /** Runs a step for Secrets Manager; may be replaced. */
  invoke: (event: RotationEvent) => Promise<void>;
  /** What every step failed with, in order. */
  readonly failures: unknown[] = [];
  #proven = new ProvenVersions(this.clock);
  #timeoutMs: number;
  #alsoTo: RotationLog | undefined;
  #ids = 0;

  constructor(options: WorldOptions = {}) {
    const { clock, faults, calls } = this;
    this.#alsoTo = options.alsoTo;
    this.#timeoutMs = (options.timeoutSeconds ?? 120) * 1_000;
    this.settings = {
      secretName: "c2m/api-token",
      clientId,
      baseUrl,
      credentialsSecretId: "c2m/client-credentials",
      scopes,
      lifetimeSeconds: 60 * 86_400,
      graceSeconds: 0,
      pendingMaxAgeSeconds: 26 * 3_600,
      revocation: true,
      ...options.settings,
    };
    this.c2mEngine = new C2mEngine({ clock, ...(options.c2mKnobs ? { knobs: options.c2mKnobs } : {}) });
    this.c2mEngine.registerClient({
      clientId,
      clientSecret: options.clientSecret ?? clientSecret,
      scopes: [...scopes, "account:read", "tokens:write"],
    });
    this.invoke = (event) => this.step(event);
    this.service = new SecretsManagerService({
      clock,
      accountId,
      region,
      events: this.bus,
      ...(options.knobs ? { knobs: options.knobs } : {}),
      rotator: {
        mayInvoke: () => true,
        isFunction: (_, caller) => caller.arn === rotatorArn,
        invoke: async (_functionArn, _secretArn, event) => {
          try {
            await this.invoke(event);
            return {};
          } catch (error) {
            this.failures.push(error);
            return { error: String(error) };
          }
        },
      },
    });
    const created = this.service.engine.createSecret(
      {
        Name: this.settings.secretName,
        ClientRequestToken: this.#id(),
        ...(options.initialValue === undefined ? {} : { SecretString: options.initialValue }),
      },
      this.administrator,
      "AbCdEf",
    );
    this.arn = created.ARN;
    const client = inProcessClient({ service: this.service, caller: this.rotatorRole, region, faults, calls, clock });
    this.store = new SecretsManagerStore(client);
    this.c2m = createC2mClient({
      baseUrl,
      clientId,
      credentials: options.credentials ?? (async () => ofClientSecret(options.clientSecret ?? clientSecret)),
      clock,
      random: () => 0.5,
      send: sendTo(new C2mFrontDoor({ engine: this.c2mEngine, faults, calls, clock }), baseUrl),
    });
  }

  get engine() {
    return this.service.engine;
  }

  /** What a step gets that starts now. */
  context(overrides: Partial<RotationContext> = {}): RotationContext {
    return {
      arn: this.arn,
      store: this.store,
      issuer: this.c2m,
      c2mAt: (said) => (listedBaseUrl(this.settings, said) === undefined ? undefined : this.c2m),
      siblings: [],
      proven: this.#proven,
      clock: this.clock,
      log: {
        event: (event, fields) => {
          this.log.push({ at: this.clock.now(), event, fields } as LogLine);
          this.#alsoTo?.event(event, fields);
        },
        metric: (name, value = 1) => {
          this.metrics.push({ name, value });
          this.#alsoTo?.metric(name, value);
        },
      },
      settings: this.settings,
      randomId: () => this.#id(),
      deadline: this.clock.now() + this.#timeoutMs,
      ...overrides,
    };
  }

  /** The function's process ends: the next step is run by a new one, which remembers nothing. */
  newProcess(): void {
    this.#proven = new ProvenVersions(this.clock);
  }

  /** Runs one step by hand. */
  run(step: RotationEvent["Step"], versionId: string, rotationToken?: string): Promise<void> {
    return runStep(this.context(), step, {
      versionId,
      rotationToken: rotationToken === undefined ? undefined : new Sensitive(rotationToken),
    });
  }

  /** Runs these steps by hand, one after the other. */
  async runAll(versionId: string, steps: readonly RotationEvent["Step"][]): Promise<void> {
    for (const step of steps) await this.run(step, versionId);
  }

  /** Opens a rotation whose steps nobody runs, and resolves with its version's id. */
  async open(versionId = this.#id()): Promise<string> {
    const { invoke } = this;
    this.invoke = () => Promise.reject(new Error("Nobody runs the steps."));
    this.engine.rotateSecret({ SecretId: this.arn, ClientRequestToken: versionId });
    await this.engine.idle();
    this.invoke = invoke;
    this.failures.pop();
    return versionId;
  }

  /** The version that has this label now, whatever readers see. */
  holder(stage: string): string | undefined {
    for (const version of this.engine.find(this.arn)?.state.versions.values() ?? []) {
      if (version.stages.has(stage)) return version.id;
    }
    return undefined;
  }

  /** Issues a token at C2M that the function knows nothing of. */
  async foreignToken(lifetimeSeconds = 86_400): Promise<{ id: string; text: string }> {
    const token = await this.c2m.issueLongTermToken({
      scopes: this.settings.scopes,
      lifetimeSeconds,
      deadline: this.clock.now() + 60_000,
    });
    return { id: token.tokenId ?? "", text: token.accessToken.reveal() };
  }

  /** Has Secrets Manager refuse or lose a call of the function. */
  fail(operation: string, fault: Fault | string, times = 1): () => void {
    return this.faults.add({
      service: /^[A-Z]/.test(operation) ? "secretsmanager" : "c2m",
      operation,
      times,
      fault: typeof fault === "string" ? { kind: "error", status: 400, code: fault, message: "as ordered" } : fault,
    });
  }

  step(event: RotationEvent): Promise<void> {
    return runStep(this.context(), event.Step, {
      versionId: event.ClientRequestToken,
      rotationToken: new Sensitive(event.RotationToken),
    });
  }

  bootstrap(): Promise<BootstrapResult> {
    return runBootstrap(this.context());
  }

  /** Turns rotation on; tests the current value only, unless told to rotate. */
  async enableRotation(rules: { schedule?: string; immediately?: boolean } = {}): Promise<void> {
    this.engine.rotateSecret({
      SecretId: this.arn,
      ClientRequestToken: this.#id(),
      RotationLambdaARN: this.functionArn,
      RotationRules: { ScheduleExpression: rules.schedule ?? "rate(30 days)" },
      RotateImmediately: rules.immediately ?? false,
    });
    await this.engine.idle();
  }

  /** Rotates now and waits for the first attempt's end. Resolves with the new version's id. */
  async rotate(): Promise<string> {
    const versionId = this.#id();
    this.engine.rotateSecret({ SecretId: this.arn, ClientRequestToken: versionId });
    await this.engine.idle();
    return versionId;
  }

  /** Bootstrapped, and rotation on: where most tests start. */
  static async ready(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.bootstrap();
    await world.enableRotation();
    return world;
  }

  /** The fields of the current value. */
  current(): Record<string, unknown> {
    return this.value(this.holder("AWSCURRENT") ?? "");
  }

  /** The fields of a version's value, whatever readers see. */
  value(versionId: string): Record<string, unknown> {
    return JSON.parse(this.text(versionId) ?? "null");
  }

  /** A version's value as it is stored; undefined while it has none. */
  text(versionId: string): string | undefined {
    const value = this.engine.find(this.arn)?.state.versions.get(versionId)?.value;
    return value && "text" in value ? value.text : undefined;
  }

  /** The labels of every version that has some, whatever readers see. */
  stages(): Record<string, string[]> {
    const versions = [...(this.engine.find(this.arn)?.state.versions.values() ?? [])];
    return Object.fromEntries(
      versions.filter(({ stages }) => stages.size > 0).map(({ id, stages }) => [id, [...stages].sort()]),
    );
  }

  /** Ids of the long tokens that live, in order of issue. */
  live(): string[] {
    return this.c2mEngine.liveLongTokens().map(({ id }) => id);
  }

  /** Ids of all long tokens that were ever issued. */
  issued(): string[] {
    return this.c2mEngine.tokens.filter(({ kind }) => kind === "long").map(({ id }) => id);
  }

  events<Name extends EventName>(name: Name): Events[Name][] {
    return this.log.filter(({ event }) => event === name).map(({ fields }) => fields as Events[Name]);
  }

  /** Calls by operation, since the start or since `from`. */
  countCalls(service: string, from = 0): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const call of this.calls.calls.slice(from)) {
      if (call.service === service) counts[call.operation] = (counts[call.operation] ?? 0) + 1;
    }
    return counts;
  }

  #id(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, "0")}`;
  }
}

function ofClientSecret(text: string): Credentials {
  return { mechanism: "client_secret", clientId, clientSecret: new Sensitive(text) };
}
