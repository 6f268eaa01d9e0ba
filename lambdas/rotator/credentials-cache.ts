import type { Credentials, ShortTokenCredentials } from "../../src/c2m/credentials.ts";
import { parseCredentials } from "../../src/c2m/credentials-secret.ts";
import { isSameBaseUrl } from "../../src/formats/settings.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { PermanentError } from "../../src/ports/errors.ts";
import type { SecretStore, StoredVersion } from "../../src/ports/secret-store.ts";

/** How long credentials are kept between invocations of one function process, in ms. */
const keptMs = 5 * 60_000;

/** How many clients' credentials are kept at most. */
const keptClients = 20;

/** Where credentials are read. */
export interface CredentialsStore {
  readCurrent: SecretStore["readCurrent"];
  /** The version at AWSPREVIOUS. */
  readPrevious: SecretStore["readCurrent"];
}

/** The clients' credentials, read when needed and kept for a while. */
export class CredentialsCache {
  readonly #store: CredentialsStore;
  readonly #clock: Pick<Clock, "now">;
  readonly #kept = new Map<string, { credentials: Credentials; until: number }>();

  constructor(store: CredentialsStore, clock: Pick<Clock, "now">) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws PermanentError `credentials_missing` or `credentials_invalid`, and what the store throws */
  async get(secretId: string): Promise<Credentials> {
    const kept = this.#kept.get(secretId);
    if (kept && kept.until > this.#clock.now()) return kept.credentials;
    const stored = await this.#store.readCurrent(secretId);
    if (!stored) {
      throw new PermanentError(
        "credentials_missing",
        `The credentials secret ${JSON.stringify(secretId)} does not exist or has no value. Deploy the stack again, or store the client's credentials in it.`,
      );
    }
    const credentials = parseCredentials(stored.value.reveal());
    if (this.#kept.size >= keptClients) this.#kept.clear();
    this.#kept.set(secretId, { credentials, until: this.#clock.now() + keptMs });
    return credentials;
  }

  /**
   * The credentials that were stored before: undefined where there are none that can be read, or none of this client at this
   * C2M.
   */
  async before(
    secretId: string,
    owner: { clientId: string; baseUrl: string },
  ): Promise<Exclude<Credentials, ShortTokenCredentials> | undefined> {
    const stored = await this.#store.readPrevious(secretId);
    if (!stored) return undefined;
    const credentials = readable(stored);
    const isOwn =
      credentials?.clientId === owner.clientId &&
      credentials.baseUrl !== undefined &&
      isSameBaseUrl(credentials.baseUrl, owner.baseUrl);
    return isOwn ? credentials : undefined;
  }

  /** To be called when C2M rejected them, and where only what is stored now will do. */
  drop(secretId: string): void {
    this.#kept.delete(secretId);
  }
}

/** The reason to tell is that of the current ones. */
function readable(stored: StoredVersion): Exclude<Credentials, ShortTokenCredentials> | undefined {
  try {
    return parseCredentials(stored.value.reveal());
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
}
