import { setTimeout as wait } from "node:timers/promises";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type C2mFetch, createC2mFetch, createTokenSource, sendLetter, type TokenSource } from "../../client/index.ts";
import type { ClientConfig } from "../../local-cloud/cloud.ts";

/** What became of a letter, as the app was told. */
export type LetterState = "accepted" | "refused" | "unknown" | "failed";

/**
 * An app as users have it, with this project's client: keeps what it read from the secret for as long as the grace
 * period lasts, and sends letters with the token.
 */
export class App {
  readonly #secretsManager: SecretsManagerClient;
  readonly #tokens: TokenSource;
  readonly #c2mFetch: C2mFetch;

  constructor({ aws, secretId, c2mUrl, cacheMs, now }: AppOptions & { now: () => number }) {
    // What the client waits for is real: a network that does not answer. Only the age of what it keeps is virtual.
    const clock = { now, sleep: (ms: number, signal?: AbortSignal) => wait(ms, undefined, { signal }) };
    this.#secretsManager = new SecretsManagerClient(aws);
    this.#tokens = createTokenSource({
      secretId,
      baseUrl: c2mUrl,
      secretsManager: this.#secretsManager,
      maxAgeMs: cacheMs,
      clock,
    });
    this.#c2mFetch = createC2mFetch(this.#tokens, { token: "long-term", clock });
  }

  /** Sends the letter with this number: no two are alike. */
  async send(letter: number): Promise<LetterState> {
    try {
      const sent = await sendLetter(this.#c2mFetch, {
        docSourceAll: { documentIdSource: { documentId: letter } },
        recipientAddressSource: {
          singleAddress: {
            firstName: "Ada",
            lastName: "Lovelace",
            address1: `${letter} Main Street`,
            city: "Arlington",
            state: "VA",
            zip: "22201",
            country: "US",
          },
        },
        jobTemplate: "First class letter",
      });
      return sent.outcome;
    } catch {
      return "failed";
    }
  }

  stop(): void {
    this.#tokens.close();
    this.#secretsManager.destroy();
  }
}

/** What can be told to another process. */
export interface AppOptions {
  aws: ClientConfig;
  secretId: string;
  c2mUrl: string;
  cacheMs: number;
}
