import type { VirtualClock } from "../../../local-cloud/clock.ts";
import { type CurrentRead, type FunctionRun, forever, Killed } from "./function-run.ts";
import {
  type Crash,
  crashes,
  faults,
  type Gateway,
  gateway,
  type Intrusion,
  intrusions,
  isOneOf,
  type LineFault,
  lineFaults,
  type Move,
  moves,
  type OddIssue,
  type OneFault,
  oddIssues,
  type Spell,
  spells,
  type Wait,
  waits,
} from "./moves.ts";
import type { Strike } from "./schedule.ts";

export type Service = "secretsmanager" | "c2m" | "lambda" | "ledger" | "log";

/** One thing that a process asks of the world, or writes to its log. */
export interface Effect {
  /** From 1, over the whole schedule. */
  number: number;
  run: FunctionRun;
  service: Service;
  operation: string;
  /** Whether it changes anything; a read that is not answered is as one that never left. */
  mutates: boolean;
  /** For the trace. */
  subject: string;
  /** Of a revocation: the read of AWSCURRENT immediately before it. */
  currentRead?: CurrentRead | undefined;
  /** Whether the process hears what comes of it. */
  isHeard: boolean;
}

/** What went wrong with a request, as whoever speaks for the service has to say it. */
export type Trouble = Exclude<OneFault, "stall" | "hang"> | Gateway | OddIssue | "down" | "gateway-down" | "limit";

export interface Request<Answer> extends Omit<Effect, "number" | "run" | "currentRead" | "isHeard"> {
  /** Does it, and calls `done` as soon as it is done. Rejects with what the service answers as an error. */
  perform: (done: () => void) => Promise<Answer>;
  /** The same when there is trouble; `done` is called where it is done all the same. */
  troubled: (trouble: Trouble, done: () => void) => Promise<Answer>;
}

export interface EffectsOptions {
  clock: VirtualClock;
  strikes: readonly Strike[];
  intrude: (kind: Intrusion, effect: Effect) => Promise<void>;
  /** A spell begins. Returns when it ends, epoch ms. */
  spell: (kind: Spell) => number;
  /** Before an effect, and after each that happened. */
  before: (effect: Effect) => void;
  after: (effect: Effect) => void;
}

/** How a read of AWSCURRENT by its label is called here. */
export const readCurrent = "GetSecretValue AWSCURRENT";

/** How long requests take, in ms: as seen of the real C2M, and guessed of AWS. */
const latencyMs: Record<string, number> = { issueLongTermToken: 2_600, issueShortTermToken: 400, revokeToken: 300 };
const awsLatencyMs = 30;

/** A request that left just before the function was killed is done this much later, in ms: after the next attempt began. */
const lateMs = 90_000;

/** A frozen process goes on after so long, in ms: within its time, and after whatever was due. */
const freezeMs = 100_000;

/** All of it at a moment in which nothing runs, and nothing is on its way. */
export interface SavedEffects {
  /** Number of the latest effect. */
  count: number;
  struck: number;
  played: ReadonlyMap<Move, number>;
  until: Partial<Record<Spell, number>>;
}

/** A process that something has come between, and that goes on when that has ended or is held. */
interface Interrupted {
  run: FunctionRun;
  release: () => void;
}

/** Every boundary between the processes and the world passes through here, numbered; here the strikes fall. */
export class Effects {
  readonly #options: EffectsOptions;
  readonly #waiting: Strike[];
  readonly #until: Partial<Record<Spell, number>> = {};
  readonly #interrupted: Interrupted[] = [];
  /** What was held while it came between something, and has not ended. */
  readonly #released = new Set<Promise<void>>();
  /** Every effect, with what happened to it, and when it happened. */
  readonly seen: { effect: Effect; note: string; at: number }[] = [];
  /** How often each kind of strike has fallen. */
  readonly played = new Map<Move, number>();
  /** Number of the latest effect. */
  count = 0;
  /** Strikes that have fallen, and requests that a spell spoiled. */
  struck = 0;
  #late = 0;
  #lateUntil = 0;

  constructor(options: EffectsOptions) {
    this.#options = options;
    this.#waiting = [...options.strikes].sort((one, other) => one.at - other.at);
  }

  save(): SavedEffects {
    return { count: this.count, struck: this.struck, played: new Map(this.played), until: { ...this.#until } };
  }

  /** Goes on from where another one was. */
  restore({ count, struck, played, until }: SavedEffects): void {
    this.count = count;
    this.struck = struck;
    for (const [kind, times] of played) this.played.set(kind, times);
    Object.assign(this.#until, until);
  }

  /** Whether nothing is to come any more but the ends of spells: no strike, no request that is on its way. */
  get isQuiet(): boolean {
    return this.#waiting.length === 0 && this.#late === 0 && this.#released.size === 0;
  }

  /** The spells that are on, and when each ends. */
  get spells(): [Spell, number][] {
    return (Object.entries(this.#until) as [Spell, number][]).filter(([spell]) => this.isOn(spell));
  }

  /** When the last of the requests is done that are on their way, epoch ms; 0 without any. */
  get lateUntil(): number {
    return this.#late === 0 ? 0 : this.#lateUntil;
  }

  /** Whether any spell is on. */
  get isSpellbound(): boolean {
    return (Object.keys(this.#until) as Spell[]).some((spell) => this.isOn(spell));
  }

  /** Whether a spell is on. */
  isOn(spell: Spell): boolean {
    return this.#options.clock.now() < (this.#until[spell] ?? 0);
  }

  /** Resolves when what was held has ended, too. */
  async idle(): Promise<void> {
    while (this.#released.size > 0) await Promise.all(this.#released);
  }

  /** Sends a request of a process. Never settles when the process is killed by it. */
  async request<Answer>(run: FunctionRun, request: Request<Answer>): Promise<Answer> {
    if (run.killed) return await forever();
    const { clock, after, intrude, spell: begin } = this.#options;
    const effect = this.#number(run, request);
    effect.currentRead = this.#readJustBefore(run, effect);
    const note = (text: string) => this.#note(effect, text);
    for (const kind of this.#takeAll(effect, intrusions)) {
      note(`before it: ${intrusions[kind]}`);
      await this.#comeBetween(run, () => intrude(kind, effect));
    }
    for (const kind of this.#takeAll(effect, spells)) {
      note(`from here on: ${spells[kind]}`);
      this.#until[kind] = begin(kind);
    }
    if (run.killed) return await forever();
    const kind = this.#takeOne(effect);
    if (kind === "lost" || kind === "stall") effect.isHeard = false;
    if (kind === "crash") return await this.#die(run, note, kind);
    const done = () => after(effect);
    if (kind === "crash-late") {
      this.#late += 1;
      this.#lateUntil = clock.now() + lateMs;
      clock.at(this.#lateUntil, async () => {
        await request.perform(done).catch(noAnswer);
        this.#late -= 1;
      });
      return await this.#die(run, note, kind);
    }
    const own = run.clock(clock);
    if (kind === "hold") await this.#hold(run, note);
    if (kind === "freeze") {
      note(waits[kind]);
      await own.sleep(freezeMs);
    }
    await own.sleep(latencyMs[request.operation] ?? awsLatencyMs);
    const trouble = this.#spellOn(effect) ?? (kind !== undefined && isTrouble(kind) ? kind : undefined);
    const unknown = trouble ?? kind;
    // Where the winner of two stores can't be read, whose token is stored is not known either.
    if (request.operation === "PutSecretValue") run.hasStored = true;
    const isOfStore = request.operation === "PutSecretValue" ? unknown !== "denied" : run.hasStored;
    if (unknown !== undefined && effect.service === "secretsmanager" && isOfStore) run.storeUnknown = true;
    if (trouble !== undefined) {
      if (trouble !== kind) this.struck += 1;
      note(trouble === kind ? moves[kind] : `${trouble}, by the spell`);
      return await request.troubled(trouble, done);
    }
    if (kind === "hang") {
      note(faults[kind]);
      await own.sleep(run.patience(clock.now()));
      return await request.troubled("cut", done);
    }
    note(kind === undefined || kind === "freeze" || kind === "hold" ? "" : moves[kind]);
    const answer = request.perform(done);
    if (kind === undefined || kind === "freeze" || kind === "hold") return await answer;
    await answer.catch(noAnswer);
    if (kind === "freeze-after") {
      await own.sleep(freezeMs);
      return await answer;
    }
    if (kind === "stall") {
      await own.sleep(run.patience(clock.now()));
      // Only an operator's process has no end of its own.
      return await request.troubled("cut", noAnswer);
    }
    return await this.#die(run, note, "crash-done");
  }

  /** A line of a process's log, written by `write`. @throws Killed */
  log(run: FunctionRun, operation: string, subject: string, write: (fault?: LineFault) => void): void {
    if (run.killed) throw new Killed();
    const effect = this.#number(run, { service: "log", operation, mutates: true, subject });
    const kind = this.#takeOne(effect);
    this.#note(effect, kind === undefined ? "" : moves[kind]);
    if (kind === "crash" || kind === "crash-late") {
      run.kill();
      throw new Killed();
    }
    write(kind !== undefined && isOneOf(lineFaults, kind) ? kind : undefined);
    this.#options.after(effect);
    if (kind === "crash-done") {
      run.kill();
      throw new Killed();
    }
  }

  #number(run: FunctionRun, about: Omit<Effect, "number" | "run" | "isHeard">): Effect {
    this.count += 1;
    const { service, operation, mutates, subject } = about;
    const effect = { number: this.count, run, service, operation, mutates, subject, isHeard: true };
    this.#options.before(effect);
    run.firstEffect ||= effect.number;
    run.latestEffect = effect.number;
    return effect;
  }

  /** The read of AWSCURRENT that a revocation goes by: one for each, with no other request since. */
  #readJustBefore({ currentReads }: FunctionRun, { number, operation }: Effect): CurrentRead | undefined {
    if (operation === "revokeToken") return currentReads.shift();
    if (operation === readCurrent) currentReads.push({ effect: number, at: this.#options.clock.now() });
    else currentReads.length = 0;
    return undefined;
  }

  /** Runs what comes between; resolves when that has ended, or is held. */
  async #comeBetween(run: FunctionRun, begin: () => Promise<void>): Promise<void> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const interrupted = { run, release };
    this.#interrupted.push(interrupted);
    let hasEnded = false;
    const whole = begin().finally(() => {
      hasEnded = true;
      const index = this.#interrupted.indexOf(interrupted);
      if (index >= 0) this.#interrupted.splice(index, 1);
      this.#released.delete(whole);
    });
    await Promise.race([whole, released]);
    if (!hasEnded) this.#released.add(whole);
  }

  /** Lets the process go on that this one came between, until it ends; without one, time passes. */
  async #hold(run: FunctionRun, note: (text: string) => void): Promise<void> {
    note(waits.hold);
    const index = this.#interrupted.findLastIndex((one) => one.run !== run && !one.run.killed);
    const [other] = index < 0 ? [] : this.#interrupted.splice(index, 1);
    const { clock } = this.#options;
    if (!other) return await run.clock(clock).sleep(freezeMs);
    other.release();
    await other.run.over;
    if (clock.now() >= run.timeoutAt) run.kill();
    if (run.killed) await forever();
  }

  /** The strikes of some kinds that are due: what can't fall into an effect waits for the next one. */
  #takeAll<Kind extends string>(effect: Effect, kinds: Record<Kind, string>): Kind[] {
    if (!this.#isDue(effect)) return [];
    const due = this.#waiting.filter(({ at, kind }) => at <= effect.number && Object.hasOwn(kinds, kind));
    for (const strike of due) this.#struck(strike);
    return due.map(({ kind }) => kind as string as Kind);
  }

  #takeOne(effect: Effect): Crash | Wait | OneFault | Gateway | OddIssue | LineFault | undefined {
    if (!this.#isDue(effect)) return undefined;
    const strike = this.#waiting.find(
      ({ at, kind }) =>
        at <= effect.number && !isOneOf(intrusions, kind) && !isOneOf(spells, kind) && falls(kind, effect),
    );
    if (!strike) return undefined;
    this.#struck(strike);
    return strike.kind as Crash | Wait | OneFault | Gateway | OddIssue | LineFault;
  }

  #isDue({ number }: Effect): boolean {
    const [next] = this.#waiting;
    return next !== undefined && next.at <= number;
  }

  #struck(strike: Strike): void {
    this.#waiting.splice(this.#waiting.indexOf(strike), 1);
    this.struck += 1;
    this.played.set(strike.kind, (this.played.get(strike.kind) ?? 0) + 1);
  }

  #spellOn({ service, run, operation, subject }: Effect): Trouble | undefined {
    if (service === "c2m") {
      if (this.isOn("c2m-down")) return "down";
      if (this.isOn("gateway-spell")) return "gateway-down";
      if (this.isOn("gateway-404-spell") && operation === "revokeToken") return "gateway-404";
      return this.isOn("gateway-json-spell") ? "gateway-json" : undefined;
    }
    if (this.isOn("denied-spell") && run.invocation.role !== "operator") return "denied";
    if (service !== "secretsmanager") return undefined;
    if (this.isOn("throttled-spell")) return "refused";
    return this.isOn("limit-spell") && addsToSecret(operation, subject) ? "limit" : undefined;
  }

  #die(run: FunctionRun, note: (text: string) => void, kind: Crash): Promise<never> {
    note(crashes[kind]);
    run.kill();
    return forever();
  }

  #note(effect: Effect, note: string): void {
    this.seen.push({ effect, note, at: this.#options.clock.now() });
  }
}

/** Whether a strike can fall into an effect. */
export function falls(kind: Move, { service, operation }: Pick<Effect, "service" | "operation">): boolean {
  if (isOneOf(crashes, kind)) return true;
  if (isOneOf(lineFaults, kind)) return service === "log";
  if (service === "log") return false;
  if (isOneOf(gateway, kind)) return service === "c2m";
  return !isOneOf(oddIssues, kind) || operation === "issueLongTermToken";
}

function isTrouble(kind: Move): kind is Exclude<OneFault, "stall" | "hang"> | Gateway | OddIssue {
  if (kind === "stall" || kind === "hang") return false;
  return isOneOf(faults, kind) || isOneOf(gateway, kind) || isOneOf(oddIssues, kind);
}

/** Whether it adds a version to the secret, or a label: AWS's own labels are always there. */
function addsToSecret(operation: string, subject: string): boolean {
  if (operation === "PutSecretValue" || operation === "RotateSecret") return true;
  return operation === "UpdateSecretVersionStage" && /^C2M\S* \S/.test(subject);
}

/** The service's refusal of a request whose sender is dead is nobody's. */
function noAnswer(): void {}
