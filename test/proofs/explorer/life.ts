import type { ReconcileReport } from "../../../src/reconcile/report.ts";
import { act, supplyToken } from "./operator.ts";
import type { World } from "./parts.ts";
import { checkQuiet } from "./quiescence.ts";
import type { Action } from "./schedule.ts";
import {
  day,
  enableRotation,
  hour,
  kept,
  minute,
  mostHours,
  needsRotation,
  nextAll,
  placeIn,
  reconcileUndisturbed,
  retry,
  rotate,
  scopeAt,
} from "./settle.ts";

/** How often somebody who deploys tries again at once; then hourly. */
const mostAttempts = 4;

/** A rotation that has to succeed, since nothing disturbs it. */
interface Demanded {
  versionId: string;
  /** Whether a spell was on when it began, and how much had been struck by then. */
  wasSpellbound: boolean;
  struck: number;
}

/** Hours pass until there is nothing left to do. */
interface Settling {
  after: "deployed" | "acted" | "rotated" | "retried" | "rotated again";
  /** The hour that comes next, from 1. */
  hours: number;
  /** Of `acted`: which action is next. */
  nth?: number;
  /** Of `retried`. */
  demanded?: Demanded;
  /** Of `retried`: the secret that was rotated, and those that are still to be. */
  left?: readonly number[];
}

/**
 * Where a life is, at a moment in which nothing runs: this and the world decide what comes. `left` are the indices of the
 * secrets that it is still to be done for; undefined before it has begun. With `underway` the rotation has begun, and is
 * between two steps.
 */
export type Place =
  | { kind: "deploy"; index: number; attempt: number }
  | { kind: "enable"; index: number; underway?: true }
  | { kind: "act"; nth: number }
  | { kind: "rotate"; left?: readonly number[]; underway?: true }
  | { kind: "roll back"; left?: readonly number[] }
  | { kind: "rotate again"; left?: readonly number[]; underway?: Demanded }
  | { kind: "hour" | "everything"; settling: Settling }
  | { kind: "retry"; settling: Settling; left?: readonly number[]; underway?: true };

/** How exactly the time has to be known: what comes next comes at a full hour, some minutes on, or at once. */
export type Precision = "hour" | "minute" | "second";

/**
 * What happens from the first token to the last check: deployed, settled, rotated, settled, rotated again, settled. Each
 * `next` goes on to the next moment in which nothing runs.
 */
export class Life {
  /** Undefined when it is over. */
  place: Place | undefined;
  /** Where it is while a rotation of its own runs. */
  midway: Place | undefined;
  readonly #world: World;
  readonly #actions: readonly Action[] | undefined;

  /** @param actions what is done in place of one rotation */
  constructor(world: World, actions: readonly Action[] | undefined, from: Place | undefined) {
    this.#world = world;
    this.#actions = actions;
    this.place = from ?? { kind: "deploy", index: 0, attempt: 1 };
  }

  /** Whether it is over, or something is done here: another place follows at once on one where nothing is, or hardly ever. */
  get isAtRest(): boolean {
    const { place } = this;
    if (!place) return true;
    if (place.kind === "deploy") return place.index < this.#world.secrets.length;
    if (place.kind === "retry") return place.underway === true;
    if (place.kind === "rotate" || place.kind === "rotate again")
      return place.left !== undefined && place.left.length > 0;
    return true;
  }

  async next(): Promise<void> {
    const { place } = this;
    if (!place) return;
    this.place = await this.#after(place);
    this.midway = undefined;
    // Also what the moves have begun.
    await this.#world.idle();
    await this.#untilArrived();
  }

  /** Where nothing comes before a full hour, what is on its way may as well arrive now. */
  async #untilArrived(): Promise<void> {
    const { clock, effects } = this.#world;
    if (!this.place || nameOf(this.#world, this.place).precision !== "hour") return;
    const nextHour = (Math.floor(clock.now() / hour) + 1) * hour;
    if (effects.lateUntil > clock.now() && effects.lateUntil < nextHour) await clock.advanceTo(effects.lateUntil);
  }

  async #after(place: Place): Promise<Place | undefined> {
    switch (place.kind) {
      case "deploy":
        return await this.#deploy(place);
      case "enable":
        return await this.#enable(place);
      case "act":
        return await this.#act(place.nth);
      case "rotate":
        return await this.#rotate(place);
      case "roll back":
        return await this.#rollBack(place);
      case "rotate again":
        return await this.#rotateAgain(place);
      case "hour":
        return await this.#hour(place.settling);
      case "everything":
        return await this.#everything(place.settling);
      case "retry":
        return await this.#retry(place);
    }
  }

  /** `pulumi up`: the first token, and rotation on. Whoever deploys tries again when it fails. */
  async #deploy({ index, attempt }: Extract<Place, { kind: "deploy" }>): Promise<Place> {
    const world = this.#world;
    if (index >= world.secrets.length) return settling("deployed");
    if (world.scenario.firstBy === "rotation") return { kind: "enable", index };
    // Longer than a request that left before a crash may take.
    if (attempt > 1) await world.clock.advanceBy(attempt <= mostAttempts ? 5 * minute : hour);
    const { kind } = await world.functions.bootstrap(index);
    const isKept = kept(world).includes(index);
    if (kind === "succeeded" && isKept) return { kind: "enable", index };
    const isStuck = kind !== "succeeded" && isKept && attempt === 8 * mostAttempts;
    if (isStuck) world.watch.violation("stuck", "the bootstrap never succeeds");
    if (kind === "succeeded" || !isKept || isStuck) return { kind: "deploy", index: index + 1, attempt: 1 };
    if (needsRotation(world, index)) supplyToken(world, index);
    return { kind: "deploy", index, attempt: attempt + 1 };
  }

  /** Turns rotation on, which tests a copy of the first token, or makes it. */
  async #enable(place: Extract<Place, { kind: "enable" }>): Promise<Place> {
    const { index } = place;
    const isFirst = this.#world.scenario.firstBy === "rotation";
    const begin = () => enableRotation(this.#world, index, isFirst);
    if (isFirst) await this.#through(place.underway, { ...place, underway: true }, begin);
    else await begin();
    return { kind: "deploy", index: index + 1, attempt: 1 };
  }

  async #act(nth: number): Promise<Place> {
    const world = this.#world;
    const action = this.#actions?.[nth];
    if (!action) return settling("rotated");
    await pass(world, action.afterHours);
    const { index } = world.of(action.secret % world.secrets.length);
    if (action.kind === "rotate") await rotate(world, index);
    else if (action.kind === "rollback") await world.functions.command("rollback", index);
    else act(world, action.kind, index);
    return settling("acted", { nth: nth + 1 });
  }

  async #rotate(place: Extract<Place, { kind: "rotate" }>): Promise<Place> {
    const world = this.#world;
    if (!place.left) return { kind: "rotate", left: await aWeekOn(world) };
    const [index, ...left] = place.left;
    if (index === undefined) return world.scenario.rollsBack ? { kind: "roll back" } : settling("rotated");
    const midway: Place = { kind: "rotate", left: [index, ...left], underway: true };
    await this.#through(place.underway, midway, () => rotate(world, index));
    return { kind: "rotate", left };
  }

  async #rollBack(place: Extract<Place, { kind: "roll back" }>): Promise<Place> {
    const world = this.#world;
    if (!place.left) await world.clock.advanceBy(20 * minute);
    const [index, ...left] = place.left ?? kept(world);
    if (index === undefined) return settling("rotated");
    await world.functions.command("rollback", index);
    return { kind: "roll back", left };
  }

  /**
   * Whatever happened before, a rotation can be made now; one that nothing disturbs succeeds: at the first attempt, or
   * where writes are seen late at a later one.
   */
  async #rotateAgain(place: Extract<Place, { kind: "rotate again" }>): Promise<Place> {
    const world = this.#world;
    if (!place.left) return { kind: "rotate again", left: await aWeekOn(world) };
    const { left, underway } = place;
    const [index, ...others] = left;
    if (index === undefined) return settling("rotated again");
    if (!isToRotate(world, index)) return { kind: "rotate again", left: others };
    if (!underway && needsRotation(world, index)) supplyToken(world, index);
    const { struck } = world.effects;
    // Secrets Manager goes on with a rotation that is open.
    const versionId = () => world.holder(index, "AWSPENDING", "AWSCURRENT") ?? world.id();
    const demanded = underway ?? { versionId: versionId(), struck, wasSpellbound: isSpellbound(world) };
    await this.#through(underway, { kind: "rotate again", left, underway: demanded }, () =>
      rotate(world, index, demanded.versionId),
    );
    if (!isToRotate(world, index)) return { kind: "rotate again", left: others };
    const seenLate = (world.scenario.knobs?.visibilityDelayMs ?? 0) > 0;
    if (world.holder(index, "AWSCURRENT") === demanded.versionId) return { kind: "rotate again", left: others };
    if (isDisturbed(world, demanded) || seenLate) return settling("retried", { demanded, left });
    world.watch.violation("stuck", "the next rotation does not succeed");
    return { kind: "rotate again", left: others };
  }

  /** Hours pass, with the reconciler and with Secrets Manager's retries. */
  async #hour(of: Settling): Promise<Place | undefined> {
    const world = this.#world;
    const every = world.scenario.reconcileEveryHours ?? 1;
    await world.clock.advanceTo((Math.floor(world.clock.now() / hour) + 1) * hour);
    const scope = scopeAt(world.clock.now());
    const found = of.hours % every === 0 ? await reconcileUndisturbed(world, scope) : undefined;
    if (found && scope === "all") return this.#settled(of, found);
    return { kind: found ? "everything" : "retry", settling: of };
  }

  /** There is nothing left to do when a run over everything finds nothing either. */
  async #everything(of: Settling): Promise<Place | undefined> {
    const world = this.#world;
    await world.clock.advanceTo(nextAll(world.clock.now()));
    const found = await reconcileUndisturbed(world, "all");
    return found ? this.#settled(of, found) : { kind: "retry", settling: of };
  }

  async #retry(place: Extract<Place, { kind: "retry" }>): Promise<Place> {
    const world = this.#world;
    const { settling: of } = place;
    if (!place.left) await world.clock.advanceBy(10 * minute);
    const [index, ...left] = place.left ?? kept(world);
    if (index !== undefined) {
      const midway: Place = { ...place, left: [index, ...left], underway: true };
      const begin = () => retry(world, index, of.hours);
      if (place.underway) await this.#through(true, midway, begin);
      else if (await begin()) await this.#through(undefined, midway, () => rotate(world, index));
    }
    if (left.length > 0) return { kind: "retry", settling: of, left };
    if (of.hours < mostHours) return { kind: "hour", settling: { ...of, hours: of.hours + 1 } };
    world.watch.violation("stuck", `after ${mostHours} hours there is still something to do`);
    throw new Error("never quiet");
  }

  #settled({ after, nth = 0, demanded, left = [] }: Settling, report: ReconcileReport): Place | undefined {
    const world = this.#world;
    if (after === "retried") return this.#retried(demanded as Demanded, left);
    if (after === "deployed") return this.#actions ? { kind: "act", nth: 0 } : { kind: "rotate" };
    checkQuiet(world, report);
    if (after === "acted") return { kind: "act", nth };
    if (after === "rotated again" || world.watch.violations.length > 0) return undefined;
    return { kind: "rotate again" };
  }

  #retried(demanded: Demanded, left: readonly number[]): Place {
    const world = this.#world;
    const [index = 0, ...others] = left;
    const isDone = !isToRotate(world, index) || world.holder(index, "AWSCURRENT") === demanded.versionId;
    if (!isDone && isDisturbed(world, demanded)) return { kind: "rotate again", left };
    if (!isDone) world.watch.violation("stuck", "the next rotation does not succeed");
    return { kind: "rotate again", left: others };
  }

  /** Begins a rotation, or goes on with one, and waits for its end: between its steps nothing runs. */
  async #through(underway: unknown, midway: Place, begin: () => Promise<unknown>): Promise<void> {
    this.midway = midway;
    if (underway === undefined) await begin();
    else {
      this.#world.engine.goOn();
      await this.#world.idle();
    }
    this.midway = undefined;
  }
}

/** A little after midnight: the daily run over everything is three hours away. Resolves with what there is to rotate. */
async function aWeekOn(world: World): Promise<readonly number[]> {
  const { clock } = world;
  await clock.advanceTo(Math.ceil((clock.now() + 6 * day) / day) * day + 10 * minute);
  return kept(world);
}

function settling(after: Settling["after"], more: Partial<Settling> = {}): Place {
  return { kind: "hour", settling: { after, hours: 1, ...more } };
}

/** Whether the secret is there and not retired. */
function isToRotate(world: World, index: number): boolean {
  return kept(world).includes(index) && !world.of(index).settings.retire;
}

function isSpellbound(world: World): boolean {
  return world.effects.isSpellbound || world.clock.now() < world.wrongUntil;
}

/** Whether anything came between since then. */
function isDisturbed(world: World, { wasSpellbound, struck }: Demanded): boolean {
  return wasSpellbound || world.effects.struck !== struck || isSpellbound(world);
}

/** Lets time pass with the daily run of the reconciler only: between the settled and the next action there is nothing hourly to do. */
async function pass(world: World, hours: number): Promise<void> {
  const end = world.clock.now() + hours * hour;
  for (let next = nextAll(world.clock.now()); next <= end; next += day) {
    await world.clock.advanceTo(next);
    await world.functions.reconcile("all");
    await world.idle();
  }
  await world.clock.advanceTo(end);
}

/** All of a place that decides what comes, as a text, and how exactly the time has to be known there. */
export function nameOf(world: World, place: Place): { name: string; precision: Precision } {
  if (!("settling" in place)) {
    const { kind, ...others } = place;
    const isUnderway = "underway" in place && place.underway !== undefined;
    const again = kind === "rotate again" && place.underway ? demandOf(world, place.underway) : [];
    const decides = { ...others, underway: isUnderway, again };
    // A week on, or a full hour on.
    const isFar = (kind === "rotate" || kind === "rotate again") && !place.left;
    const precision = isUnderway ? "second" : isFar ? "hour" : "minute";
    return { name: `${kind} ${JSON.stringify(decides)}`, precision };
  }
  const { kind, settling: of } = place;
  const every = world.scenario.reconcileEveryHours ?? 1;
  const left = kind === "retry" ? [place.left, place.underway] : [];
  const demanded = of.demanded ? demandOf(world, of.demanded) : [];
  const name = `${kind} ${of.after} ${placeIn(world, of.hours, every)} ${JSON.stringify([left, demanded, of.left])}`;
  const precision = kind === "retry" ? (place.underway ? "second" : "minute") : "hour";
  return { name, precision };
}

function demandOf(world: World, demanded: Demanded): unknown[] {
  return [demanded.versionId, isDisturbed(world, demanded)];
}
