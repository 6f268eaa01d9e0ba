import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import type { VirtualClock } from "../../../local-cloud/clock.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import { anotherIdOf } from "./c2m-client.ts";
import type { C2ms } from "./c2ms.ts";
import type { LogLine } from "./in-memory-ledger.ts";
import type { Exemption } from "./scenarios.ts";
import { holdsToken, tokenTextOf } from "./stored-text.ts";

/** What can be looked up in the world at any moment. */
export interface Sources {
  clock: VirtualClock;
  c2ms: C2ms;
  secrets: () => readonly { secret: Secret }[];
  /** What the log holds, whether or not it can be read yet. */
  lines: () => readonly LogLine[];
}

/** What has happened so far that no look at the world tells, and by which the promise is judged. */
export class Happenings {
  /** By the id of a token: the attempt that made it. */
  readonly attemptOf = new Map<string, string>();
  /** By the id of a token: index of the secret that it was issued for. */
  readonly secretOf = new Map<string, number>();
  /** Texts of tokens that somebody has issued at C2M by hand. */
  readonly byHand = new Set<string>();
  /** Those of them whose secret somebody has deleted for good before the reconciler found them. */
  readonly forgotten = new Set<string>();
  /** By the id of a token that C2M gave once more: number of the effect by which it last did. */
  readonly givenAgain = new Map<string, number>();
  /** Ids of tokens that somebody else revoked. */
  readonly bySomebody = new Set<string>();
  /** By the id of such a token: number of the latest effect before. */
  readonly revokedAfter = new Map<string, number>();
  /** Ids of tokens that something before C2M called revoked: the product may believe it until it can look. */
  readonly claimed = new Set<string>();
  /** Tokens of decommissioned secrets, of which the command told that they live on. */
  readonly reported: { tokenId: string | undefined; until: string | undefined }[] = [];
  /** By the index of a secret: number of the latest effect before it came into the settings. */
  readonly addedAfter = new Map<number, number>();
  /** Number of the latest effect before somebody deleted a secret for good. */
  deletedAfter = 0;
  /** Number of the latest effect before `pulumi up` changed the settings, and when it did. */
  upAfter = 0;
  upAt = Number.NEGATIVE_INFINITY;
  /** Since when replicas are behind, or have failed, and the number of the latest effect before; undefined while they follow. */
  replicasBehind: { at: number; after: number } | undefined;
  /** When somebody took the replicas of a secret away, so that it can be deleted. */
  replicasGoneAt = Number.NEGATIVE_INFINITY;
  /** How far the functions' clocks were ahead at the most, and behind, in ms. */
  aheadMs = 0;
  behindMs = 0;
  /** Of what the promise is not given. */
  readonly exempt: Set<Exemption>;
  readonly #sources: Sources;

  constructor(sources: Sources, exempt: Iterable<Exemption> = []) {
    this.#sources = sources;
    this.exempt = new Set(exempt);
  }

  /** The same has happened here. */
  copy(other: Happenings): void {
    const maps = (of: Happenings): Map<unknown, unknown>[] => [
      of.attemptOf,
      of.secretOf,
      of.revokedAfter,
      of.givenAgain,
    ];
    const sets = (of: Happenings): Set<unknown>[] => [of.byHand, of.forgotten, of.bySomebody, of.claimed, of.exempt];
    const [ownMaps, ownSets] = [maps(this), sets(this)];
    for (const [index, map] of maps(other).entries()) for (const [key, value] of map) ownMaps[index]?.set(key, value);
    for (const [index, set] of sets(other).entries()) for (const item of set) ownSets[index]?.add(item);
    this.reported.push(...other.reported);
    const { deletedAfter, upAfter, upAt, replicasBehind, replicasGoneAt, aheadMs, behindMs } = other;
    Object.assign(this, { deletedAfter, upAfter, upAt, replicasBehind, replicasGoneAt, aheadMs, behindMs });
  }

  /** Somebody has deleted a secret for good: only the log knows of its tokens, and of those by hand once they were found. */
  deletedForGood({ state }: Secret, effectNumber: number): void {
    this.deletedAfter = effectNumber;
    const lines = this.#sources.lines().filter(({ event }) => event === "token.found");
    for (const { value } of state.versions.values()) {
      const text = tokenTextOf(value);
      if (text === undefined || !this.byHand.has(text)) continue;
      const id = this.#sources.c2ms.byAccessToken(text)?.id;
      if (!lines.some(({ fields }) => fields.token_id === id)) this.forgotten.add(text);
    }
  }

  /** `pulumi up` changed the settings. */
  deployed(effectNumber: number): void {
    this.upAfter = effectNumber;
    this.upAt = this.#sources.clock.now();
  }

  /** The functions' clocks are off by so much from now on, or were. */
  skewed(ms: number): void {
    this.aheadMs = Math.max(this.aheadMs, ms);
    this.behindMs = Math.max(this.behindMs, -ms);
  }

  /** Whether only lines that were lost told of a token: no version holds it, and no line is left that names it. Not promised. */
  isUntold({ id }: C2mToken): boolean {
    if (!this.exempt.has("ids") || this.isStored(id)) return false;
    const [attempt, ids] = [this.attemptOf.get(id), [id, anotherIdOf(id)]];
    const tellsOfIt = ({ event, fields }: LogLine) =>
      event === "token.issued"
        ? fields.attempt_id === attempt || ids.includes(String(fields.token_id))
        : event === "token.issue.started" && fields.attempt_id === attempt;
    return !this.#sources.lines().some(tellsOfIt);
  }

  /**
   * Whether a token of the secret lives of which nothing is left but the log's line with its id, or the current one does,
   * whose id stands in such a line and not in the value: C2M has given it once more since.
   */
  isKnownByIdAlone(index: number, current: C2mToken): boolean {
    const { c2ms, lines } = this.#sources;
    const named = new Set(lines().map(({ event, fields }) => event === "token.issued" && fields.token_id));
    return c2ms.tokens.some(
      ({ id }) =>
        this.secretOf.get(id) === index &&
        c2ms.isLive(id) &&
        named.has(id) &&
        (id === current.id || !this.isStored(id)),
    );
  }

  /** Whether a version holds the token. */
  isStored(id: string): boolean {
    const { c2ms, secrets } = this.#sources;
    const text = c2ms.byId(id)?.accessToken;
    return secrets().some(({ secret }) => holdsToken(secret, text));
  }

  /** What of a token's life is remembered here, for a state that is to be told from others. */
  memoryOf({ id, accessToken }: C2mToken): unknown[] {
    return [
      this.byHand.has(accessToken),
      this.forgotten.has(accessToken),
      this.givenAgain.has(id),
      this.claimed.has(id),
      this.bySomebody.has(id),
      this.attemptOf.get(id),
      this.secretOf.get(id),
    ];
  }

  /** What else is remembered. */
  memory(since: (date: number) => number): unknown[] {
    return [[...this.exempt], this.aheadMs, this.behindMs, since(this.replicasGoneAt), this.reported];
  }
}
