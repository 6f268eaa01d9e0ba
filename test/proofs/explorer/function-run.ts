import type { VirtualClock } from "../../../local-cloud/clock.ts";
import type { RotationEvent } from "../../../local-cloud/secrets-manager/rotation.ts";
import type { Clock } from "../../../src/ports/clock.ts";

/** Thrown out of a log write by which the function was killed; nothing that the function does afterwards has an effect. */
export class Killed extends Error {}

/** What a promise is that a dead function waits for. */
export function forever(): Promise<never> {
  return new Promise(() => {});
}

/** What one invocation is about. */
export interface Invocation {
  role: "rotator" | "reconciler" | "operator";
  /** A step, `bootstrap`, `reconcile`, `reconcile all` or `rollback`. */
  name: string;
  /** Index of the secret; undefined for a run of the reconciler. */
  secret: number | undefined;
  event?: RotationEvent;
}

/** One invocation of a function, which may stop for good at any effect. */
export class FunctionRun {
  readonly invocation: Invocation;
  /** Epoch ms at which Lambda kills it. */
  readonly timeoutAt: number;
  killed = false;
  /** Numbers of its first effect and its latest. */
  firstEffect = 0;
  latestEffect = 0;
  /** Numbers of its reads of AWSCURRENT that no revocation has gone by: a run can revoke two tokens at the same time. */
  readonly currentReads: number[] = [];
  /** A store of it was not answered, or throttled: it may not know whether the token is stored. */
  storeUnknown = false;
  /** The attempt of its open issue call. */
  attemptId: string | undefined;
  /** Ids of the tokens that it got from C2M. */
  readonly issued: string[] = [];
  readonly #death = Promise.withResolvers<"killed">();

  constructor(invocation: Invocation, timeoutAt: number) {
    this.invocation = invocation;
    this.timeoutAt = timeoutAt;
  }

  kill(): void {
    this.killed = true;
    this.#death.resolve("killed");
  }

  /** Runs the body until it ends or is killed. */
  async end<Result>(body: () => Promise<Result>): Promise<FunctionEnd<Result>> {
    const ended = body().then(
      (result): FunctionEnd<Result> => ({ kind: "succeeded", result }),
      (error: unknown): FunctionEnd<Result> => ({ kind: "failed", error }),
    );
    const outcome = await Promise.race([this.#death.promise, ended]);
    return outcome === "killed" || this.killed ? { kind: "killed" } : outcome;
  }

  /** The clock as the function has it: it sleeps no longer than it lives. */
  clock(clock: VirtualClock): Clock {
    return {
      now: () => clock.now(),
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
