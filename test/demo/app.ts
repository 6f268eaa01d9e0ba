import { request } from "node:http";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { ClientConfig } from "../harness/local-cloud.ts";

/** What came of the app's requests to C2M. */
export interface AppFigures {
  requests: number;
  /** Requests that C2M refused, also after the secret was read again. */
  failures: number;
  /** Requests that only worked after the secret was read again. */
  retried: number;
}

/**
 * An app as users have it: reads the secret for each request, calls C2M with the token, and reads the secret once more
 * when C2M answers 401.
 */
export class App {
  readonly figures: AppFigures = { requests: 0, failures: 0, retried: 0 };
  readonly #client: SecretsManagerClient;
  readonly #secretId: string;
  readonly #c2mUrl: string;

  constructor(options: { aws: ClientConfig; secretId: string; c2mUrl: string }) {
    this.#client = new SecretsManagerClient(options.aws);
    this.#secretId = options.secretId;
    this.#c2mUrl = options.c2mUrl;
  }

  /** One request for the account at C2M. */
  async useC2m(): Promise<void> {
    this.figures.requests += 1;
    if ((await this.#try()) !== 401) return;
    this.figures.retried += 1;
    if ((await this.#try()) === 401) this.figures.failures += 1;
  }

  stop(): void {
    this.#client.destroy();
  }

  async #try(): Promise<number> {
    const secret = await this.#client.send(new GetSecretValueCommand({ SecretId: this.#secretId }));
    const { access_token: token } = JSON.parse(secret.SecretString ?? "{}") as { access_token: string };
    return await statusOf(`${this.#c2mUrl}/account`, { authorization: `Bearer ${token}` });
  }
}

function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.once("error", reject).end();
  });
}
