import type { Caller } from "../aws/service.ts";
import type { Clock, Timer } from "../clock.ts";
import { change } from "./changes.ts";
import type { Announcer } from "./events.ts";
import type { Knobs } from "./knobs.ts";
import { attach, current, detach, holderOf, pending, pendingVersion } from "./labels.ts";
import type { Replication } from "./replication.ts";
import { isRotationFunction, type RotationInvoker, type RotationStep, rotationSteps } from "./rotation.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Secret } from "./secret.ts";
import { newVersion, purgeVersions } from "./versions.ts";

/** A rotation that has not ended: running, or waiting to be tried again. */
interface OpenRotation {
  readonly secret: Secret;
  readonly versionId: string;
  readonly rotationToken: string;
  attempts: number;
  running: boolean;
  /** Index of the step that comes next in the present attempt. */
  next: number;
  /** Steps of the present attempt that are delivered once more when it has ended. */
  late: RotationStep[];
  /** Abandoned, cancelled or replaced: nothing more may come of it. */
  ended: boolean;
  retry: Timer | undefined;
}

/** An open rotation as another engine can take it up, at a moment in which no step runs. */
export type SavedRotation = Pick<
  OpenRotation,
  "versionId" | "rotationToken" | "attempts" | "running" | "next" | "late"
> & {
  /** The secret's ARN. */
  secret: string;
};

interface Options {
  clock: Clock;
  knobs: Knobs;
  announcer: Announcer;
  replication: Replication;
  rotator: RotationInvoker;
  randomId: () => string;
  /** The scheduler needs the rotations and they need it. */
  scheduler: () => Scheduler;
  /** Called after each step of a rotation that another one follows, which waits for what it returns. */
  betweenSteps?: (() => Promise<void> | undefined) | undefined;
}

/** Runs rotations: the four steps in order, and again from the first with the same token when one fails. */
export class Rotations {
  readonly #options: Options;
  readonly #open = new Map<Secret, OpenRotation>();
  readonly #tests = new Map<Secret, { windowCame: boolean }>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Makes the placeholder for a new version and rotates into it. The promise ends with the first attempt. */
  start(secret: Secret, versionId: string): Promise<void> {
    change(this.#options, secret, "rotation", (state) => {
      purgeVersions(this.#options, state);
      const placeholder = newVersion(versionId, this.#options.clock.now(), state.kmsKeyId);
      state.versions.set(versionId, placeholder);
      return attach(state, placeholder, [pending]);
    });
    return this.#begin(this.#opened(secret, versionId));
  }

  /** What a rotation window is for: the unfinished rotation again, or else a new one; after the test, if one is running. */
  scheduled(secret: Secret): Promise<void> {
    if (this.#tests.has(secret)) {
      this.#tests.set(secret, { windowCame: true });
      return Promise.resolve();
    }
    const unfinished = pendingVersion(secret.state);
    return unfinished ? this.again(secret, unfinished.id) : this.start(secret, this.#options.randomId());
  }

  /** Tries the rotation of a pending version again, unless it is being tried or only tested. */
  again(secret: Secret, versionId: string): Promise<void> {
    if (this.#tests.has(secret)) return Promise.resolve();
    const open = this.#open.get(secret);
    return this.#begin(open?.versionId === versionId ? open : this.#opened(secret, versionId));
  }

  /** Runs testSecret alone on a copy of the current value under a new version, which goes away afterwards. */
  test(secret: Secret, versionId: string): Promise<void> {
    change(this.#options, secret, "rotation", (state) => {
      const copy = newVersion(versionId, this.#options.clock.now(), state.kmsKeyId);
      copy.value = holderOf(state, current)?.value;
      state.versions.set(versionId, copy);
      return attach(state, copy, [pending]);
    });
    this.#tests.set(secret, { windowCame: false });
    return this.#track(this.#runTest(secret, versionId, this.#options.randomId()));
  }

  /** The version of a rotation that has not ended. */
  openVersion(secret: Secret): string | undefined {
    return this.#open.get(secret)?.versionId;
  }

  /** The same, with the index of the step that comes next where it runs. */
  openRotation(secret: Secret): { versionId: string; next: number | undefined } | undefined {
    const open = this.#open.get(secret);
    return open && { versionId: open.versionId, next: open.running ? open.next : undefined };
  }

  /** Ends the open rotation because a value came by another way; the caller takes AWSPENDING away. */
  abandon(secret: Secret): void {
    this.#end(secret);
    this.#options.announcer.rotation(secret, "RotationAbandoned");
  }

  /** Ends the rotation without a word and returns its version. A step that is running is not interrupted. */
  cancel(secret: Secret): string | undefined {
    const versionId = this.openVersion(secret);
    this.#end(secret);
    return versionId;
  }

  /** Whether a value comes from the rotation function: by its own identity, or by the token of the open rotation. */
  isFromFunction(secret: Secret, versionId: string, caller: Caller, rotationToken: string | undefined): boolean {
    const open = this.#open.get(secret);
    if (open?.versionId === versionId && open.rotationToken === rotationToken) return true;
    const functionArn = secret.state.rotation?.lambdaArn;
    if (functionArn === undefined) return false;
    return isRotationFunction(this.#options.rotator, functionArn, caller);
  }

  /** Resolves when no rotation and no test is running. Those that wait to be tried again don't count. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** How many rotations and tests are running. */
  get running(): number {
    return this.#running.size;
  }

  /** The open rotations, for `restore`; undefined while one is only tested or waits for its retry. */
  save(): SavedRotation[] | undefined {
    const open = [...this.#open.values()];
    if (this.#tests.size > 0 || open.some(({ retry }) => retry !== undefined)) return undefined;
    return open.map(({ secret, versionId, rotationToken, attempts, running, next, late }) => {
      return { secret: secret.arn, versionId, rotationToken, attempts, running, next, late: [...late] };
    });
  }

  /** Takes up an open rotation. One that was running goes on with `goOn`. */
  restore(secret: Secret, saved: SavedRotation): void {
    this.#open.set(secret, { ...saved, secret, late: [...saved.late], ended: false, retry: undefined });
  }

  /** Lets the rotations go on that were running when they were saved. */
  goOn(): void {
    for (const open of this.#open.values()) if (open.running) void this.#track(this.#attempt(open));
  }

  /** Forgets every open rotation, for the end of a test. */
  stopAll(): void {
    for (const secret of [...this.#open.keys()]) this.#end(secret);
  }

  #opened(secret: Secret, versionId: string): OpenRotation {
    this.#end(secret);
    const rotationToken = this.#options.randomId();
    const open: OpenRotation = {
      secret,
      versionId,
      rotationToken,
      attempts: 0,
      running: false,
      next: 0,
      late: [],
      ended: false,
      retry: undefined,
    };
    this.#open.set(secret, open);
    return open;
  }

  #end(secret: Secret): void {
    const open = this.#open.get(secret);
    if (!open) return;
    open.ended = true;
    open.retry?.cancel();
    this.#open.delete(secret);
  }

  #begin(open: OpenRotation): Promise<void> {
    if (open.running) return Promise.resolve();
    open.running = true;
    open.retry?.cancel();
    open.retry = undefined;
    open.attempts += 1;
    open.next = 0;
    open.late = [];
    this.#options.announcer.rotation(open.secret, "RotationStarted");
    return this.#track(this.#attempt(open));
  }

  #track(run: Promise<void>): Promise<void> {
    const tracked = run.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }

  async #attempt(open: OpenRotation): Promise<void> {
    const { announcer, scheduler } = this.#options;
    const { late } = open;
    const failure = await this.#steps(open);
    open.running = false;
    if (!open.ended) {
      if (failure === undefined) {
        this.#succeed(open);
        scheduler().plan(open.secret);
      } else {
        announcer.rotation(open.secret, "RotationFailed", failure);
        this.#retryLater(open);
      }
    }
    for (const step of late) await this.#invoke(open.secret, step, open.versionId, open.rotationToken);
  }

  /** The message of the failure, if one of the steps or the outcome is one. */
  async #steps(open: OpenRotation): Promise<string | undefined> {
    const { knobs, betweenSteps } = this.#options;
    while (open.next < rotationSteps.length) {
      const step = rotationSteps[open.next] as RotationStep;
      if (open.ended) return undefined;
      if (await this.#deliver(open, step)) return this.#stepFailed(open.secret, step);
      open.next += 1;
      if (knobs.creatorCheck === `after-${step}`) {
        const refusal = this.#notCreatedByFunction(open);
        if (refusal !== undefined) return refusal;
      }
      if (betweenSteps && open.next < rotationSteps.length) await betweenSteps();
    }
    const promoted = open.secret.state.versions.get(open.versionId)?.stages.has(current);
    return promoted || open.ended ? undefined : knobs.currentNotMovedMessage;
  }

  /** Whether the step failed. */
  async #deliver(open: OpenRotation, step: RotationStep): Promise<boolean> {
    const invoke = () => this.#invoke(open.secret, step, open.versionId, open.rotationToken);
    const delivery = this.#options.knobs.delivery(step, open.versionId);
    if (delivery === "concurrently") return (await Promise.all([invoke(), invoke()]))[0];
    const failed = await invoke();
    if (delivery === "twice") await invoke();
    if (delivery === "late") open.late.push(step);
    return failed;
  }

  async #invoke(secret: Secret, step: RotationStep, versionId: string, rotationToken: string): Promise<boolean> {
    const event = { Step: step, SecretId: secret.arn, ClientRequestToken: versionId, RotationToken: rotationToken };
    // RotateSecret answers before the function runs.
    await Promise.resolve();
    const functionArn = secret.state.rotation?.lambdaArn ?? "";
    try {
      return (await this.#options.rotator.invoke(functionArn, secret.arn, event)).error !== undefined;
    } catch {
      return true;
    }
  }

  #stepFailed(secret: Secret, step: RotationStep): string {
    return `Error when executing lambda ${secret.state.rotation?.lambdaArn} during ${step} step`;
  }

  #notCreatedByFunction({ secret, versionId }: OpenRotation): string | undefined {
    const version = secret.state.versions.get(versionId);
    if (version?.value === undefined || version.fromRotationFunction) return undefined;
    return `Pending secret version ${versionId} for Secret ${secret.arn} was not created by Lambda ${secret.state.rotation?.lambdaArn}. Remove the AWSPENDING staging label and restart rotation`;
  }

  #succeed({ secret, versionId }: OpenRotation): void {
    const { clock, knobs, announcer } = this.#options;
    this.#end(secret);
    const { rotation } = secret.state;
    if (rotation) {
      rotation.lastRotatedDate = clock.now();
      rotation.history = { ...rotation.history, fulfilledAt: clock.now() };
      rotation.calculatedDays = this.#options.scheduler().daysBetween(secret);
    }
    const strip = () => {
      if (holderOf(secret.state, pending)?.id !== versionId) return;
      change(this.#options, secret, "stage", (state) => {
        detach(state, pending);
        return undefined;
      });
    };
    const { pendingAfterSuccess } = knobs;
    if (pendingAfterSuccess === "immediate") strip();
    else if (pendingAfterSuccess !== "never") clock.at(clock.now() + pendingAfterSuccess.afterMs, strip);
    announcer.rotation(secret, "RotationSucceeded");
  }

  // AWS documents that it tries again several times while the rotation window is open, and no more than that.
  #retryLater(open: OpenRotation): void {
    const { clock, knobs, scheduler } = this.#options;
    if (knobs.retry === "manual" || open.attempts >= knobs.retry.maxAttempts) return;
    const time = clock.now() + knobs.retry.everyMs;
    if (!scheduler().isOpen(open.secret, time)) return;
    open.retry = clock.at(time, () => {
      const stillPending = open.secret.state.versions.get(open.versionId)?.stages.has(pending);
      return stillPending && !open.ended ? this.#begin(open) : undefined;
    });
  }

  async #runTest(secret: Secret, versionId: string, rotationToken: string): Promise<void> {
    const { announcer, knobs, scheduler } = this.#options;
    announcer.rotation(secret, "TestRotationStarted");
    const failed = await this.#invoke(secret, "testSecret", versionId, rotationToken);
    change(this.#options, secret, "stage", (state) => {
      const copy = state.versions.get(versionId);
      // One that something has made current meanwhile stays; nothing is on record of what AWS does with it.
      if (copy?.stages.has(current)) {
        if (copy.stages.has(pending)) detach(state, pending);
      } else state.versions.delete(versionId);
      return undefined;
    });
    const windowCame = this.#tests.get(secret)?.windowCame;
    this.#tests.delete(secret);
    if (failed) {
      announcer.rotation(secret, "TestRotationFailed", this.#stepFailed(secret, "testSecret"));
      if (knobs.failedTestDisablesRotation && secret.state.rotation) {
        secret.state.rotation.enabled = false;
        scheduler().plan(secret);
      }
    } else {
      announcer.rotation(secret, "TestRotationSucceeded");
    }
    if (windowCame && secret.state.rotation?.enabled && !secret.state.deletion) await this.scheduled(secret);
  }
}
