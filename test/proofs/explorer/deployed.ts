import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import type { VirtualClock } from "../../../local-cloud/clock.ts";
import type { LocalCloud } from "../../../local-cloud/cloud.ts";
import type { Fault } from "../../../local-cloud/faults.ts";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Events } from "../../../src/formats/ledger.ts";
import { currentToken, day, emptyCloud, logGroup, secretName, stackPlan } from "../../harness/stack.ts";

export const rotator = "c2m-token-rotation-rotator";

/** A request of the rotation function, as it is told from the others of one rotation. */
export interface RequestOfRotation {
  service: string;
  operation: string;
  /** Which of its kind in the rotation, from 1. */
  nth: number;
}

/** What lives that is not current, and what the log says of it. */
export interface Leftovers {
  /** Alive, and the log names them as issued: there must be none. */
  known: string[];
  /** Alive, and no line tells their id. */
  unknown: C2mToken[];
  /** Issue calls that the reconciler's latest run over everything reported as without an outcome, with the latest expiry. */
  suspects: { latestExpiresAt: number }[];
}

/** The deployed program with its real processes, rotating daily at midnight on a virtual clock. */
export class DeployedWorld {
  readonly cloud: LocalCloud;
  readonly clock: VirtualClock;

  private constructor(cloud: LocalCloud, clock: VirtualClock) {
    this.cloud = cloud;
    this.clock = clock;
  }

  static async deploy(): Promise<DeployedWorld> {
    const { cloud, clock } = await emptyCloud({ c2m: { tokenLength: 600 } });
    // The daily run of the reconciler comes at the hour of the deployment: six hours after the rotation, at midnight.
    await clock.advanceBy(day / 4);
    await deploy(cloud, await stackPlan({ schedule: "rate(1 day)" }));
    // So that each day ends twelve hours after its rotation.
    await clock.advanceBy(day / 4);
    return new DeployedWorld(cloud, clock);
  }

  /**
   * Lets a day pass, with one scheduled rotation in it, its retries and the hourly reconciler. `onStart` is called when
   * the rotation starts for the first time.
   */
  async day(onStart: () => void = () => {}): Promise<void> {
    let started = false;
    const stop = this.cloud.bus.onEvent(({ detail }) => {
      if (detail.eventName !== "RotationStarted" || started) return;
      started = true;
      onStart();
    });
    await this.clock.advanceBy(day);
    stop();
    if (!started) throw new Error("No rotation started on this day.");
  }

  /** The requests that the rotation function made in one undisturbed rotation, from a cold start. */
  async requestsOfRotation(): Promise<RequestOfRotation[]> {
    const { cloud } = this;
    await cloud.lambda.recycle(rotator);
    let from = 0;
    let to = 0;
    const stop = cloud.bus.onEvent(({ detail }) => {
      if (detail.eventName === "RotationSucceeded") to = cloud.calls.calls.length;
    });
    await this.day(() => {
      from = cloud.calls.calls.length;
    });
    stop();
    const counts = new Map<string, number>();
    return cloud.calls.calls.slice(from, to).flatMap(({ service, operation }) => {
      if (service !== "secretsmanager" && service !== "c2m") return [];
      const nth = (counts.get(operation) ?? 0) + 1;
      counts.set(operation, nth);
      return [{ service, operation, nth }];
    });
  }

  /** Kills the rotation function with SIGKILL while this request is under way; the request is done all the same, or not. */
  killAt({ service, operation, nth }: RequestOfRotation, done: boolean): void {
    const { cloud, clock } = this;
    const order = (fault: Fault) => cloud.faults.add({ service, operation, nth, fault });
    // A request that takes a while: the kill falls due in it.
    order({ kind: "latency", ms: 20 });
    // Both strike the same call: it waits first, and is then cut.
    if (!done) order({ kind: "cut", when: "before" });
    clock.at(clock.now() + 10, () => cloud.lambda.kill(rotator));
  }

  leftovers(): Leftovers {
    const { cloud } = this;
    const issued = new Set(this.events("token.issued").map(({ token_id }) => token_id));
    const { token_id: current } = currentToken(cloud);
    const alive = cloud.c2m.liveLongTokens().filter(({ id }) => id !== current);
    const lines = cloud.logs.lines(logGroup).map((line) => JSON.parse(line) as { message?: string; scope?: string });
    const latestRun = lines.findLastIndex(({ message, scope }) => message === "reconcile.completed" && scope === "all");
    const suspects: Leftovers["suspects"] = [];
    // A run's suspects stand immediately before its last line.
    for (let index = latestRun - 1; lines[index]?.message === "token.suspected"; index -= 1) {
      const { latest_expires_at } = lines[index] as unknown as Events["token.suspected"];
      suspects.push({ latestExpiresAt: Date.parse(latest_expires_at) });
    }
    return {
      known: alive.filter(({ id }) => issued.has(id)).map(({ id }) => id),
      unknown: alive.filter(({ id }) => !issued.has(id)),
      suspects,
    };
  }

  events<Name extends keyof Events>(name: Name): Events[Name][] {
    return this.cloud.logs
      .lines(logGroup)
      .map((line) => JSON.parse(line) as { message?: string })
      .filter(({ message }) => message === name)
      .map((line) => line as unknown as Events[Name]);
  }

  /** The token that apps read, and whether C2M lets it in. */
  get currentWorks(): boolean {
    return this.cloud.c2m.isAccepted(String(currentToken(this.cloud).token_id));
  }

  /** The version ids at AWSPENDING and not at AWSCURRENT. */
  get stuck(): string[] {
    const { VersionIdsToStages = {} } = this.cloud.secretsManager.engine.describeSecret({ SecretId: secretName });
    return Object.entries(VersionIdsToStages)
      .filter(([, stages]) => stages.includes("AWSPENDING") && !stages.includes("AWSCURRENT"))
      .map(([id]) => id);
  }
}
