import { inspect } from "node:util";
import type { C2mToken } from "../../local-cloud/c2m/token-register.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientSecret, type World } from "../harness/rotation-world.ts";

/**
 * Watches a world and notes every breach of the promise: I1 and I3 (nothing overwritten) at every call that is made, the rest
 * when asked. `rotationTokens` are those that steps were run with.
 */
export class Invariants {
  readonly breaches: string[] = [];
  readonly rotationTokens = new Set<string>();
  /** Ids of tokens that somebody else revokes, or has tried to. */
  readonly revokedByOthers = new Set<string>();
  readonly #world: World;
  readonly #values = new Map<string, string>();
  readonly #revoked = new Set<string>();
  #current: string | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#look();
    world.calls.onCall(({ operation }) => {
      this.#afterCall(operation);
    });
  }

  /** To be called after whatever somebody else than the function did. */
  afterOthers(): void {
    this.#look();
    for (const token of this.#longTokens()) if (token.revokedAt !== undefined) this.#revoked.add(token.id);
  }

  /** I2 without a reconciler, and I3: whoever is alive is in a version, or in the ledger by its id or as a suspect. */
  checkNothingLost(): void {
    const ledger = new Set(this.#world.events("token.issued").map(({ token_id }) => token_id));
    const stored = new Set([...this.#versions()].map(({ token }) => token?.id));
    const unknown = this.#world.c2mEngine.liveLongTokens().filter(({ id }) => !ledger.has(id) && !stored.has(id));
    const suspects = this.#suspects();
    for (const { id, expiresAt } of unknown) {
      const index = suspects.findIndex((latest) => latest >= expiresAt);
      if (index < 0) this.breaches.push(`I3: ${id} lives and nobody knows`);
      else suspects.splice(index, 1);
    }
    for (const { token_id, expires_at, attempt_id } of this.#world.events("token.issued")) {
      const started = this.#world.events("token.issue.started").find((event) => event.attempt_id === attempt_id);
      const token = this.#world.c2mEngine.byId(token_id ?? "");
      if (!started) this.breaches.push(`I3: ${token_id} was issued without a word before`);
      else if (token && token.expiresAt > Date.parse(started.latest_expires_at)) {
        this.breaches.push(`I3: ${token_id} outlives what its start said`);
      }
      if (token && Date.parse(expires_at ?? "") < token.expiresAt)
        this.breaches.push(`I3: ${token_id} outlives the log`);
    }
  }

  /** I2: to be asked when finishSecret has succeeded. What C2M does not let us revoke must have been reported. */
  checkSupersededIsDead(): void {
    const { settings, engine, c2mEngine } = this.#world;
    if (settings.graceSeconds > 0 || engine.knobs.visibilityDelayMs > 0) return;
    const superseded = this.#tokenOf(this.#world.holder("AWSPREVIOUS"));
    if (!superseded || !c2mEngine.isLive(superseded.id)) return;
    // Somebody has copied the current value, and has moved the label to and fro.
    if (superseded.id === this.#tokenOf(this.#world.holder("AWSCURRENT"))?.id) return;
    const reported = this.#world.events("token.unrevocable").map(({ token_id }) => token_id);
    if (!reported.includes(superseded.id) && !reported.includes(undefined)) {
      this.breaches.push(`I2: ${superseded.id} was superseded and lives`);
    }
  }

  /** I5, as far as this process prints: log lines, metrics, and whatever can be seen of an error. */
  checkNothingLeaks(): void {
    const { log, metrics, failures, c2mEngine } = this.#world;
    const text = `${JSON.stringify(log)}${JSON.stringify(metrics)}${failures.map(everythingOf).join("\n")}`;
    const secrets = [clientSecret, ...c2mEngine.tokens.map(({ accessToken }) => accessToken), ...this.rotationTokens];
    for (const secret of secrets) if (text.includes(secret)) this.breaches.push("I5: a secret was printed");
  }

  #afterCall(operation: string): void {
    const before = this.#current;
    this.#look();
    if (operation === "revokeToken") this.#afterRevocation();
    if (before !== this.#current && /^(PutSecretValue|UpdateSecretVersionStage)$/.test(operation))
      this.#afterPromotion();
  }

  #afterRevocation(): void {
    const currentToken = this.#tokenOf(this.#current);
    for (const { id, revokedAt } of this.#longTokens()) {
      if (revokedAt === undefined || this.#revoked.has(id)) continue;
      this.#revoked.add(id);
      if (this.revokedByOthers.has(id)) continue;
      if (id === currentToken?.id) this.breaches.push(`I1: ${id} was revoked while it was current`);
      if (this.#world.settings.graceSeconds > 0 && this.#everCurrent.has(id)) {
        this.breaches.push(`I1: ${id} was revoked in its grace`);
      }
    }
  }

  #afterPromotion(): void {
    const token = this.#tokenOf(this.#current);
    if (!token) this.breaches.push("I1: what was promoted is no token of C2M's");
    else if (token.revokedAt !== undefined && !this.revokedByOthers.has(token.id))
      this.breaches.push(`I1: ${token.id} was promoted after its revocation`);
    else if (!this.#world.c2mEngine.tokens.some(({ parent }) => parent === token.id)) {
      this.breaches.push(`I1: ${token.id} was promoted without a proof`);
    }
  }

  readonly #everCurrent = new Set<string>();

  #look(): void {
    for (const { versionId, text } of this.#versions()) {
      const known = this.#values.get(versionId);
      if (known !== undefined && known !== text) this.breaches.push(`I3: the value of ${versionId} was overwritten`);
      this.#values.set(versionId, text);
    }
    this.#current = this.#world.holder("AWSCURRENT");
    const token = this.#tokenOf(this.#current);
    if (token) this.#everCurrent.add(token.id);
  }

  #tokenOf(versionId: string | undefined): C2mToken | undefined {
    return [...this.#versions()].find((version) => version.versionId === versionId)?.token;
  }

  *#versions(): Iterable<{ versionId: string; text: string; token: C2mToken | undefined }> {
    const { engine, arn, c2mEngine } = this.#world;
    for (const { id, value } of engine.find(arn)?.state.versions.values() ?? []) {
      if (!value || !("text" in value)) continue;
      const parsed = parseValue(new Sensitive(value.text));
      const token = parsed.kind === "ours" ? c2mEngine.byAccessToken(parsed.token.accessToken.reveal()) : undefined;
      yield { versionId: id, text: value.text, token };
    }
  }

  /** When the tokens of issue calls without an outcome expire at the latest. */
  #suspects(): number[] {
    const settled = new Set(
      [...this.#world.events("token.issued"), ...this.#world.events("token.issue.refused")].map(
        ({ attempt_id }) => attempt_id,
      ),
    );
    return this.#world
      .events("token.issue.started")
      .filter(({ attempt_id }) => !settled.has(attempt_id))
      .map(({ latest_expires_at }) => Date.parse(latest_expires_at));
  }

  #longTokens(): C2mToken[] {
    return this.#world.c2mEngine.tokens.filter(({ kind }) => kind === "long");
  }
}

/** All that anybody could print of an error, its causes included. */
export function everythingOf(error: unknown): string {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && !chain.includes(at); at = at instanceof Error ? at.cause : undefined) {
    chain.push(at);
  }
  return chain
    .flatMap((at) => [
      String(at),
      at instanceof Error ? at.stack : "",
      JSON.stringify(at),
      at instanceof Error ? JSON.stringify(at, Object.getOwnPropertyNames(at)) : "",
      inspect(at, { depth: 20, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null }),
    ])
    .join("\n");
}
