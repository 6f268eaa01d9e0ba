import { parseValue, type StoredToken } from "../../src/formats/stored-token.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { RotationError } from "../../src/ports/errors.ts";
import { lateReadMs } from "../acting/follow-rotation.ts";
import type { Aws, DescribedSecret } from "../aws.ts";
import type { Call } from "../command.ts";
import { exitCode, Failure, failureOf } from "../failure.ts";
import type { Target } from "../target.ts";
import { span } from "../time-text.ts";
import { type TokenView, viewToken } from "../token-view.ts";
import { waitUntil } from "../wait-until.ts";
import { LogWatch, type WatchedEvent, type WatchedLine } from "./log-watch.ts";
import { type PromiseName, Verdicts } from "./promises.ts";
import { Answers } from "./questions.ts";

const minute = 60_000;

/** What one exchange may take, with repetitions: C2M lets ten calls a minute through. In ms. */
const exchangeMs = 75_000;

/** Lines of the log are late by so much at the most before they count as lost, in ms. */
const logMs = 5 * 60_000;

/** How often something is looked at that takes minutes, in ms: C2M's rate limit is met by this and no more. */
export const lookEveryMs = 15_000;

/** A token of this rehearsal. */
export interface KnownToken {
  versionId: string;
  token: StoredToken;
  /** As far as was seen. */
  state: "current" | "pending" | "superseded" | "seen dead";
}

/** Somebody else does something with the secret meanwhile, so that nothing can be said of a promise. */
export class Disturbed extends Failure {
  constructor(message: string) {
    super(exitCode.failed, message);
  }
}

export interface StageOptions {
  call: Call;
  aws: Aws;
  target: Target;
  /** The secret before anything was done. */
  view: TokenView;
  graceMs: number;
  logGroup: string;
  reconciler: string;
  /** What the alarms' names begin with. */
  rotation: string;
  c2m: TokenUser;
}

/** What a rehearsal plays on: the sandbox's secret, C2M, the log, and what was seen so far. */
export class Stage {
  readonly options: StageOptions;
  readonly startedAt: number;
  readonly verdicts = new Verdicts();
  readonly answers = new Answers();
  readonly log: LogWatch;
  /** By version id. Its first one was there before. */
  readonly tokens = new Map<string, KnownToken>();
  /** The rotation that was started and has not ended. */
  openVersionId: string | undefined;
  /** The alarm that was set off, and whether it was set back. */
  alarm: { name: string; isSetBack: boolean } | undefined;

  constructor(options: StageOptions) {
    this.options = options;
    this.startedAt = this.now();
    const { aws, logGroup } = options;
    this.log = new LogWatch(aws, logGroup, this.startedAt, this.answers);
  }

  get aws(): Aws {
    return this.options.aws;
  }

  get arn(): string {
    return this.options.view.arn;
  }

  get name(): string {
    return this.options.view.name;
  }

  /** AWS's time, to the second, by which its dates and its log are. */
  now(): number {
    const now = this.options.call.clock.now();
    const ahead = this.aws.clockAheadMs();
    // A clock that is further off follows AWS's by itself.
    return Math.abs(ahead) <= minute ? now - ahead : now;
  }

  say(text: string): void {
    this.options.call.terminal.line(text);
  }

  /** @throws the signal's reason when Ctrl-C was pressed before or meanwhile */
  async pause(ms: number): Promise<void> {
    const { clock, signal } = this.options.call;
    signal.throwIfAborted();
    await clock.sleep(ms, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    signal.throwIfAborted();
  }

  /** Waits until a moment (epoch ms), and says each minute how long yet. */
  async waitUntil(moment: number): Promise<void> {
    await waitUntil(moment, {
      now: () => this.now(),
      pause: (ms) => this.pause(ms),
      say: (text) => this.say(text),
    });
  }

  /** Looks until `done` gives something, for so long at the most; says each minute how long yet. */
  async until<Result>(
    done: () => Promise<Result | undefined>,
    { forMs, everyMs = lookEveryMs }: { forMs: number; everyMs?: number },
  ): Promise<Result | undefined> {
    const giveUpAt = this.now() + forMs;
    for (let sayAt = this.now() + minute; ; ) {
      const result = await done();
      if (result !== undefined || this.now() >= giveUpAt) return result;
      if (this.now() >= sayAt) {
        this.say(`  … ${span(giveUpAt - this.now())} yet, at the most`);
        sayAt += minute;
      }
      await this.pause(everyMs);
    }
  }

  describe(): Promise<DescribedSecret> {
    return this.aws.describeSecret(this.arn);
  }

  /** The secret with the version at AWSCURRENT that is known to be there, though a read may be late. */
  async settledView(): Promise<TokenView> {
    const known = [...this.tokens.values()].find(({ state }) => state === "current")?.versionId;
    const settled = await this.until(
      async () => {
        const view = await viewToken(this.aws, this.arn);
        return known === undefined || view.current?.versionId === known ? view : undefined;
      },
      { forMs: lateReadMs, everyMs: 1_000 },
    );
    return settled ?? (await viewToken(this.aws, this.arn));
  }

  /** The token of a version, which is known from then on; undefined while it has none of ours. */
  async tokenOf(versionId: string, state: KnownToken["state"]): Promise<StoredToken | undefined> {
    const version = await this.aws.store.read(this.arn, versionId);
    const parsed = version && parseValue(version.value);
    if (parsed?.kind !== "ours") return undefined;
    this.mark(versionId, parsed.token, state);
    return parsed.token;
  }

  mark(versionId: string, token: StoredToken, state: KnownToken["state"]): void {
    if (state === "current") {
      for (const known of this.tokens.values()) if (known.state === "current") known.state = "superseded";
    }
    if (this.tokens.get(versionId)?.state !== "seen dead") this.tokens.set(versionId, { versionId, token, state });
  }

  /** What C2M says of a token; `silent`: neither it nor something in front of it said anything of it. */
  async ask({ accessToken: longToken }: StoredToken): Promise<"works" | "rejected" | "silent"> {
    try {
      const { outcome } = await this.options.c2m.issueShortTermToken({ longToken, deadline: this.now() + exchangeMs });
      return outcome === "works" ? "works" : outcome === "invalid_token" ? "rejected" : "silent";
    } catch (error) {
      if (error instanceof RotationError) return "silent";
      throw error;
    }
  }

  /** Exchanges the token that an app would read now, and judges the promise that it works. */
  async askCurrent(when: string): Promise<void> {
    const current = await this.aws.store.readCurrent(this.arn);
    const parsed = current && parseValue(current.value);
    const did = `exchanged the token at AWSCURRENT ${when}`;
    if (parsed?.kind === "ours") await this.judgeLife("working", did, parsed.token);
    else this.verdicts.broken("working", did, "it is no token of ours");
  }

  /** Exchanges a token that has to live, and judges the promise that it does. @returns whether it does */
  async judgeLife(promise: PromiseName, did: string, token: StoredToken): Promise<boolean> {
    const said = await this.ask(token);
    if (said === "works") this.verdicts.held(promise, did, "C2M accepts it");
    else if (said === "rejected") this.verdicts.broken(promise, did, "C2M rejects it");
    else this.verdicts.notTried(promise, did, "C2M did not answer");
    return said === "works";
  }

  /** The log's lines of these events that are about this secret, or about none. */
  async lines(...events: WatchedEvent[]): Promise<WatchedLine[]> {
    const lines = await this.log.read(() => this.now());
    return lines.filter(
      ({ event, fields: { secret } }) =>
        events.includes(event) && (secret === undefined || secret === this.arn || secret === this.name),
    );
  }

  /** Waits for what CloudWatch delivers late. */
  untilLogged<Result>(done: () => Promise<Result | undefined>): Promise<Result | undefined> {
    return this.until(done, { forMs: logMs });
  }

  /**
   * Does one part, which has no result where something goes wrong in it. That breaks its promise, unless it only stands in the
   * way of trying it.
   */
  async act<Result>(promise: PromiseName, did: string, work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      this.options.call.signal.throwIfAborted();
      const { message, exitCode: code } = failureOf(error);
      const isInTheWay = error instanceof Disturbed || code === exitCode.unavailable;
      this.verdicts[isInTheWay ? "notTried" : "broken"](promise, did, message);
      this.say(`  ${message}`);
      return undefined;
    }
  }
}
