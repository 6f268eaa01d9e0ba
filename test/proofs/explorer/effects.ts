import type { VirtualClock } from "../../../local-cloud/clock.ts";
import { type FunctionRun, forever, Killed } from "./function-run.ts";
import {
  type Crash,
  crashes,
  faults,
  type Intrusion,
  intrusions,
  type OneFault,
  type Spell,
  type Strike,
  spells,
} from "./schedule.ts";

export type Service = "secretsmanager" | "c2m" | "ledger" | "log";

/** One thing that a function asks of the world, or writes to its log. */
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
  /** Of a revocation: number of the read of AWSCURRENT immediately before it. */
  currentReadAt?: number | undefined;
}

/** What went wrong with a request, as whoever speaks for the service has to say it. */
export type Trouble = Exclude<OneFault, "stall"> | "down";

export interface Request<Answer> extends Omit<Effect, "number" | "run" | "currentReadAt"> {
  /** Does it, and calls `done` as soon as it is done. Rejects with what the service answers as an error. */
  perform: (done: () => void) => Promise<Answer>;
  /** The same when there is trouble; `done` is called where it is done all the same. */
  troubled: (trouble: Trouble, done: () => void) => Promise<Answer>;
}

export interface EffectsOptions {
  clock: VirtualClock;
  strikes: readonly Strike[];
  intrude: (kind: Intrusion, effect: Effect) => Promise<void>;
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

const minute = 60_000;
const spellMs: Record<Spell, number> = {
  "throttled-spell": 20 * minute,
  "denied-spell": 180 * minute,
  "c2m-down": 300 * minute,
};

/** Every boundary between the functions and the world passes through here, numbered; here the strikes fall. */
export class Effects {
  readonly #options: EffectsOptions;
  readonly #waiting: Strike[];
  readonly #until: Partial<Record<Spell, number>> = {};
  /** Kept only when there is somebody to show them to. */
  readonly seen: { effect: Effect; note: string; at: number }[] = [];
  count = 0;
  /** Strikes that have fallen, and requests that a spell spoiled. */
  struck = 0;

  constructor(options: EffectsOptions) {
    this.#options = options;
    this.#waiting = [...options.strikes].sort((one, other) => one.at - other.at);
  }

  /** Sends a request of a function. Never settles when the function is killed by it. */
  async request<Answer>(run: FunctionRun, request: Request<Answer>): Promise<Answer> {
    if (run.killed) return await forever();
    const { clock, after, intrude } = this.#options;
    const effect = this.#number(run, request);
    effect.currentReadAt = this.#readJustBefore(run, effect);
    const note = (text: string) => this.#note(effect, text);
    for (const kind of this.#take(effect.number, intrusions)) {
      note(`before it: ${intrusions[kind]}`);
      await intrude(kind, effect);
    }
    for (const kind of this.#take(effect.number, spells)) {
      note(`from here on: ${spells[kind]}`);
      this.#until[kind] = clock.now() + spellMs[kind];
    }
    const kind = this.#takeOne(effect.number);
    if (kind === "crash") return await this.#die(run, note, kind);
    const done = () => after(effect);
    if (kind === "crash-late") {
      clock.at(clock.now() + lateMs, () => request.perform(done).then(noAnswer, noAnswer));
      return await this.#die(run, note, kind);
    }
    await run.clock(clock).sleep(latencyMs[request.operation] ?? awsLatencyMs);
    const spell = this.#spellOn(request.service);
    const trouble = spell ?? kind;
    if (request.operation === "PutSecretValue" && trouble !== undefined && trouble !== "denied")
      run.storeUnknown = true;
    if (spell !== undefined) {
      this.struck += 1;
      note(spell === "down" ? "down" : `${spell}, by the spell`);
      return await request.troubled(spell, done);
    }
    if (kind !== undefined && isTrouble(kind)) {
      note(kind);
      return await request.troubled(kind, done);
    }
    note(kind ?? "");
    const answer = request.perform(done);
    if (kind === undefined) return await answer;
    await answer.catch(noAnswer);
    if (kind === "stall") await run.clock(clock).sleep(run.timeoutAt - clock.now());
    return await this.#die(run, note, "crash-done");
  }

  /** A line of a function's log, written by `write`. @throws Killed */
  log(run: FunctionRun, operation: string, subject: string, write: () => void): void {
    if (run.killed) throw new Killed();
    const effect = this.#number(run, { service: "log", operation, mutates: true, subject });
    const kind = this.#takeOne(effect.number);
    this.#note(effect, kind ?? "");
    if (kind === "crash" || kind === "crash-late") {
      run.kill();
      throw new Killed();
    }
    write();
    this.#options.after(effect);
    if (kind !== undefined && Object.hasOwn(crashes, kind)) {
      run.kill();
      throw new Killed();
    }
  }

  #number(run: FunctionRun, about: Omit<Effect, "number" | "run">): Effect {
    this.count += 1;
    const { service, operation, mutates, subject } = about;
    const effect = { number: this.count, run, service, operation, mutates, subject };
    this.#options.before(effect);
    run.firstEffect ||= effect.number;
    run.latestEffect = effect.number;
    return effect;
  }

  /** Number of the read of AWSCURRENT that a revocation goes by: one for each, with no other request since. */
  #readJustBefore({ currentReads }: FunctionRun, { number, operation }: Effect): number | undefined {
    if (operation === "revokeToken") return currentReads.shift();
    if (operation === readCurrent) currentReads.push(number);
    else currentReads.length = 0;
    return undefined;
  }

  /** The strikes of some kinds that are due: an intrusion can't fall into a log line, so it waits for the next request. */
  #take<Kind extends string>(number: number, kinds: Record<Kind, string>): Kind[] {
    const due = this.#waiting.filter(({ at, kind }) => at <= number && Object.hasOwn(kinds, kind));
    for (const strike of due) this.#waiting.splice(this.#waiting.indexOf(strike), 1);
    this.struck += due.length;
    return due.map(({ kind }) => kind as string as Kind);
  }

  #takeOne(number: number): Crash | OneFault | undefined {
    const index = this.#waiting.findIndex(
      ({ at, kind }) => at === number && !Object.hasOwn(intrusions, kind) && !Object.hasOwn(spells, kind),
    );
    if (index < 0) return undefined;
    this.struck += 1;
    return this.#waiting.splice(index, 1)[0]?.kind as Crash | OneFault;
  }

  #spellOn(service: Service): Trouble | undefined {
    const now = this.#options.clock.now();
    const on = (spell: Spell) => now < (this.#until[spell] ?? 0);
    if (service === "c2m") return on("c2m-down") ? "down" : undefined;
    if (on("denied-spell")) return "denied";
    return service === "secretsmanager" && on("throttled-spell") ? "refused" : undefined;
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

function isTrouble(kind: Crash | OneFault): kind is Exclude<Trouble, "down"> {
  return Object.hasOwn(faults, kind) && kind !== "stall";
}

/** The service's refusal of a request whose sender is dead is nobody's. */
function noAnswer(): void {}
