import type { Clock } from "../clock.ts";
import { type C2mClient, ClientRegister } from "./clients.ts";
import { bearer, type C2mAnswer, type C2mOperation, type C2mRequest, header, type Success } from "./exchange.ts";
import { type AcceptedJob, JobRegister } from "./job-register.ts";
import { type C2mKnobs, plainKnobs } from "./knobs.ts";
import { C2mOperations } from "./operations.ts";
import { errorAnswer, Refusal } from "./refusal.ts";
import { route } from "./routes.ts";
import { type C2mToken, isAccepted, isLive, type TokenKind, TokenRegister } from "./token-register.ts";

export interface C2mEngineOptions {
  clock: Clock;
  /** Default `plainKnobs`. */
  knobs?: Partial<C2mKnobs>;
  /** Makes token ids; default like the description's example, `tok_lt_b8e0aa`. The format is not promised: any text. */
  randomId?: (kind: TokenKind) => string;
  /** Where another engine left off, from its `save`. Codes and assertions that were used may be used again. */
  state?: C2mState;
}

/** What outlives a restart of the local cloud. Holds tokens and client secrets as they are. */
export interface C2mState {
  clients: C2mClient[];
  tokens: C2mToken[];
  /** Absent in a state of an earlier version. */
  jobs?: AcceptedJob[];
}

/**
 * C2M without the network: the HTTP behaviour of the auth API and of `POST /static` over what is in memory, on a clock. A second
 * implementation of what is known of the API; where nothing is known there is a knob.
 */
export class C2mEngine {
  /** To be turned at any time. */
  readonly knobs: C2mKnobs;
  readonly clock: Clock;
  /** Calls that were answered, and those of them that succeeded, since the start. */
  readonly counts: Readonly<Record<C2mOperation, { calls: number; successes: number }>> = {
    issueLongTermToken: { calls: 0, successes: 0 },
    issueShortTermToken: { calls: 0, successes: 0 },
    revokeToken: { calls: 0, successes: 0 },
    submitStatic: { calls: 0, successes: 0 },
    getAccount: { calls: 0, successes: 0 },
  };
  /** What was accepted by `POST /static`. */
  readonly jobs = new JobRegister();
  readonly #clients = new ClientRegister();
  readonly #tokens: TokenRegister;
  readonly #operations: C2mOperations;

  constructor(options: C2mEngineOptions) {
    this.clock = options.clock;
    this.knobs = { ...plainKnobs, ...options.knobs };
    this.#tokens = new TokenRegister(options.randomId);
    this.#operations = new C2mOperations({
      now: () => this.now(),
      knobs: this.knobs,
      clients: this.#clients,
      tokens: this.#tokens,
      jobs: this.jobs,
    });
    for (const client of options.state?.clients ?? []) this.#clients.register(client);
    for (const token of options.state?.tokens ?? []) this.#tokens.restore({ ...token });
    for (const job of options.state?.jobs ?? []) this.jobs.restore(job);
  }

  /** C2M's own time in epoch ms. */
  now(): number {
    return this.clock.now() + this.knobs.clockAheadMs;
  }

  /** Revokes all tokens that live, long and short, as C2M may do when something has leaked. */
  revokeEverything(): void {
    for (const token of this.#tokens.all) this.#tokens.revoke(token, this.now(), this.knobs);
  }

  /** For `state` of an engine to come; can be written as JSON. */
  save(): C2mState {
    return { clients: this.#clients.all, tokens: this.tokens.map((token) => ({ ...token })), jobs: [...this.jobs.all] };
  }

  /** Adds a client or replaces its settings (a new client secret, say). Its tokens stay. */
  registerClient(client: C2mClient): void {
    this.#clients.register(client);
  }

  /** Every token that was ever issued, in order. */
  get tokens(): readonly C2mToken[] {
    return this.#tokens.all;
  }

  /** The long tokens that are neither revoked nor expired at `now` (default: C2M's): what must be accounted for. */
  liveLongTokens(now = this.now()): C2mToken[] {
    return this.tokens.filter((token) => token.kind === "long" && isLive(token, now));
  }

  /** Whether the token is neither revoked nor expired. False for an unknown id. */
  isLive(tokenId: string, now = this.now()): boolean {
    const token = this.#tokens.byId(tokenId);
    return token !== undefined && isLive(token, now);
  }

  /** Whether a bearer of the token is let in: not before it works, and for as long as a revocation has not bitten. */
  isAccepted(tokenId: string, now = this.now()): boolean {
    const token = this.#tokens.byId(tokenId);
    return token !== undefined && isAccepted(token, now);
  }

  byId(tokenId: string): C2mToken | undefined {
    return this.#tokens.byId(tokenId);
  }

  byAccessToken(text: string): C2mToken | undefined {
    return this.#tokens.byAccessToken(text);
  }

  /** What a request asks for and who asks, without doing it. */
  identify(request: C2mRequest): { operation: C2mOperation | undefined; caller: string } {
    const shown = bearer(request);
    const token = shown === undefined ? undefined : this.#tokens.byAccessToken(shown);
    // Only what we know may be told: a broken caller could show a secret in the place of an id.
    const client = this.#clients.get(header(request, "x-client-id") ?? "");
    return { operation: route(request)?.operation, caller: token?.id ?? client?.clientId ?? "unknown" };
  }

  /**
   * Does what the request asks for and answers as C2M would. Synchronous but for assertions, whose signature takes a
   * promise to verify. Never throws for what is in the request.
   */
  answer(request: C2mRequest): C2mAnswer | Promise<C2mAnswer> {
    const { operation, caller } = this.identify(request);
    if (operation) this.counts[operation].calls += 1;
    const succeed = (success: Success): C2mAnswer => {
      if (operation) this.counts[operation].successes += 1;
      const body = success.body === undefined ? "" : JSON.stringify(success.body);
      const type: Record<string, string> = body === "" ? {} : { "content-type": "application/json" };
      const headers = { ...type, ...success.headers };
      return { status: success.status, headers, body, operation, caller, error: undefined };
    };
    const refuse = (error: unknown): C2mAnswer => {
      if (!(error instanceof Refusal)) throw error;
      return { ...errorAnswer(error, this.knobs.errorBody, operation), operation, caller, error: error.code };
    };
    try {
      const outcome = this.#operations.perform(request);
      return outcome instanceof Promise ? outcome.then(succeed).catch(refuse) : succeed(outcome);
    } catch (error) {
      return refuse(error);
    }
  }
}
