import type { Clock, Timer } from "../clock.ts";
import { openWindow, parseSchedule, type RotationWindow, type Schedule } from "../schedule.ts";
import type { Knobs } from "./knobs.ts";
import type { RotationState, Secret } from "./secret.ts";

/** Starts scheduled rotations: one timer per secret, for its next window. */
export class Scheduler {
  readonly #clock: Clock;
  readonly #knobs: Knobs;
  readonly #run: (secret: Secret) => Promise<void>;
  readonly #timers = new Map<Secret, Timer>();

  /** `run` does what a window is for; its promise is what the clock waits for. */
  constructor(options: { clock: Clock; knobs: Knobs; run: (secret: Secret) => Promise<void> }) {
    this.#clock = options.clock;
    this.#knobs = options.knobs;
    this.#run = options.run;
  }

  /** Plans the next rotation of a secret afresh and sets what NextRotationDate shows; plans none where rotation is off. */
  plan(secret: Secret): void {
    const { rotation } = secret.state;
    if (rotation) rotation.announced = this.#arm(secret, rotation, this.#clock.now());
  }

  stop(secret: Secret): void {
    this.#timers.get(secret)?.cancel();
    this.#timers.delete(secret);
  }

  stopAll(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** Whether a rotation window of the secret is open at `time`. */
  isOpen(secret: Secret, time: number): boolean {
    const { rotation } = secret.state;
    if (!rotation) return false;
    const schedule = this.#scheduleOf(rotation);
    return schedule !== undefined && openWindow(schedule, time, rotation.history) !== undefined;
  }

  /** AutomaticallyAfterDays as AWS calculates it from an expression after a rotation: whole days, at least one. */
  daysBetween(secret: Secret): number | undefined {
    const { rotation } = secret.state;
    if (!rotation?.rules?.ScheduleExpression) return undefined;
    const schedule = this.#scheduleOf(rotation);
    if (!schedule) return undefined;
    const first = schedule.nextWindow(this.#clock.now(), rotation.history);
    const second = schedule.nextWindow(first.start, { ...rotation.history, fulfilledAt: first.start });
    return Math.max(1, Math.round((second.start - first.start) / 86_400_000));
  }

  #arm(secret: Secret, rotation: RotationState, after: number): RotationWindow | undefined {
    this.stop(secret);
    const schedule = rotation.enabled ? this.#scheduleOf(rotation) : undefined;
    if (!schedule) return undefined;
    const window = schedule.nextWindow(after, rotation.history);
    const start = Math.min(Math.max(this.#knobs.startWithin(window), window.start), window.end - 1);
    const timer = this.#clock.at(start, () => {
      // The window after this one is planned first: a rotation that fails leaves NextRotationDate in the past, but still has a next time.
      this.#arm(secret, rotation, window.start);
      return this.#run(secret);
    });
    this.#timers.set(secret, timer);
    return window;
  }

  #scheduleOf(rotation: RotationState): Schedule | undefined {
    const { rotateEveryMs } = this.#knobs;
    if (rotateEveryMs !== undefined) {
      return { nextWindow: (after) => ({ start: after + rotateEveryMs, end: after + 2 * rotateEveryMs }) };
    }
    return rotation.rules && parseSchedule(rotation.rules);
  }
}
