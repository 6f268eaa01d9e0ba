import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import { holderOf } from "../../../local-cloud/secrets-manager/labels.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import type { HttpRequest } from "../../../src/c2m/http.ts";
import type { TokenSettings } from "../../../src/formats/settings.ts";
import { anotherIdOf } from "./c2m-client.ts";
import type { Effect } from "./effects.ts";
import type { CommandName, FunctionEnd, FunctionRun } from "./function-run.ts";
import { Happenings, type Sources } from "./happenings.ts";
import type { LogLine } from "./in-memory-ledger.ts";
import { LeakDetector, printable } from "./leak-detector.ts";
import type { Scenario } from "./scenarios.ts";
import { holdsToken, storedFields, tokenTextOf, valueText } from "./stored-text.ts";
import { commandTruth } from "./truth.ts";

/** A secret as it is, and the settings that are deployed for it. */
export interface Watched {
  secret: Secret;
  settings: TokenSettings;
}

export interface WatchOptions extends Sources {
  scenario: Scenario;
  secrets: () => readonly Watched[];
}

const minute = 60_000;
const hour = 60 * minute;

/** Looks at the world after every effect, and keeps what breaks the promise. */
export class Watch {
  readonly happened: Happenings;
  readonly violations: string[] = [];
  /** States that were looked at. */
  checks = 0;
  /** Ids that the log calls unrevocable; `without id` for tokens that have none. */
  readonly unrevocable = new Set<string>();
  /** Versions that were at AWSCURRENT at some time. */
  readonly wereCurrent = new Set<string>();
  readonly leaks: LeakDetector;
  /** By a client's secret: the base URL of the C2M that it is for. */
  readonly #hosts = new Map<string, string>();
  /** Tokens that were issued to a run which has not put their ids into the log yet. */
  readonly #unsettled = new Map<FunctionRun, C2mToken[]>();
  readonly #options: WatchOptions;
  readonly #values = new Map<string, string>();
  readonly #current = new Map<string, string | undefined>();
  readonly #lost = new Map<string, { at: number; byOperator: boolean; graceMs: number }>();
  readonly #proven = new Set<string>();
  readonly #revoked = new Set<string>();
  readonly #told = new Map<FunctionRun, LogLine[]>();
  #seenTokens = 0;
  /** Number of the latest exchange of a rollback that C2M answered. */
  #askedAt = 0;
  #operatorActed = { at: 0, effect: 0 };

  constructor(options: WatchOptions) {
    this.#options = options;
    this.happened = new Happenings(options, options.scenario.notPromised);
    this.leaks = new LeakDetector(options.c2ms);
  }

  /** Remembers what another one does. */
  copy(other: Watch): void {
    const maps = (of: Watch): Map<string, unknown>[] => [of.#hosts, of.#values, of.#current, of.#lost];
    const sets = (of: Watch): Set<string>[] => [of.unrevocable, of.wereCurrent, of.#proven, of.#revoked];
    const [ownMaps, ownSets] = [maps(this), sets(this)];
    for (const [index, map] of maps(other).entries()) for (const [key, value] of map) ownMaps[index]?.set(key, value);
    for (const [index, set] of sets(other).entries()) for (const item of set) ownSets[index]?.add(item);
    this.leaks.copy(other.leaks);
    this.happened.copy(other.happened);
    this.#seenTokens = other.#seenTokens;
    this.#askedAt = other.#askedAt;
    this.#operatorActed = other.#operatorActed;
  }

  /** A client's secret, which must never be seen, nor sent to another base URL. */
  confide(secret: string, baseUrl: string): void {
    this.leaks.confide(secret);
    this.#hosts.set(secret, baseUrl);
  }

  /** A request leaves for the C2M at a base URL. */
  sent(run: FunctionRun, baseUrl: string, { headers, body = "" }: HttpRequest): void {
    const isAlone = this.#options.c2ms.byBaseUrl.size === 1;
    if (isAlone && [...this.#hosts.values()].every((host) => host === baseUrl)) return;
    const text = `${Object.values(headers).join(" ")} ${body}`;
    for (const [issuer, { tokens }] of this.#options.c2ms.byBaseUrl) {
      if (issuer === baseUrl) continue;
      for (const { accessToken, id } of tokens) {
        if (!text.includes(accessToken)) continue;
        this.violation("I5", `${run.invocation.name} sends ${id} to ${baseUrl}, which did not issue it`);
      }
    }
    for (const [secret, host] of this.#hosts) {
      if (host !== baseUrl && text.includes(JSON.stringify(secret))) {
        this.violation("I5", `${run.invocation.name} sends the client secret of ${host} to ${baseUrl}`);
      }
    }
  }

  /** Before a process asks for something. */
  before(effect: Effect): void {
    const { run, service, operation } = effect;
    if (operation === "revokeToken") run.borrowed.delete(effect.subject);
    const [unsettled] = this.#unsettled.get(run) ?? [];
    if (unsettled && service !== "log") {
      this.#violation("I3", effect, `asks for something before the id of ${unsettled.id} is in the log`);
    }
    const { role, name, isFrozen } = run.invocation;
    const changes = role === "reconciler" ? ["revokeToken", "UpdateSecretVersionStage"] : ["issueLongTermToken"];
    if (isFrozen && (role === "reconciler" || name === "createSecret") && changes.includes(operation)) {
      this.#violation("freeze", effect, `${name} goes on in a change freeze`);
    }
    if (role !== "reconciler") return;
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

  /** Somebody moved a label or stored a value by hand, between two effects. */
  operatorActed(effectNumber: number): void {
    this.#operatorActed = { at: this.#options.clock.now(), effect: effectNumber };
    for (const { secret } of this.#options.secrets()) this.#followCurrent(secret, undefined);
    this.#checkValues(undefined);
  }

  /** Somebody has revoked a token at C2M. */
  revokedBySomebody(id: string, effectNumber: number): void {
    this.#revoked.add(id);
    this.happened.bySomebody.add(id);
    this.happened.revokedAfter.set(id, effectNumber);
  }

  logged(run: FunctionRun, line: LogLine): void {
    const { event, fields } = line;
    const told = this.#told.get(run);
    if (told) told.push(line);
    else this.#told.set(run, [line]);
    if (event === "token.issue.started") run.attemptId = String(fields.attempt_id);
    if (event === "token.issued" || event === "token.issue.ambiguous" || event === "token.issue.refused") {
      const [token] = this.#unsettled.get(run) ?? [];
      const names = Object.values(fields);
      if (event === "token.issued" && token && fields.token_id !== undefined && !names.includes(token.id)) {
        this.violation("I3", `the log names ${String(fields.token_id)} where ${token.id} was issued`);
      }
      this.#unsettled.delete(run);
    }
    // What a decommission leaves alive stands in the log, also where nobody saw its last words.
    if (event === "token.unrevocable" && run.invocation.name === "decommission") {
      const { token_id, expires_at } = fields as Record<string, string | undefined>;
      this.happened.reported.push({ tokenId: token_id, until: expires_at });
    }
    if (event === "token.death.unseen") {
      const { token_id, expires_at } = fields as Record<string, string | undefined>;
      this.happened.reported.push({ tokenId: token_id, until: expires_at });
      if (token_id !== undefined && this.happened.isStored(token_id))
        this.violation("truth", `nobody can tell of ${token_id}, says ${run.invocation.name}, and a version holds it`);
    }
    if (event === "token.revoked" || String(event) === "token.dead")
      this.#checkDead(run, String(event), fields.token_id);
    this.#checkLeak(said(fields), `the log line ${event}`);
  }

  /** Of a command that begins: what is to be called with its result when it ends with status 0. */
  commandBegins(name: CommandName, index: number): (result: Record<string, unknown> | undefined) => void {
    const { c2ms, secrets } = this.#options;
    return commandTruth(name, index, {
      c2ms,
      secret: (at) => secrets()[at]?.secret,
      secretOf: this.happened.secretOf,
      wereCurrent: this.wereCurrent,
      claimed: this.happened.claimed,
      isOfAnother: ({ accessToken }) => {
        const own = secrets()[index]?.secret;
        if (own && holdsToken(own, accessToken)) return false;
        return secrets().some(({ secret }) => secret !== own && this.#current.get(secret.arn) === accessToken);
      },
      isUntold: (token) => this.happened.isUntold(token),
      revokedUnseen: (id) => {
        const isLate = (c2ms.byId(id)?.refusedFrom ?? 0) > this.#options.clock.now();
        const isSince = (this.happened.revokedAfter.get(id) ?? 0) > this.#askedAt;
        return this.happened.bySomebody.has(id) && (isLate || isSince);
      },
      violation: (text) => this.violation("truth", text),
    });
  }

  /** The reconciler says of a secret that is retired that nothing of it lives but the current token. */
  saidToBeOver(run: FunctionRun, index: number): void {
    const { c2ms, clock } = this.#options;
    // A step that began before may have issued, and its line be late.
    if (clock.now() - this.happened.upAt < 2 * hour) return;
    // It tells of what it saw, and somebody has superseded a token by hand since.
    if (this.#operatorActed.effect > run.firstEffect || clock.now() - this.#operatorActed.at < 10 * minute) return;
    const current = new Set(this.#current.values());
    for (const token of c2ms.tokens) {
      const { id, accessToken } = token;
      if (this.happened.secretOf.get(id) !== index || !c2ms.isLive(id) || current.has(accessToken)) continue;
      if (this.happened.isUntold(token)) continue;
      this.violation("truth", `the reconciler says that nothing of the retired secret ${index} lives, and ${id} does`);
    }
  }

  /** After a process has returned or failed. */
  ended(run: FunctionRun, end: FunctionEnd<unknown>): void {
    const told = this.#told.get(run) ?? [];
    this.#told.delete(run);
    if (end.kind === "killed") return;
    for (const id of run.borrowed) {
      this.violation(
        "I2",
        `${run.invocation.name} ended and left ${id}, which may issue tokens, without asking for its end`,
      );
    }
    if (end.kind === "failed") this.#checkLeak(printable(end.error), `the error of ${run.invocation.name}`);
    // What is stored can't be seen where the secret was deleted under it: the reconciler goes by the log.
    if (run.storeUnknown || this.happened.deletedAfter >= run.firstEffect) return;
    for (const id of run.issued) {
      if (!this.#options.c2ms.isLive(id) || this.happened.isStored(id) || this.happened.claimed.has(id)) continue;
      const said = told.some(
        ({ event, fields }) =>
          event === "token.issue.ambiguous" ||
          ((event === "token.revocation.failed" || event === "token.unrevocable") &&
            (fields.token_id === undefined || fields.token_id === id || fields.token_id === anotherIdOf(id))),
      );
      if (!said)
        this.violation("I2", `${run.invocation.name} ended and left ${id} alive, in no version, without a word`);
    }
  }

  /** When Secrets Manager says that a rotation succeeded. */
  rotationSucceeded({ secret, settings }: Watched): void {
    const { scenario, clock, c2ms } = this.#options;
    if (settings.graceSeconds > 0 || clock.now() - this.happened.upAt < hour) return;
    // The step may have seen the labels as they were before the operator, by reads that lag or because it looked first:
    // what the operator superseded is the reconciler's to finish.
    const lagMs = scenario.knobs?.visibilityDelayMs ?? 3_000;
    if (clock.now() - this.#operatorActed.at < lagMs + 60_000) return;
    const text = tokenTextOf(holderOf(secret.state, "AWSPREVIOUS")?.value);
    const token = text === undefined ? undefined : c2ms.byAccessToken(text);
    // C2M may have given it twice: it is current here, or in another secret.
    if (!token || !c2ms.isLive(token.id) || [...this.#current.values()].includes(token.accessToken)) return;
    // Where there is a replica, or was when the step looked, the reconciler waits for it.
    if (secret.state.replicas.length > 0 || clock.now() - this.happened.replicasGoneAt < 2 * minute) return;
    // Another C2M's, or one that a gateway called dead: the reconciler's to finish.
    if (c2ms.baseUrlOf(token.id) !== settings.baseUrl || this.happened.claimed.has(token.id)) return;
    if (this.unrevocable.has(token.id) || this.unrevocable.has("without id")) return;
    this.violation("I4", `a rotation without grace succeeded and its predecessor ${token.id} lives`);
  }

  violation(invariant: string, text: string): void {
    this.#violation(invariant, undefined, text);
  }

  /** What it remembers of a token, for a state that is to be told from others. */
  memoryOf(token: C2mToken, since: (date: number) => number): unknown[] {
    const lost = this.#lost.get(token.accessToken);
    return [
      this.#proven.has(token.id),
      this.unrevocable.has(token.id),
      ...this.happened.memoryOf(token),
      lost && [since(lost.at), lost.byOperator, lost.graceMs, this.#mayBeShown(lost)],
    ];
  }

  /** What else it remembers. */
  memory(since: (date: number) => number): unknown {
    const { clock, secrets } = this.#options;
    const isRecent = clock.now() - this.#operatorActed.at < 10 * minute;
    // When the settings changed is asked where a rotation revokes what it supersedes, and of a secret that is retired.
    const isAsked = secrets().some(({ settings }) => settings.graceSeconds === 0 || settings.retire);
    return [
      this.unrevocable.has("without id"),
      isRecent && since(this.#operatorActed.at),
      isAsked && since(this.happened.upAt),
      ...this.happened.memory(since),
    ];
  }

  #afterC2m(effect: Effect): void {
    const { tokens } = this.#options.c2ms;
    for (const token of tokens.slice(this.#seenTokens)) {
      if (token.parent !== undefined) this.#proven.add(token.parent);
      const isBorrowed = token.kind === "short" && token.scopes.includes("tokens:write");
      if (isBorrowed && effect.isHeard && effect.run.invocation.role === "rotator") effect.run.borrowed.add(token.id);
      if (token.kind !== "long" || this.happened.byHand.has(token.accessToken)) continue;
      effect.run.issued.push(token.id);
      const { attemptId, invocation } = effect.run;
      if (invocation.secret !== undefined) this.happened.secretOf.set(token.id, invocation.secret);
      if (attemptId === undefined)
        this.#violation("I3", effect, `${token.id} is issued before the log says that it is asked for`);
      else this.happened.attemptOf.set(token.id, attemptId);
      if (!effect.run.killed) this.#unsettled.set(effect.run, [token]);
    }
    this.#seenTokens = tokens.length;
    const { name } = effect.run.invocation;
    if (name === "rollback" && effect.operation === "issueShortTermToken") this.#askedAt = effect.number;
    if (effect.operation === "revokeToken") this.#afterRevocation(effect, effect.subject);
  }

  #afterRevocation(effect: Effect, id: string): void {
    const { c2ms, clock, secrets } = this.#options;
    const token = c2ms.byId(id);
    if (token?.revokedAt === undefined || this.#revoked.has(id)) return;
    this.#revoked.add(id);
    const { invocation } = effect.run;
    const raced = this.#wasRaced(effect) || this.#wasMadeAgain(effect, id);
    const ends = invocation.name === "decommission" ? invocation.secret : undefined;
    for (const [index, { secret }] of secrets().entries()) {
      // Nobody can read what stands in a deleted one.
      if (secret.state.deletion || (this.happened.addedAfter.get(index) ?? -1) >= effect.run.firstEffect) continue;
      // C2M has given it to another secret, while the run was at work on this one.
      if (index !== invocation.secret && (this.happened.givenAgain.get(id) ?? -1) >= effect.run.firstEffect) continue;
      if (this.#current.get(secret.arn) === token.accessToken && !raced && index !== ends) {
        this.#violation("I1", effect, `${id} is revoked while it is at AWSCURRENT`);
      }
    }
    const lost = this.#lost.get(token.accessToken);
    if (!lost) return;
    const { replicasBehind: behind } = this.happened;
    const isReplicated = secrets().some(
      ({ secret }) => secret.state.replicas.length > 0 && holdsToken(secret, token.accessToken),
    );
    if (isReplicated && behind && behind.after < effect.run.firstEffect && this.#mayBeShown(lost)) {
      this.#violation("I1", effect, `${id} is revoked while a replica of its secret may still show it`);
    }
    if (invocation.endsGrace) return;
    const isUndated = lost.byOperator && this.happened.exempt.has("grace-after-operator");
    if (!isUndated) this.#checkLastLive(effect, token, lost.at);
    // What is deployed now may have shortened it. Whose clock is off by minutes ends a grace so much too early.
    const graceMs = Math.min(lost.graceMs, ...secrets().map(({ settings }) => settings.graceSeconds * 1_000));
    if (clock.now() >= lost.at + graceMs - this.happened.aheadMs - this.happened.behindMs) return;
    // A process that began before `pulumi up` goes by what was.
    if (effect.run.firstEffect <= this.happened.upAfter) return;
    // Whom an operator moves to and fro while a run looks at it has no grace from that run: it looks once.
    if (this.#operatorActed.effect > effect.run.firstEffect) return;
    if (isUndated || (lost.byOperator && raced)) return;
    const seconds = Math.round((clock.now() - lost.at) / 1_000);
    this.#violation("I1", effect, `${id} is revoked ${seconds} s after it was superseded, within the grace period`);
  }

  /** By a replica that is behind: what was superseded before, it does not show. */
  #mayBeShown(lost: { at: number }): boolean {
    const { replicasBehind: behind } = this.happened;
    return behind !== undefined && lost.at >= behind.at;
  }

  /** The newest superseded token is kept for a day where the current one is dead. */
  #checkLastLive(effect: Effect, { id, accessToken }: C2mToken, lostAt: number): void {
    const { c2ms, clock, secrets } = this.#options;
    if (clock.now() > lostAt + 24 * hour) return;
    // Labels that were moved by hand while the run looked: it looks once.
    if (this.#operatorActed.effect > effect.run.firstEffect || this.#wasMadeAgain(effect, id)) return;
    for (const { secret, settings } of secrets()) {
      const texts = [...secret.state.versions.values()].map(({ value }) => tokenTextOf(value));
      if (secret.state.deletion || !texts.includes(accessToken)) continue;
      const current = c2ms.byAccessToken(this.#current.get(secret.arn) ?? "");
      if (current?.id === id) continue;
      // Nobody asks about a plain text: it may be of any C2M, or no token.
      const value = valueText(holderOf(secret.state, "AWSCURRENT")?.value);
      if (value !== undefined && storedFields(value).base_url === undefined) continue;
      const isDead = current?.refusedFrom !== undefined && current.refusedFrom <= clock.now();
      // Nobody asks a C2M that the settings don't name.
      const named = [settings.baseUrl, ...(settings.formerBaseUrls ?? [])];
      if (current && !named.includes(c2ms.baseUrlOf(current.id) ?? "")) continue;
      // It died while the run was at work.
      if (current && (this.happened.revokedAfter.get(current.id) ?? 0) >= effect.run.firstEffect) continue;
      // When it had just been proven: a rotation without grace goes by that for a quarter of an hour.
      const isJust = current && clock.now() - (current.revokedAt ?? 0) < 15 * minute;
      if (isJust && this.happened.bySomebody.has(current.id) && effect.run.invocation.role === "rotator") continue;
      const othersLive = texts.some((text) => c2ms.isLive(c2ms.byAccessToken(text ?? "")?.id ?? ""));
      if (isDead && !othersLive) {
        this.#violation("I2", effect, `${id} is revoked, the last live token of its secret, whose current one is dead`);
      }
    }
  }

  /** Whether somebody moved a label by hand so late that reading AWSCURRENT immediately before could not show it: not promised. */
  #wasRaced({ currentRead }: Effect): boolean {
    const { scenario } = this.#options;
    const lagMs = scenario.knobs?.visibilityDelayMs ?? 3_000;
    if (currentRead === undefined) return false;
    return this.#operatorActed.effect > currentRead.effect || currentRead.at - this.#operatorActed.at < lagMs + 1_000;
  }

  /** Whether the secret was deleted for good under the run, and C2M has given its token once more, as to the one in its place. */
  #wasMadeAgain({ run }: Effect, id: string): boolean {
    return this.happened.deletedAfter > run.firstEffect && this.happened.givenAgain.has(id);
  }

  #afterStore(effect: Effect): void {
    this.#checkValues(effect);
    for (const { secret } of this.#options.secrets()) this.#followCurrent(secret, effect);
  }

  #checkValues(effect: Effect | undefined): void {
    for (const { secret } of this.#options.secrets()) {
      for (const { id, value } of secret.state.versions.values()) {
        const text = valueText(value);
        if (text === undefined) continue;
        const before = this.#values.get(id);
        if (before === undefined) this.#values.set(id, text);
        else if (before !== text) this.#violation("I3", effect, `the value of the version ${id} is overwritten`);
      }
    }
  }

  /** @param effect undefined when somebody did it by hand */
  #followCurrent(secret: Secret, effect: Effect | undefined): void {
    const { clock, c2ms, secrets } = this.#options;
    const holder = holderOf(secret.state, "AWSCURRENT");
    const text = tokenTextOf(holder?.value);
    const wasCurrent = this.wereCurrent.has(holder?.id ?? "");
    if (holder) this.wereCurrent.add(holder.id);
    const before = this.#current.get(secret.arn);
    if (text === before) return;
    this.#current.set(secret.arn, text);
    const graceSeconds = secrets().find((one) => one.secret === secret)?.settings.graceSeconds ?? 0;
    if (before !== undefined) {
      this.#lost.set(before, { at: clock.now(), byOperator: effect === undefined, graceMs: graceSeconds * 1_000 });
    }
    if (!effect || text === undefined) return;
    const token = c2ms.byAccessToken(text);
    if (!token) {
      this.#violation("I1", effect, "a value that is no token of C2M's becomes current");
      return;
    }
    // What somebody has put there comes back where a rollback is undone.
    const isRestored = wasCurrent && this.happened.byHand.has(text);
    if (!this.#proven.has(token.id) && !isRestored) {
      this.#violation("I1", effect, `${token.id} becomes current unproven`);
    }
    // The command looks again after it has moved the label: what it leaves is looked at when it ends.
    if (effect.run.invocation.name === "rollback") return;
    // A revocation by somebody else that has not bitten, or only since it was proven, nobody can see.
    const unseen = this.happened.bySomebody.has(token.id) && clock.now() - (token.refusedFrom ?? 0) < 16 * 60_000;
    if (token.revokedAt !== undefined && !unseen) {
      this.#violation("I1", effect, `${token.id} becomes current and is revoked`);
    }
  }

  #checkDead(run: FunctionRun, event: string, id: unknown): void {
    const { c2ms } = this.#options;
    if (typeof id !== "string") return;
    const token = c2ms.byId(id);
    if (!token) return;
    const lives = event === "token.dead" ? c2ms.isAccepted(id) : c2ms.isLive(id) && !this.happened.claimed.has(id);
    if (lives) this.violation("I2", `${run.invocation.name} says ${event} of ${id}, which lives`);
  }

  #checkLeak(text: string, where: string): void {
    if (this.leaks.leaksIn(text)) this.violation("I5", `a secret stands in ${where}`);
  }

  #violation(invariant: string, effect: Effect | undefined, text: string): void {
    this.violations.push(`${invariant}: ${effect ? `at ${effect.number}, ` : ""}${text}`);
  }
}

/** All that a line says, as it was said: JSON would escape it. */
function said(value: unknown): string {
  return typeof value === "object" && value !== null ? Object.values(value).map(said).join("\n") : String(value);
}
