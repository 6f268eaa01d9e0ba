import { type Home, nameOfPartialArn } from "./arn.ts";
import { secretNotFound } from "./errors.ts";
import type { Secret } from "./secret.ts";

/** The secrets of one account and region, found as AWS finds them: by name, ARN or partial ARN. */
export class SecretStore {
  readonly #home: Home;
  readonly #now: () => number;
  readonly #byArn = new Map<string, Secret>();
  readonly #byName = new Map<string, Secret>();

  constructor(home: Home, now: () => number) {
    this.#home = home;
    this.#now = now;
  }

  add(secret: Secret): void {
    this.#byArn.set(secret.arn, secret);
    this.#byName.set(secret.name, secret);
  }

  remove(secret: Secret): void {
    this.#byArn.delete(secret.arn);
    if (this.#byName.get(secret.name) === secret) this.#byName.delete(secret.name);
  }

  /** Undefined when nothing is there, or its recovery window is over. */
  find(secretId: string): Secret | undefined {
    const secret = this.#byArn.get(secretId) ?? this.#byName.get(this.#nameOf(secretId));
    if (!secret?.state.deletion || secret.state.deletion.purgeDate > this.#now()) return secret;
    this.remove(secret);
    return undefined;
  }

  /** @throws AwsError ResourceNotFoundException */
  get(secretId: string): Secret {
    const secret = this.find(secretId);
    if (!secret) throw secretNotFound();
    return secret;
  }

  /** In order of creation. */
  all(): Secret[] {
    return [...this.#byArn.values()].filter((secret) => this.find(secret.arn) === secret);
  }

  #nameOf(secretId: string): string {
    return nameOfPartialArn(this.#home, secretId) ?? secretId;
  }
}
