import type { VirtualClock } from "../../../local-cloud/clock.ts";
import type { RotationEvent } from "../../../local-cloud/secrets-manager/rotation.ts";
import type { Clock } from "../../../src/ports/clock.ts";

/** A read of AWSCURRENT: number of the effect, and when it was, epoch ms. */
export interface CurrentRead {
  effect: number;
  at: number;
}

/** Thrown out of a log write by which the process was killed; nothing that it does afterwards has an effect. */
export class Killed extends Error {}

/** What a promise is that a dead process waits for. */
export function forever(): Promise<never> {
  return new Promise(() => {});
}

/** A command of the command line that changes something. */
export type CommandName = "rollback" | "compromised" | "decommission" | "unstick" | "rotate" | "reconcile-now";

/** What a command left behind. */
export interface CommandResult {
  exitCode: number;
  /** The object that it prints with `--json`. */
  result: Record<string, unknown> | undefined;
}

/** What one invocation is about. */
export interface Invocation {
  role: "rotator" | "reconciler" | "operator";
  /** A step, `bootstrap`, `reconcile`, `reconcile all`, or a command of the command line. */
  name: string;
  /** Index of the secret; undefined for a run of the reconciler. */
  secret: number | undefined;
  event?: RotationEvent;
  /** Whether somebody ended the grace by hand: there is none from this run. */
  endsGrace?: boolean;
  /** Whether it began with the settings of a change freeze. */
  isFrozen?: boolean;
}

/** An operator's clients give a request up after so long, in ms; a function waits until its time is up. */
const operatorPatienceMs = 30_000;

/** One process: an invocation of a function, or an operator's command. It may stop for good at any effect. */
export class FunctionRun {
  readonly invocation: Invocation;
  /** Epoch ms at which Lambda kills it; never for an operator's command. */
  readonly timeoutAt: number;
  /** How far its clock is ahead, in ms. */
  readonly skewMs: number;
  killed = false;
  /** Numbers of its first effect and its latest. */
  firstEffect = 0;
  latestEffect = 0;
  /** Numbers of its reads of AWSCURRENT that no revocation has gone by: a run can revoke two tokens at the same time. */
  readonly currentReads: CurrentRead[] = [];
  /** It has asked for a store. */
  hasStored = false;
  /** A store of it was not answered, or throttled: it may not know whether the token is stored. */
  storeUnknown = false;
  /** The attempt of its open issue call. */
  attemptId: string | undefined;
  /** Ids of the tokens that it got from C2M. */
  readonly issued: string[] = [];
  /** Ids of the short tokens with which it may issue others, and whose revocation it has not asked for. */
  readonly borrowed = new Set<string>();
  readonly #death = Promise.withResolvers<"killed">();
  readonly #over = Promise.withResolvers<void>();

  constructor(invocation: Invocation, { timeoutAt, skewMs = 0 }: { timeoutAt: number; skewMs?: number }) {
    this.invocation = invocation;
    this.timeoutAt = timeoutAt;
    this.skewMs = skewMs;
  }

  /** Resolves when it has ended or is dead. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  kill(): void {
    this.killed = true;
    this.#death.resolve("killed");
  }

  /** How long it waits for an answer that does not come, in ms. */
  patience(now: number): number {
    return this.invocation.role === "operator" ? operatorPatienceMs : this.timeoutAt - now;
  }

  /** Runs the body until it ends or is killed. */
  async end<Result>(body: () => Promise<Result>): Promise<FunctionEnd<Result>> {
    const ended = body().then(
      (result): FunctionEnd<Result> => ({ kind: "succeeded", result }),
      (error: unknown): FunctionEnd<Result> => ({ kind: "failed", error }),
    );
    const outcome = await Promise.race([this.#death.promise, ended]);
    this.#over.resolve();
    return outcome === "killed" || this.killed ? { kind: "killed" } : outcome;
  }

  /** The clock as the process has it: it sleeps no longer than it lives. */
  clock(clock: VirtualClock): Clock {
    return {
      now: () => clock.now() + this.skewMs,
      sleep: async (ms) => {
        if (this.killed) return await forever();
        await clock.sleep(Math.min(ms, this.timeoutAt - clock.now()));
        if (clock.now() >= this.timeoutAt) this.kill();
        if (this.killed) await forever();
      },
    };
  }
}

export type FunctionEnd<Result> =
  | { kind: "succeeded"; result: Result }
  | { kind: "failed"; error: unknown }
  | { kind: "killed" };
