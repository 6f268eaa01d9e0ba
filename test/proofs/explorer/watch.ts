import type { C2mEngine } from "../../../local-cloud/c2m/engine.ts";
import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import type { VirtualClock } from "../../../local-cloud/clock.ts";
import { holderOf } from "../../../local-cloud/secrets-manager/labels.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import type { Effect } from "./effects.ts";
import type { FunctionEnd, FunctionRun } from "./function-run.ts";
import type { LogLine } from "./in-memory-ledger.ts";
import { LeakDetector, printable } from "./leak-detector.ts";
import type { Exemption, Scenario } from "./scenarios.ts";
import { tokenTextOf, valueText } from "./stored-text.ts";

export interface WatchOptions {
  clock: VirtualClock;
  c2m: C2mEngine;
  scenario: Scenario;
  secrets: () => readonly Secret[];
  /** Texts that must never be seen, besides tokens. */
  confidential: readonly string[];
}

/** Looks at the world after every effect, and keeps what breaks the promise. */
export class Watch {
  readonly violations: string[] = [];
  /** States that were looked at. */
  checks = 0;
  /** By the id of a token: the attempt that made it. */
  readonly attemptOf = new Map<string, string>();
  /** Ids that the log calls unrevocable; `without id` for tokens that have none. */
  readonly unrevocable = new Set<string>();
  readonly leaks: LeakDetector;
  /** Tokens that were issued to a run which has not put their ids into the log yet. */
  readonly #unsettled = new Map<FunctionRun, C2mToken[]>();
  readonly #options: WatchOptions;
  readonly #values = new Map<string, string>();
  readonly #current = new Map<string, string | undefined>();
  readonly #lost = new Map<string, { at: number; byOperator: boolean }>();
  readonly #proven = new Set<string>();
  readonly #revoked = new Set<string>();
  readonly #told = new Map<FunctionRun, LogLine[]>();
  readonly #byHand = new Set<string>();
  #seenTokens = 0;
  #operatorActed = { at: 0, effect: 0 };

  constructor(options: WatchOptions) {
    this.#options = options;
    this.leaks = new LeakDetector(options.c2m, options.confidential);
  }

  /** Before a function asks for something. */
  before(effect: Effect): void {
    const { run, service, operation } = effect;
    const [unsettled] = this.#unsettled.get(run) ?? [];
    if (unsettled && service !== "log") {
      this.#violation("I3", effect, `asks for something before the id of ${unsettled.id} is in the log`);
    }
    if (run.invocation.role !== "reconciler") return;
    const promotes = operation === "UpdateSecretVersionStage" && effect.subject.includes("AWSCURRENT");
    if (promotes || operation === "PutSecretValue" || operation === "issueLongTermToken") {
      this.#violation("I6", effect, "the reconciler issues, stores or promotes");
    }
  }

  /** After an effect has happened, whether or not anybody hears of it. */
  after(effect: Effect): void {
    this.checks += 1;
    if (!effect.mutates || effect.service === "log") return;
    if (effect.service === "c2m") this.#afterC2m(effect);
    else this.#afterStore(effect);
  }

  /** An operator changed something by hand, between two effects. */
  operatorActed(effectNumber: number): void {
    this.#operatorActed = { at: this.#options.clock.now(), effect: effectNumber };
    for (const secret of this.#options.secrets()) this.#followCurrent(secret, undefined);
    this.#checkValues(undefined);
  }

  /** An operator has issued a token at C2M. */
  issuedByHand(accessToken: string): void {
    this.#byHand.add(accessToken);
  }

  logged(run: FunctionRun, line: LogLine): void {
    const { event, fields } = line;
    this.#told.set(run, [...(this.#told.get(run) ?? []), line]);
    if (event === "token.issue.started") run.attemptId = String(fields.attempt_id);
    if (event === "token.issued" || event === "token.issue.ambiguous" || event === "token.issue.refused") {
      const [token] = this.#unsettled.get(run) ?? [];
      if (event === "token.issued" && token && fields.token_id !== undefined && fields.token_id !== token.id) {
        this.violation("I3", `the log names ${String(fields.token_id)} where ${token.id} was issued`);
      }
      this.#unsettled.delete(run);
    }
    this.#checkLeak(line.text, `the log line ${event}`);
  }

  /** After a function has returned or failed. */
  ended(run: FunctionRun, end: FunctionEnd<unknown>): void {
    const told = this.#told.get(run) ?? [];
    this.#told.delete(run);
    if (end.kind === "killed") return;
    if (end.kind === "failed") this.#checkLeak(printable(end.error), `the error of ${run.invocation.name}`);
    if (run.invocation.name === "rollback" && end.kind === "succeeded") this.#checkRollback(run.invocation.secret ?? 0);
    if (run.storeUnknown) return;
    for (const id of run.issued) {
      if (!this.#options.c2m.isLive(id) || this.#isStored(id)) continue;
      const said = told.some(
        ({ event, fields }) =>
          event === "token.issue.ambiguous" ||
          ((event === "token.revocation.failed" || event === "token.unrevocable") &&
            (fields.token_id === undefined || fields.token_id === id)),
      );
      if (!said)
        this.violation("I2", `${run.invocation.name} ended and left ${id} alive, in no version, without a word`);
    }
  }

  /** When Secrets Manager says that a rotation succeeded. */
  rotationSucceeded(secret: Secret): void {
    const { scenario, clock } = this.#options;
    if (scenario.graceSeconds > 0) return;
    // The step may have seen the labels as they were before the operator, by reads that lag or because it looked first:
    // what the operator superseded is the reconciler's to finish.
    const lagMs = scenario.knobs?.visibilityDelayMs ?? 0;
    if (clock.now() - this.#operatorActed.at < lagMs + 60_000) return;
    const text = tokenTextOf(holderOf(secret.state, "AWSPREVIOUS")?.value);
    const token = text === undefined ? undefined : this.#options.c2m.byAccessToken(text);
    if (!token || !this.#options.c2m.isLive(token.id) || text === this.#current.get(secret.arn)) return;
    if (this.unrevocable.has(token.id) || this.unrevocable.has("without id")) return;
    this.violation("I4", `a rotation without grace succeeded and its predecessor ${token.id} lives`);
  }

  violation(invariant: string, text: string): void {
    this.#violation(invariant, undefined, text);
  }

  #afterC2m(effect: Effect): void {
    const { c2m } = this.#options;
    const { tokens } = c2m;
    for (const token of tokens.slice(this.#seenTokens)) {
      if (token.parent !== undefined) this.#proven.add(token.parent);
      if (token.kind !== "long" || this.#byHand.has(token.accessToken)) continue;
      effect.run.issued.push(token.id);
      const { attemptId } = effect.run;
      if (attemptId === undefined)
        this.#violation("I3", effect, `${token.id} is issued before the log says that it is asked for`);
      else this.attemptOf.set(token.id, attemptId);
      if (!effect.run.killed) this.#unsettled.set(effect.run, [token]);
    }
    this.#seenTokens = tokens.length;
    if (effect.operation === "revokeToken") this.#afterRevocation(effect, effect.subject);
  }

  #afterRevocation(effect: Effect, id: string): void {
    const { c2m, clock, scenario, secrets } = this.#options;
    const token = c2m.byId(id);
    if (token?.revokedAt === undefined || this.#revoked.has(id)) return;
    this.#revoked.add(id);
    const raced = this.#wasRaced(effect);
    for (const secret of secrets()) {
      if (this.#current.get(secret.arn) === token.accessToken && !raced) {
        this.#violation("I1", effect, `${id} is revoked while it is at AWSCURRENT`);
      }
    }
    const lost = this.#lost.get(token.accessToken);
    if (!lost || clock.now() >= lost.at + scenario.graceSeconds * 1_000) return;
    // Whom an operator moves to and fro while a run looks at it has no grace from that run: it looks once.
    if (this.#operatorActed.effect > effect.run.firstEffect) return;
    if (lost.byOperator && (raced || this.#isExempt("grace-after-operator"))) return;
    const seconds = Math.round((clock.now() - lost.at) / 1_000);
    this.#violation("I1", effect, `${id} is revoked ${seconds} s after it was superseded, within the grace period`);
  }

  /** Whether an operator moved a label so late that reading AWSCURRENT immediately before could not show it: not promised. */
  #wasRaced({ currentReadAt }: Effect): boolean {
    const { clock, scenario } = this.#options;
    const lagMs = scenario.knobs?.visibilityDelayMs ?? 0;
    if (currentReadAt === undefined) return false;
    return (
      this.#operatorActed.effect > currentReadAt || (lagMs > 0 && clock.now() - this.#operatorActed.at < lagMs + 1_000)
    );
  }

  #afterStore(effect: Effect): void {
    // The project's rollback checks again after it has moved the label: `ended` looks at what it left.
    if (effect.run.invocation.role === "operator") {
      this.#operatorActed = { at: this.#options.clock.now(), effect: effect.number };
    }
    this.#checkValues(effect);
    for (const secret of this.#options.secrets()) this.#followCurrent(secret, effect);
  }

  #checkValues(effect: Effect | undefined): void {
    for (const { state } of this.#options.secrets()) {
      for (const { id, value } of state.versions.values()) {
        const text = valueText(value);
        if (text === undefined) continue;
        const before = this.#values.get(id);
        if (before === undefined) this.#values.set(id, text);
        else if (before !== text) this.#violation("I3", effect, `the value of the version ${id} is overwritten`);
      }
    }
  }

  /** @param effect undefined when an operator did it */
  #followCurrent(secret: Secret, effect: Effect | undefined): void {
    const { clock, c2m } = this.#options;
    const text = tokenTextOf(holderOf(secret.state, "AWSCURRENT")?.value);
    const before = this.#current.get(secret.arn);
    if (text === before) return;
    this.#current.set(secret.arn, text);
    if (before !== undefined) this.#lost.set(before, { at: clock.now(), byOperator: effect === undefined });
    if (!effect || text === undefined || effect.run.invocation.role === "operator") return;
    const token = c2m.byAccessToken(text);
    if (!token) {
      this.#violation("I1", effect, "a value that is no token of C2M's becomes current");
      return;
    }
    if (!this.#proven.has(token.id)) this.#violation("I1", effect, `${token.id} becomes current unproven`);
    if (token.revokedAt !== undefined) this.#violation("I1", effect, `${token.id} becomes current and is revoked`);
  }

  #checkRollback(index: number): void {
    const secret = this.#options.secrets()[index];
    const token = this.#options.c2m.byAccessToken((secret && this.#current.get(secret.arn)) ?? "");
    if (token && !this.#options.c2m.isLive(token.id)) {
      this.violation("I1", "a rollback succeeded, and the token that it left at AWSCURRENT is dead");
    }
  }

  #isStored(id: string): boolean {
    const text = this.#options.c2m.byId(id)?.accessToken;
    return this.#options
      .secrets()
      .some(({ state }) => [...state.versions.values()].some(({ value }) => tokenTextOf(value) === text));
  }

  #checkLeak(text: string, where: string): void {
    if (this.leaks.leaksIn(text)) this.violation("I5", `a secret stands in ${where}`);
  }

  #isExempt(exemption: Exemption): boolean {
    return this.#options.scenario.notPromised?.includes(exemption) ?? false;
  }

  #violation(invariant: string, effect: Effect | undefined, text: string): void {
    this.violations.push(`${invariant}: ${effect ? `at ${effect.number}, ` : ""}${text}`);
  }
}
