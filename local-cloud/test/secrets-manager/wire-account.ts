import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type FrontDoor, startFrontDoor } from "../../aws/front-door.ts";
import type { Caller } from "../../aws/service.ts";
import { CallLog } from "../../calls.ts";
import { Faults } from "../../faults.ts";
import { Iam } from "../../iam/iam.ts";
import { Identities } from "../../iam/identities.ts";
import type { KnobSettings } from "../../secrets-manager/knobs.ts";
import { LocalAccount, operator, region } from "./local-account.ts";

/** A LocalAccount with IAM, behind a front door, for the real SDK. */
export class WireAccount extends LocalAccount {
  readonly iam = new Iam();
  readonly identities = new Identities();
  readonly #clients: SecretsManagerClient[] = [];
  #door: FrontDoor | undefined;

  static async start(knobs: KnobSettings = {}): Promise<WireAccount> {
    const account = new WireAccount(knobs);
    account.#door = await startFrontDoor({
      services: [account.service],
      identities: account.identities,
      iam: account.iam,
      clock: account.clock,
      faults: new Faults(account.clock),
      calls: new CallLog(),
      allowedSkewMs: Number.POSITIVE_INFINITY,
    });
    return account;
  }

  override checkPolicy(document: string, blockPublicPolicy: boolean): void {
    this.iam.checkSecretPolicy(document, blockPublicPolicy);
  }

  get url(): string {
    return this.#door?.url ?? "";
  }

  clientConfig(where = region, caller: Caller = operator) {
    return { endpoint: this.url, region: where, credentials: this.identities.issue(caller), maxAttempts: 1 };
  }

  /** A client of a region, for a caller. */
  client(where = region, caller: Caller = operator): SecretsManagerClient {
    const client = new SecretsManagerClient(this.clientConfig(where, caller));
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    this.service.stop();
    await this.#door?.close();
  }
}
