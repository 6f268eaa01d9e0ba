import { request } from "node:http";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Clock } from "../harness/clock.ts";
import type { ClientConfig } from "../harness/local-cloud.ts";

/** What came of the app's requests to C2M. */
export interface AppFigures {
  requests: number;
  /** Requests that C2M refused. */
  failures: number;
}

/**
 * An app as users have it: keeps what it read from the secret for as long as the grace period lasts, and calls C2M
 * with the token. It does not try again: with a grace period it does not have to.
 */
export class App {
  readonly figures: AppFigures = { requests: 0, failures: 0 };
  readonly #client: SecretsManagerClient;
  readonly #options: AppOptions;
  #kept: { token: string; until: number } | undefined;

  constructor(options: AppOptions) {
    this.#client = new SecretsManagerClient(options.aws);
    this.#options = options;
  }

  /** One request for the account at C2M. */
  async useC2m(): Promise<void> {
    this.figures.requests += 1;
    const authorization = `Bearer ${await this.#token()}`;
    const status = await statusOf(`${this.#options.c2mUrl}/account`, { authorization });
    if (status !== 200) this.figures.failures += 1;
    this.#options.onOutcome?.(status === 200);
  }

  stop(): void {
    this.#client.destroy();
  }

  async #token(): Promise<string> {
    const { clock, secretId, cacheMs } = this.#options;
    if (this.#kept && clock.now() < this.#kept.until) return this.#kept.token;
    const until = clock.now() + cacheMs;
    const secret = await this.#client.send(new GetSecretValueCommand({ SecretId: secretId }));
    const { access_token: token } = JSON.parse(secret.SecretString ?? "{}") as { access_token: string };
    this.#kept = { token, until };
    return token;
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

function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.once("error", reject).end();
  });
}
