import { setTimeout as wait } from "node:timers/promises";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type C2mFetch, createC2mFetch, createTokenSource, type TokenSource } from "../../client/index.ts";
import type { Clock } from "../../local-cloud/clock.ts";
import type { ClientConfig } from "../../local-cloud/cloud.ts";

/** What came of the app's requests to C2M. */
export interface AppFigures {
  requests: number;
  /** Requests that C2M refused. */
  failures: number;
}

/**
 * An app as users have it, with this project's client: keeps what it read from the secret for as long as the grace
 * period lasts, and calls C2M with the token.
 */
export class App {
  readonly figures: AppFigures = { requests: 0, failures: 0 };
  readonly #secretsManager: SecretsManagerClient;
  readonly #tokens: TokenSource;
  readonly #c2mFetch: C2mFetch;
  readonly #onOutcome: AppOptions["onOutcome"];

  constructor({ aws, secretId, c2mUrl, clock, cacheMs, onOutcome }: AppOptions) {
    // What the client waits for is real: a network that does not answer. Only the age of what it keeps is virtual.
    const time = {
      now: () => clock.now(),
      sleep: (ms: number, signal?: AbortSignal) => wait(ms, undefined, { signal }),
    };
    this.#secretsManager = new SecretsManagerClient(aws);
    this.#tokens = createTokenSource({
      secretId,
      baseUrl: c2mUrl,
      secretsManager: this.#secretsManager,
      maxAgeMs: cacheMs,
      clock: time,
    });
    this.#c2mFetch = createC2mFetch(this.#tokens, { token: "long-term", clock: time });
    this.#onOutcome = onOutcome;
  }

  /** One request for the account at C2M. */
  async useC2m(): Promise<void> {
    this.figures.requests += 1;
    const answer = await this.#c2mFetch("/account");
    await answer.arrayBuffer();
    if (!answer.ok) this.figures.failures += 1;
    this.#onOutcome?.(answer.ok);
  }

  stop(): void {
    this.#tokens.close();
    this.#secretsManager.destroy();
  }
}

export interface AppOptions {
  aws: ClientConfig;
  secretId: string;
  c2mUrl: string;
  clock: Clock;
  cacheMs: number;
  /** Told of every request, and whether C2M accepted it. */
  onOutcome?: (accepted: boolean) => void;
}
