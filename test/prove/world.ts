import { SecretsManagerStore } from "../../lambdas/aws/secrets-manager-store.ts";
import { createC2mClient } from "../../lambdas/c2m/client.ts";
import { CallBudget } from "../../lambdas/rotation/call-budget.ts";
import { PermanentError } from "../../lambdas/rotation/errors.ts";
import type { RotationLog } from "../../lambdas/rotation/events.ts";
import type { RotationContext } from "../../lambdas/rotation/ports.ts";
import { type ReconcileReport, reconcile } from "../../lambdas/rotation/reconcile.ts";
import type { Scope } from "../../lambdas/rotation/reconcile-secret.ts";
import { runBootstrap, runStep } from "../../lambdas/rotation/run-step.ts";
import { Sensitive } from "../../lambdas/rotation/sensitive.ts";
import type { TokenSettings } from "../../lambdas/rotation/settings.ts";
import type { Caller } from "../harness/aws/service.ts";
import { C2mEngine } from "../harness/c2m/engine.ts";
import { type Clock, VirtualClock } from "../harness/clock.ts";
import { EventBus } from "../harness/event-bus.ts";
import { holderOf } from "../harness/secrets-manager/labels.ts";
import { type RotationEvent, rotationSteps } from "../harness/secrets-manager/rotation.ts";
import type { Secret } from "../harness/secrets-manager/secret.ts";
import { SecretsManagerService } from "../harness/secrets-manager/service.ts";
import { type Effect, Effects } from "./effects.ts";
import { type FunctionEnd, FunctionRun, type Invocation } from "./function-run.ts";
import { InMemoryLedger } from "./in-memory-ledger.ts";
import { act } from "./operator.ts";
import { c2mSend, storeClient } from "./ports.ts";
import type { Scenario } from "./scenarios.ts";
import type { Intrusion, Strike } from "./schedule.ts";
import { Watch } from "./watch.ts";

const accountId = "123456789012";
const region = "us-east-1";
const baseUrl = "https://c2m.test/v2";
const timeoutMs = { rotator: 120_000, reconciler: 300_000 } as const;

/** Kept back of a function's time by its handler, in ms. */
const answerMs = 1_000;

/** Calls to C2M that a run of the reconciler may make. */
const callBudget = 100;

export const clientId = "c2m_client";
export const clientSecret = "cs-3f9a-client-secret-7b21";
export const scopes = ["jobs:submit", "tokens:revoke"];

/** What is explored; a broken double replaces a part of it. */
export interface Protocol {
  runStep: typeof runStep;
  runBootstrap: typeof runBootstrap;
  reconcile: typeof reconcile;
}

export const theProtocol: Protocol = { runStep, runBootstrap, reconcile };

/** A token secret and its settings. */
export interface TokenSecret {
  index: number;
  arn: string;
  settings: TokenSettings;
}

/** The functions on the engines of the local cloud and a virtual clock, in this process, with strikes where a schedule wants them. */
export class ProveWorld {
  readonly clock = new VirtualClock("2026-01-01T00:05:00Z");
  readonly bus = new EventBus();
  readonly scenario: Scenario;
  readonly c2m: C2mEngine;
  readonly service: SecretsManagerService;
  readonly ledger: InMemoryLedger;
  readonly effects: Effects;
  readonly watch: Watch;
  readonly secrets: readonly TokenSecret[];
  readonly functionArn = `arn:aws:lambda:${region}:${accountId}:function:rotator`;
  readonly administrator: Caller = { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/operator` };
  /** Versions that Secrets Manager has had made, in order. */
  readonly versionIds: string[] = [];
  /** By ARN: the version whose latest attempt failed. */
  readonly #failed = new Map<string, string>();
  readonly #protocol: Protocol;
  #ids = 0;

  constructor(options: { scenario: Scenario; strikes: readonly Strike[]; protocol?: Protocol }) {
    const { scenario } = options;
    const { clock } = this;
    this.scenario = scenario;
    this.#protocol = options.protocol ?? theProtocol;
    this.ledger = new InMemoryLedger(scenario.ledger);
    let tokens = 0;
    this.c2m = new C2mEngine({
      clock: aheadOf(clock, scenario.c2mAheadMs ?? 0),
      knobs: { tokenFormat: "opaque", tokenLength: 24, ...scenario.c2mKnobs },
      randomId: () => `tok_${++tokens}`,
    });
    this.c2m.registerClient({ clientId, clientSecret, scopes });
    this.service = new SecretsManagerService({
      clock,
      accountId,
      region,
      events: this.bus,
      knobs: { retry: "manual", ...scenario.knobs },
      randomId: () => this.id("made-by-aws"),
      rotator: {
        mayInvoke: () => true,
        isFunction: (_, caller) => caller.arn.endsWith("rotator/rotator"),
        invoke: async (_function, _secret, event) => {
          const end = await this.step(event);
          return end.kind === "succeeded" ? {} : { error: end.kind };
        },
      },
    });
    this.secrets = Array.from({ length: scenario.secrets ?? 1 }, (_, index) => this.#createSecret(index));
    this.watch = new Watch({
      clock,
      c2m: this.c2m,
      scenario,
      secrets: () => this.secrets.map(({ index }) => this.secret(index)),
      confidential: [clientSecret],
    });
    this.effects = new Effects({
      clock,
      strikes: options.strikes,
      intrude: (kind, effect) => this.#intrude(kind, effect),
      before: (effect) => this.watch.before(effect),
      after: (effect) => this.watch.after(effect),
    });
    this.watch.operatorActed(0);
    this.bus.onEvent(({ detail }) => {
      const { SecretId } = (detail.additionalEventData ?? {}) as { SecretId?: string };
      if (SecretId === undefined) return;
      const pending = holderOf(this.secret(this.#indexOf(SecretId)).state, "AWSPENDING");
      if (detail.eventName === "RotationFailed" && pending) this.#failed.set(SecretId, pending.id);
      else this.#failed.delete(SecretId);
      if (detail.eventName === "RotationSucceeded") this.watch.rotationSucceeded(this.secret(this.#indexOf(SecretId)));
    });
  }

  get engine() {
    return this.service.engine;
  }

  /** The secret as it is, whatever readers see. */
  secret(index: number): Secret {
    const found = this.engine.find(this.of(index).arn);
    if (!found) throw new Error("The secret is gone.");
    return found;
  }

  of(index: number): TokenSecret {
    const found = this.secrets[index];
    if (!found) throw new Error(`There is no secret ${index}.`);
    return found;
  }

  /** The id of the version that has a label, and with `without` does not have another. */
  holder(index: number, stage: string, without?: string): string | undefined {
    const version = holderOf(this.secret(index).state, stage);
    return without !== undefined && version?.stages.has(without) ? undefined : version?.id;
  }

  id(kind = "version"): string {
    this.#ids += 1;
    return `${kind}-${String(this.#ids).padStart(30, "0")}`;
  }

  bootstrap(index: number): Promise<FunctionEnd<unknown>> {
    const { arn } = this.of(index);
    return this.#invoke({ role: "rotator", name: "bootstrap", secret: index }, (context) =>
      this.#protocol.runBootstrap(context(index), arn),
    );
  }

  step(event: RotationEvent): Promise<FunctionEnd<unknown>> {
    const secret = this.#indexOf(event.SecretId);
    const { ClientRequestToken: versionId, RotationToken } = event;
    this.watch.confide(RotationToken);
    if (!this.versionIds.includes(versionId)) this.versionIds.push(versionId);
    return this.#invoke({ role: "rotator", name: event.Step, secret, event }, (context) =>
      this.#protocol.runStep(context(secret), event.Step, {
        secretId: event.SecretId,
        versionId,
        rotationToken: new Sensitive(RotationToken),
      }),
    );
  }

  /**
   * Secrets Manager tries a rotation again that failed after it had moved AWSCURRENT. The local one does so by itself only
   * while the rotation's window is open, so the steps are delivered from here.
   */
  async deliverAgain(index: number): Promise<void> {
    const { arn } = this.of(index);
    const versionId = this.#failed.get(arn);
    if (versionId === undefined || versionId !== this.holder(index, "AWSPENDING")) return;
    if (await this.#allSteps(index, versionId, "the-rotation-token-of-a-retry")) {
      this.#failed.delete(arn);
      this.watch.rotationSucceeded(this.secret(index));
    }
  }

  reconcile(scope: Scope): Promise<FunctionEnd<ReconcileReport>> {
    const name = scope === "all" ? "reconcile all" : "reconcile";
    return this.#invoke({ role: "reconciler", name, secret: undefined }, (context, run) => {
      const budget = new CallBudget(callBudget);
      const contexts = this.secrets.map(({ index }) => {
        const own = context(index);
        return { ...own, c2m: budget.limit(own.c2m) };
      });
      const { clock, log, deadline } = context(0);
      const ledger = {
        read: (from: number) =>
          this.effects.request(run, {
            service: "ledger" as const,
            operation: "FilterLogEvents",
            mutates: false,
            subject: "",
            perform: () => this.ledger.read(from, this.clock.now()),
            troubled: (trouble) => {
              throw Object.assign(new Error(trouble), { name: trouble });
            },
          }),
      };
      const parts = { clock, log, ledger, budget, deadline, contexts, stepMs: timeoutMs.rotator };
      return this.#protocol.reconcile(parts, { scope });
    });
  }

  async #invoke<Result>(
    invocation: Invocation,
    body: (context: (index: number) => RotationContext, run: FunctionRun) => Promise<Result>,
  ): Promise<FunctionEnd<Result>> {
    const run = new FunctionRun(invocation, this.clock.now() + timeoutMs[invocation.role]);
    const end = await run.end(() => body((index) => this.#context(run, index), run));
    if (end.kind === "killed") this.ledger.killed(run);
    this.watch.ended(run, end);
    return end;
  }

  #context(run: FunctionRun, index: number): RotationContext {
    const { role } = run.invocation;
    const caller: Caller = {
      kind: "role",
      accountId,
      roleName: role,
      arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${role}`,
    };
    const clock = run.clock(this.clock);
    return {
      store: new SecretsManagerStore(storeClient(this.effects, run, { service: this.service, caller, region })),
      c2m: createC2mClient({
        baseUrl,
        clientId,
        credentials: async () => {
          if (role === "reconciler")
            throw new PermanentError("issue_forbidden", "The reconciler never issues a token.");
          return { mechanism: "client_secret", clientId, clientSecret: new Sensitive(clientSecret) };
        },
        clock,
        random: () => 0.5,
        send: c2mSend(this.effects, run, this.c2m, baseUrl),
      }),
      clock,
      log: this.#log(run),
      settings: this.of(index).settings,
      randomId: () => this.id("attempt"),
      deadline: run.timeoutAt - answerMs,
    };
  }

  #log(run: FunctionRun): RotationLog {
    return {
      event: (event, fields) => {
        const { token_id, version_id } = fields as { token_id?: string; version_id?: string };
        this.effects.log(run, event, token_id ?? version_id ?? "", () => {
          const line = this.ledger.write(run, this.clock.now(), event, fields);
          if (event === "token.unrevocable") this.watch.unrevocable.add(token_id ?? "without id");
          this.watch.logged(run, line);
        });
      },
      metric: () => {},
    };
  }

  async #intrude(kind: Intrusion, { run }: Effect): Promise<void> {
    const { event, role, secret = 0 } = run.invocation;
    switch (kind) {
      case "reconcile":
      case "reconcile-all":
        await this.reconcile(kind === "reconcile" ? "recent" : "all");
        return;
      case "again":
        if (role === "reconciler") await this.reconcile("recent");
        else if (event) await this.step(event);
        else await this.bootstrap(secret);
        return;
      case "older-steps":
        await this.#olderSteps(secret, event?.ClientRequestToken);
        return;
      default:
        act(this, kind, secret);
    }
  }

  /** What an earlier rotation was delivered, or would have been, arrives now. */
  async #olderSteps(secret: number, own: string | undefined): Promise<void> {
    const older = this.versionIds.findLast((id) => id !== own) ?? this.holder(secret, "AWSCURRENT");
    if (older === undefined) return;
    await this.#allSteps(secret, older, "a-late-rotation-token");
  }

  /** The four steps, as far as they succeed; whether all did. */
  async #allSteps(secret: number, versionId: string, rotationToken: string): Promise<boolean> {
    const { arn } = this.of(secret);
    for (const Step of rotationSteps) {
      const event = { Step, SecretId: arn, ClientRequestToken: versionId, RotationToken: rotationToken };
      const end = await this.step(event);
      if (end.kind !== "succeeded") return false;
    }
    return true;
  }

  #createSecret(index: number): TokenSecret {
    const { scenario } = this;
    const secretName = `c2m/token-${index}`;
    const settings: TokenSettings = {
      secretName,
      clientId,
      baseUrl,
      credentialsSecretId: "c2m/client-credentials",
      scopes,
      ttlSeconds: 60 * 86_400,
      graceSeconds: scenario.graceSeconds,
      pendingMaxAgeSeconds: (scenario.pendingMaxAgeHours ?? 3) * 3_600,
      revocation: true,
    };
    const created = this.engine.createSecret(
      {
        Name: secretName,
        ClientRequestToken: this.id(),
        ...(scenario.initialValue === undefined ? {} : { SecretString: "a-password-from-before-us" }),
      },
      this.administrator,
      "AbCdEf",
    );
    return { index, arn: created.ARN, settings };
  }

  #indexOf(arn: string): number {
    return this.secrets.findIndex((secret) => secret.arn === arn);
  }
}

function aheadOf(clock: VirtualClock, ms: number): Clock {
  if (ms === 0) return clock;
  return {
    now: () => clock.now() + ms,
    sleep: (wait) => clock.sleep(wait),
    at: (time, run) => clock.at(time - ms, run),
  };
}
