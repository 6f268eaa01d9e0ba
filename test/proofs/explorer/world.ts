import type { Caller } from "../../../local-cloud/aws/service.ts";
import { C2mEngine, type C2mState } from "../../../local-cloud/c2m/engine.ts";
import { type Clock, VirtualClock } from "../../../local-cloud/clock.ts";
import { EventBus } from "../../../local-cloud/events/bus.ts";
import { holderOf } from "../../../local-cloud/secrets-manager/labels.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import { SecretsManagerService } from "../../../local-cloud/secrets-manager/service.ts";
import type { TokenSettings } from "../../../src/formats/settings.ts";
import { clientId, clientSecret, mostScopes, otherClientId, otherClientSecret, scopes } from "./c2m-client.ts";
import { C2ms } from "./c2ms.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Connection } from "./connection.ts";
import { Effects } from "./effects.ts";
import type { FunctionRun } from "./function-run.ts";
import { Functions, type Protocol } from "./functions.ts";
import { InMemoryLedger } from "./in-memory-ledger.ts";
import { intrude } from "./intrusions.ts";
import type { Place } from "./life.ts";
import type { Appointment, ClientCredentials, TokenSecret, World } from "./parts.ts";
import { baseUrl, engineConnection } from "./ports.ts";
import type { Scenario } from "./scenarios.ts";
import type { Strike } from "./schedule.ts";
import { endOf, turn } from "./spells.ts";
import { Watch, type Watched } from "./watch.ts";

const accountId = "123456789012";
const region = "us-east-1";

/** The functions on the engines of the local cloud and a virtual clock, in this process, with strikes where a schedule wants them. */
export class ProveWorld implements World {
  readonly clock: VirtualClock;
  readonly bus = new EventBus();
  readonly scenario: Scenario;
  readonly c2m: C2mEngine;
  readonly c2ms = new C2ms();
  readonly service: SecretsManagerService;
  readonly ledger: InMemoryLedger;
  readonly effects: Effects;
  readonly watch: Watch;
  readonly secrets: TokenSecret[];
  readonly region = region;
  credentials: ClientCredentials = { clientId, clientSecret, baseUrl };
  credentialsBefore: ClientCredentials | undefined = undefined;
  rightCredentials = this.credentials;
  wrongUntil = 0;
  paused = false;
  readonly appointments = new Set<Appointment>();
  readonly toDeploy = new Set<number>();
  readonly toDecommission = new Set<number>();
  readonly decommissioned = new Set<number>();
  readonly unlisted = new Set<number>();
  /** How the functions reach the world: straight to the engines, unless `connect` is called. */
  connection: Connection;
  readonly functionArn = `arn:aws:lambda:${region}:${accountId}:function:rotator`;
  readonly administrator: Caller = { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/operator` };
  readonly functions: Functions;
  /** Called between two steps of a rotation, which waits for what it returns. */
  betweenSteps: (() => Promise<void> | undefined) | undefined = undefined;
  /** By ARN: the version whose latest attempt failed. */
  readonly #failed = new Map<string, string>();
  readonly #seen = new Map<string, Secret>();
  #ids = 0;
  #tokens = 0;
  #madeAgain = 0;

  constructor(options: {
    scenario: Scenario;
    strikes: readonly Strike[];
    protocol?: Protocol;
    /** Where another world was; default at the beginning. */
    from?: Checkpoint | undefined;
  }) {
    const { scenario, from } = options;
    this.clock = new VirtualClock(from?.now ?? "2026-01-01T00:05:00Z");
    const { clock } = this;
    this.scenario = scenario;
    this.functions = new Functions(this, options.protocol);
    this.ledger = new InMemoryLedger(scenario.ledger);
    for (const [url, { state, knobs }] of from?.c2ms ?? []) Object.assign(this.addC2m(url, state).engine.knobs, knobs);
    this.c2m = this.addC2m(baseUrl).engine;
    if (!from) {
      this.c2m.registerClient({ clientId, clientSecret, scopes: mostScopes });
      this.c2m.registerClient({ clientId: otherClientId, clientSecret: otherClientSecret, scopes: mostScopes });
    }
    this.service = new SecretsManagerService({
      clock,
      accountId,
      region,
      events: this.bus,
      knobs: { retry: "manual", ...scenario.knobs },
      randomId: () => this.id("made-by-aws"),
      from: from?.secrets,
      betweenSteps: () => this.betweenSteps?.(),
      rotator: {
        mayInvoke: () => true,
        isFunction: (_, caller) => caller.arn.endsWith("rotator/rotator"),
        invoke: async (_function, _secret, event) => {
          const end = await this.functions.step(event);
          return end.kind === "succeeded" ? {} : { error: end.kind };
        },
      },
    });
    this.secrets =
      from?.tokenSecrets.map((secret) => ({ ...secret })) ??
      Array.from({ length: scenario.secrets ?? 1 }, (_, index) => this.#tokenSecret(index));
    this.watch = this.#newWatch();
    for (const secret of [clientSecret, otherClientSecret]) this.watch.confide(secret, baseUrl);
    this.effects = new Effects({
      clock,
      strikes: options.strikes,
      intrude: (kind, effect) => intrude(this, kind, effect),
      spell: (kind) => {
        const at = endOf(kind, clock.now());
        turn(this, kind, true);
        this.appoint({ kind: "spell ends", at, spell: kind });
        return at;
      },
      before: (effect) => this.watch.before(effect),
      after: (effect) => this.watch.after(effect),
    });
    this.connection = engineConnection(this);
    if (from) this.#goOnFrom(from);
    else this.watch.operatorActed(0);
    this.bus.onEvent(({ detail }) => {
      const { SecretId } = (detail.additionalEventData ?? {}) as { SecretId?: string };
      // Of one that was deleted for good, nobody waits for the end of its rotation.
      if (SecretId === undefined || this.indexOf(SecretId) < 0) return;
      const pending = holderOf(this.secret(this.indexOf(SecretId)).state, "AWSPENDING");
      if (detail.eventName === "RotationFailed" && pending) this.#failed.set(SecretId, pending.id);
      else this.#failed.delete(SecretId);
      if (detail.eventName === "RotationSucceeded") this.watch.rotationSucceeded(this.#watched(this.indexOf(SecretId)));
    });
  }

  /**
   * All of it, for worlds that go on from here. Undefined where something is on its way that can't be carried over: it
   * waits for a time other than a rotation's.
   */
  checkpoint(place: Place): Checkpoint | undefined {
    const planned = this.secrets.filter(({ index }) => this.#isPlanned(this.secret(index)));
    const secrets =
      this.clock.waiting === planned.length + this.appointments.size ? this.service.snapshot() : undefined;
    if (!secrets) return undefined;
    const watch = this.#newWatch();
    watch.copy(this.watch);
    const urls = [...this.c2ms.byBaseUrl];
    return {
      place,
      now: this.clock.now(),
      c2ms: new Map(urls.map(([url, engine]) => [url, { state: engine.save(), knobs: { ...engine.knobs } }])),
      secrets,
      seen: new Map([...this.#seen].filter(([arn]) => !this.engine.find(arn)).map(([arn, one]) => [arn, one.copy()])),
      watch,
      ledger: this.ledger.save(),
      functions: this.functions.save(),
      effects: this.effects.save(),
      tokenSecrets: this.secrets.map((secret) => ({ ...secret })),
      appointments: [...this.appointments],
      rest: {
        credentials: this.credentials,
        credentialsBefore: this.credentialsBefore,
        rightCredentials: this.rightCredentials,
        wrongUntil: this.wrongUntil,
        paused: this.paused,
        toDeploy: [...this.toDeploy],
        toDecommission: [...this.toDecommission],
        decommissioned: [...this.decommissioned],
        unlisted: [...this.unlisted],
        failed: [...this.#failed],
        ids: this.#ids,
        tokens: this.#tokens,
        madeAgain: this.#madeAgain,
      },
    };
  }

  #goOnFrom({ seen, watch, ledger, functions, effects, appointments, rest }: Checkpoint): void {
    this.watch.copy(watch);
    this.ledger.restore(ledger);
    this.functions.restore(functions);
    this.effects.restore(effects);
    for (const [arn, secret] of seen) this.#seen.set(arn, secret.copy());
    const { toDeploy, toDecommission, decommissioned, unlisted, failed, ids, tokens, madeAgain, ...others } = rest;
    for (const index of toDeploy) this.toDeploy.add(index);
    for (const index of toDecommission) this.toDecommission.add(index);
    for (const index of decommissioned) this.decommissioned.add(index);
    for (const index of unlisted) this.unlisted.add(index);
    for (const [arn, versionId] of failed) this.#failed.set(arn, versionId);
    this.#ids = ids;
    this.#tokens = tokens;
    this.#madeAgain = madeAgain;
    Object.assign(this, others);
    for (const appointment of appointments) this.appoint(appointment);
  }

  appoint(appointment: Appointment): void {
    this.appointments.add(appointment);
    this.clock.at(appointment.at, () => {
      this.appointments.delete(appointment);
      if (appointment.kind === "freeze ends") this.paused = false;
      else if (appointment.kind === "listed again") {
        this.unlisted.delete(appointment.index);
        if (!this.decommissioned.has(appointment.index)) this.toDeploy.add(appointment.index);
      }
      // The same spell can have begun once more.
      else if (appointment.kind === "spell ends" && !this.effects.isOn(appointment.spell))
        turn(this, appointment.spell, false);
      else if (appointment.kind === "credentials righted" && this.credentials === appointment.wrong) {
        this.rightCredentials = appointment.right;
        this.credentialsBefore = this.credentials;
        this.credentials = appointment.right;
      }
    });
  }

  /** Whether a time is set for its next rotation. */
  #isPlanned({ state }: Secret): boolean {
    return state.rotation?.enabled === true && !state.deletion;
  }

  #newWatch(): Watch {
    const { clock, c2ms, scenario } = this;
    const secrets = () => this.secrets.map(({ index }) => this.#watched(index));
    return new Watch({ clock, c2ms, scenario, secrets, lines: () => this.ledger.lines });
  }

  get engine() {
    return this.service.engine;
  }

  /** Whom a function acts as. */
  readonly callerOf = ({ invocation: { role } }: FunctionRun): Caller => {
    return { kind: "role", accountId, roleName: role, arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${role}` };
  };

  /** Another way from the functions to the world, where C2M has another base URL. */
  connect(connection: Connection): void {
    this.connection = connection;
    this.c2ms.move(baseUrl, connection.baseUrl);
    this.credentials = { ...this.credentials, baseUrl: connection.baseUrl };
    this.rightCredentials = this.credentials;
    for (const secret of this.secrets) secret.settings = { ...secret.settings, baseUrl: connection.baseUrl };
    for (const secret of [clientSecret, otherClientSecret]) this.watch.confide(secret, connection.baseUrl);
  }

  addC2m(url: string, state?: C2mState): { baseUrl: string; engine: C2mEngine } {
    const known = this.c2ms.at(url);
    if (known) return { baseUrl: url, engine: known };
    const engine = new C2mEngine({
      clock: aheadOf(this.clock, this.scenario.c2mAheadMs ?? 0),
      // Its time stands still while many steps run: a limit by the minute would strike where nobody chose to.
      knobs: {
        tokenFormat: "opaque",
        tokenLength: 24,
        rateLimitPerMinute: Number.POSITIVE_INFINITY,
        ...this.scenario.c2mKnobs,
      },
      randomId: () => `tok_${++this.#tokens}`,
      ...(state ? { state } : {}),
    });
    this.c2ms.add(url, engine);
    return { baseUrl: url, engine };
  }

  async idle(): Promise<void> {
    await this.engine.idle();
    await this.effects.idle();
    await this.engine.idle();
  }

  /** The secret as it is, whatever readers see. */
  readonly secret = (index: number): Secret => {
    const { arn } = this.of(index);
    const found = this.engine.find(arn) ?? this.#seen.get(arn);
    if (!found) throw new Error("The secret was never there.");
    // What was purged is looked at as it was.
    this.#seen.set(arn, found);
    return found;
  };

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

  /**
   * Secrets Manager tries a rotation again that failed after it had moved AWSCURRENT. The local one does so by itself only
   * while the rotation's window is open, so the steps are delivered from here.
   */
  async deliverAgain(index: number): Promise<void> {
    const { arn } = this.of(index);
    const versionId = this.#failed.get(arn);
    if (versionId === undefined || versionId !== this.holder(index, "AWSPENDING")) return void this.#failed.delete(arn);
    if (await this.functions.steps(index, versionId, "the-rotation-token-of-a-retry")) {
      this.#failed.delete(arn);
      // What another rotation has superseded meanwhile is that one's to revoke.
      if (versionId === this.holder(index, "AWSCURRENT")) this.watch.rotationSucceeded(this.#watched(index));
    }
  }

  get isFailing(): boolean {
    return this.#failed.size > 0;
  }

  memory(): unknown {
    return [
      [...this.#failed],
      this.functions.versionIds.slice(-2),
      this.functions.memory(),
      this.paused,
      [...this.toDeploy],
      [...this.toDecommission],
      [...this.decommissioned],
      [...this.unlisted],
    ];
  }

  addSecret(): number {
    const index = this.secrets.length;
    const [first] = this.secrets;
    const added = this.#tokenSecret(index);
    const { secretName } = added.settings;
    this.secrets.push({ ...added, settings: { ...(first?.settings ?? added.settings), secretName, retire: false } });
    this.watch.happened.addedAfter.set(index, this.effects.count);
    // Somebody has put there what is adopted.
    if (this.scenario.initialValue === "text") this.watch.operatorActed(this.effects.count);
    return index;
  }

  makeAgain(index: number): void {
    const secret = this.of(index);
    const before = this.secret(index);
    this.engine.deleteSecret({ SecretId: secret.arn, ForceDeleteWithoutRecovery: true });
    this.watch.happened.deletedForGood(before, this.effects.count);
    this.#madeAgain += 1;
    const suffix = `GhIj${String(this.#madeAgain).padStart(2, "0")}`;
    secret.arn = this.engine.createSecret({ Name: secret.settings.secretName }, this.administrator, suffix).ARN;
  }

  #watched(index: number): Watched {
    return { secret: this.secret(index), settings: this.of(index).settings };
  }

  #tokenSecret(index: number): TokenSecret {
    const { scenario } = this;
    const secretName = `c2m/token-${index}`;
    const settings: TokenSettings = {
      secretName,
      clientId,
      baseUrl,
      ...(scenario.shortToken ? {} : { credentialsSecretId: "c2m/client-credentials" }),
      scopes: scenario.shortToken ? [...scopes, "tokens:write"] : scopes,
      lifetimeSeconds: 60 * 86_400,
      graceSeconds: scenario.graceSeconds,
      pendingMaxAgeSeconds: (scenario.pendingMaxAgeHours ?? 3) * 3_600,
      revocation: true,
    };
    const created = this.engine.createSecret(
      {
        Name: secretName,
        ClientRequestToken: this.id(),
        ...(scenario.initialValue === "text" ? { SecretString: "a-password-from-before-us" } : {}),
      },
      this.administrator,
      "AbCdEf",
    );
    return { index, arn: created.ARN, settings };
  }

  /** Of the secret with this ARN; -1 where it is none that is there. */
  indexOf(arn: string): number {
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
