import { randomUUID } from "node:crypto";
import type { EventName } from "../../src/formats/ledger.ts";
import type { Call } from "../command.ts";
import { exitCode, Failure, failed, failureOf, refused } from "../failure.ts";
import { type LogLine, readEvents } from "../function-log.ts";
import { rotationOff } from "../rotation-off.ts";
import { logGroupOf, type Target } from "../target.ts";
import { span } from "../time-text.ts";
import { type TokenView, viewToken } from "../token-view.ts";

/** How a rotation that was waited for ended. Times in epoch ms. */
export interface FollowedRotation {
  versionId: string;
  startedAt: number;
  /** When it was first seen that the version is current: the promotion was before. */
  seenCurrentAt: number;
  view: TokenView;
  /** When it was promoted, as the log says; undefined while its line can't be read there. */
  promotedAt(): Promise<number | undefined>;
}

const names = [
  "step.started",
  "step.failed",
  "token.issued",
  "token.stored",
  "token.proven",
  "token.promoted",
] as const satisfies EventName[];

/** What was written may be seen late, and be gone from sight again: what lasts for so long is so. In ms. */
export const lateReadMs = 20_000;

/** Clocks of AWS and of this machine may differ by this much. In ms. */
const skewMs = 5 * 60_000;

/**
 * Starts a rotation and resolves with the id of the version that it makes.
 *
 * @throws Failure (refused) when another one has not ended, or none can be begun
 */
export async function startRotation(call: Call, view: TokenView): Promise<string> {
  const off = rotationOff(view);
  if (off) throw off;
  const versionId = randomUUID();
  if ((await (await call.aws()).rotateSecret(view.arn, versionId)) === "unfinished") {
    throw refused(`Another rotation of ${view.name} has not ended.`, `c2m-tokens unstick --secret ${view.name}`);
  }
  return versionId;
}

/**
 * Follows a rotation until its version is current, and says each step as the log tells it. The labels decide: the log
 * is late, and may be out of the operator's reach.
 *
 * @throws Failure when it failed, was cancelled or takes longer than `timeoutMs`
 */
export async function followRotation(
  call: Call,
  target: Target,
  before: TokenView,
  versionId: string,
  wait: { timeoutMs: number; intervalMs: number },
): Promise<FollowedRotation> {
  const { clock, terminal } = call;
  const startedAt = clock.now();
  const log = new StepLog(call, target, before, versionId);
  let seenAt = startedAt;
  for (;;) {
    const failure = await log.next();
    const view = await viewToken(await call.aws(), before.arn);
    if (view.current?.versionId === versionId) {
      await log.next();
      terminal.line(`  ${terminal.paint("good", "current")}  after ${span(clock.now() - startedAt)}`);
      return { versionId, startedAt, seenCurrentAt: clock.now(), view, promotedAt: () => log.promotedAt() };
    }
    if (failure !== undefined) {
      throw failed(
        `The rotation failed in ${failure}`,
        `Secrets Manager tries it again by itself. When the cause is gone: c2m-tokens unstick --secret ${before.name}`,
      );
    }
    if (view.pending?.versionId === versionId) seenAt = clock.now();
    else if (clock.now() - seenAt > lateReadMs) {
      throw failed(
        "The rotation was cancelled or overtaken by another value.",
        `c2m-tokens status --secret ${before.name}`,
      );
    }
    if (clock.now() - startedAt > wait.timeoutMs) {
      throw failed(
        `The rotation has not ended after ${span(wait.timeoutMs)}. It goes on.`,
        `c2m-tokens status --secret ${before.name}`,
      );
    }
    await clock.sleep(wait.intervalMs);
  }
}

/** Says what the functions' log tells about one rotation, each line once. */
class StepLog {
  readonly #call: Call;
  readonly #target: Target;
  readonly #secret: TokenView;
  readonly #versionId: string;
  readonly #from: number;
  #said = 0;
  #promotedAt: number | undefined;
  #logGroup: string | undefined;
  #readable = true;

  constructor(call: Call, target: Target, secret: TokenView, versionId: string) {
    this.#call = call;
    this.#target = target;
    this.#secret = secret;
    this.#versionId = versionId;
    this.#from = call.clock.now() - skewMs;
  }

  /** Says what is new; resolves with where and why a step failed, if one has. */
  async next(): Promise<string | undefined> {
    const lines = await this.#lines();
    for (const line of lines.slice(this.#said)) {
      const text = said(line);
      if (text !== undefined) this.#call.terminal.line(`  ${text}`);
    }
    this.#said = Math.max(this.#said, lines.length);
    for (const { event, fields } of lines) {
      if (event === "step.failed") return `${fields.step}: ${fields.reason}`;
    }
    return undefined;
  }

  async promotedAt(): Promise<number | undefined> {
    this.#promotedAt ??= (await this.#lines()).find(({ event }) => event === "token.promoted")?.at;
    return this.#promotedAt;
  }

  async #lines(): Promise<LogLine[]> {
    if (!this.#readable) return [];
    const aws = await this.#call.aws();
    try {
      this.#logGroup ??= await logGroupOf(aws, this.#target, this.#secret.rotationLambdaArn);
      const lines = await readEvents(aws, this.#logGroup, { from: this.#from, names });
      return lines.filter(({ fields }) => "version_id" in fields && fields.version_id === this.#versionId);
    } catch (error) {
      const failure = failureOf(error);
      if (failure instanceof Failure && failure.exitCode === exitCode.usage) throw error;
      this.#readable = false;
      this.#call.terminal.warn(`the functions' log can't be read, so the steps are not shown. ${failure.message}`);
      return [];
    }
  }
}

function said({ event, fields }: LogLine): string | undefined {
  switch (event) {
    case "step.started":
      return `${fields.step} …`;
    case "token.issued":
      return `issued   ${fields.token_id ?? "a token without id"}, expires ${fields.expires_at}`;
    case "token.stored":
      return "stored   at AWSPENDING";
    case "token.proven":
      return "proven   C2M accepts it";
    case "token.promoted":
      return "promoted to AWSCURRENT";
    default:
      return undefined;
  }
}
