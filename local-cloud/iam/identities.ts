import { randomBytes } from "node:crypto";
import type { Caller } from "../aws/service.ts";

export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
  /** Present for a role's temporary keys. */
  sessionToken?: string;
}

interface Issued extends AccessKey {
  caller: Caller;
}

/** The access keys of the account, and whom each of them stands for. */
export class Identities {
  readonly #issued = new Map<string, Issued>();

  /** Issues a key: a role's session gets a temporary one (`ASIA…`, with a session token), everybody else a lasting one (`AKIA…`). */
  issue(caller: Caller): AccessKey {
    const temporary = caller.kind === "role";
    const key: AccessKey = {
      accessKeyId: `${temporary ? "ASIA" : "AKIA"}${randomBytes(8).toString("hex").toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString("base64"),
      ...(temporary && { sessionToken: randomBytes(96).toString("base64") }),
    };
    this.adopt(caller, key);
    return key;
  }

  /** Takes a key that was chosen elsewhere (fixed keys of a long-lived local cloud). */
  adopt(caller: Caller, key: AccessKey): void {
    this.#issued.set(key.accessKeyId, { ...key, caller });
  }

  /** The key no longer stands for anybody. */
  revoke(accessKeyId: string): void {
    this.#issued.delete(accessKeyId);
  }

  find(accessKeyId: string): { key: AccessKey; caller: Caller } | undefined {
    const issued = this.#issued.get(accessKeyId);
    if (!issued) return undefined;
    const { caller, ...key } = issued;
    return { key, caller };
  }
}
