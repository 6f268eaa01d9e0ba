import type { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type { SecretsManager } from "../../client/index.ts";
import type { VirtualClock } from "../../local-cloud/clock.ts";

export const minute = 60_000;
export const hour = 60 * minute;
export const secretId = "c2m/api-token";

/** A secret of one value, as the client sees it through the SDK. */
export class SecretUnderTest implements SecretsManager {
  /** When each read began, on the clock. */
  readonly reads: number[] = [];
  /** The signals that reads were begun with. */
  readonly signals: (AbortSignal | undefined)[] = [];
  /** What a read fails with; undefined: it succeeds. */
  failure: Error | undefined;
  /** The SecretString; undefined: the secret is binary. */
  value: string | undefined;
  #held: (() => void)[] | undefined;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock, token = "first") {
    this.#clock = clock;
    this.store(token);
  }

  /** Stores a token as the rotation does. */
  store(token: string, lifetimeMs = 60 * 24 * hour): void {
    this.value = JSON.stringify({
      access_token: token,
      token_id: `id-of-${token}`,
      expires_at: new Date(this.#clock.now() + lifetimeMs).toISOString(),
      client_id: "c2m_client",
      scopes: ["jobs:submit"],
    });
  }

  /** Reads that begin from now on don't end before `release`; they see what is stored when they begin. */
  hold(): void {
    this.#held ??= [];
  }

  /** Lets the held read with this index end, or all of them and those to come. */
  release(index?: number): void {
    if (index !== undefined) {
      this.#held?.[index]?.();
      return;
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const resume of held) resume();
  }

  async send(command: GetSecretValueCommand, options?: { abortSignal?: AbortSignal }) {
    this.reads.push(this.#clock.now());
    this.signals.push(options?.abortSignal);
    const { value, failure } = this;
    if (this.#held) await new Promise<void>((resolve) => this.#held?.push(resolve));
    if (failure) throw failure;
    return {
      $metadata: {},
      Name: command.input.SecretId,
      VersionId: "version-1",
      ...(value === undefined ? { SecretBinary: new Uint8Array() } : { SecretString: value }),
    };
  }
}

/** An error as the SDK throws it. */
export function awsError(name: string): Error {
  return Object.assign(new Error(`${name} with text of AWS's`), { name });
}

/** Lets everything happen that needs no more than promises. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
