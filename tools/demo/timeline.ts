import type { LocalCloud } from "../../local-cloud/cloud.ts";
import { proofOfCredentials } from "../../src/formats/ledger.ts";

/** Something that happened to a token, or to the apps that use it. */
export interface Moment {
  /** Epoch ms on the cloud's clock. */
  at: number;
  what: "issued" | "promoted" | "revoked" | "unrevocable" | "failed" | "letters" | "frozen" | "thawed";
  /** Absent where it is not known. */
  tokenId?: string;
  /** More about it, for people. */
  note?: string;
}

/** Reads the function's log as it is written, and tells what happened to the tokens. */
export function watchTokens(cloud: LocalCloud, onMoment: (moment: Moment) => void): void {
  const tokenOf = new Map<string, string>();
  cloud.logs.onLine(({ message, timestamp: at }) => {
    const line = parsed(message);
    const tokenId = line.token_id;
    switch (line.message) {
      case "token.issued":
        if (tokenId !== undefined) tokenOf.set(line.version_id ?? "", tokenId);
        return onMoment({ at, what: "issued", ...known(tokenId), note: whyIssued(line) });
      case "token.promoted":
        return onMoment({ at, what: "promoted", ...known(tokenOf.get(line.version_id ?? "")), note: "is AWSCURRENT" });
      case "token.revoked":
        return onMoment({ at, what: "revoked", ...known(tokenId) });
      case "token.unrevocable":
        return onMoment({ at, what: "unrevocable", ...known(tokenId), note: `expires ${line.expires_at}` });
      case "step.failed":
        return onMoment({ at, what: "failed", note: `${line.step}: ${line.code}: ${line.reason}` });
    }
  });
}

function whyIssued({ version_id, expires_at }: Record<string, string | undefined>): string {
  if (version_id === proofOfCredentials) return "proves the client's credentials, and is revoked at once";
  return `expires ${expires_at?.slice(0, 10)}`;
}

function parsed(message: string): Record<string, string | undefined> {
  try {
    return JSON.parse(message) as Record<string, string | undefined>;
  } catch {
    return {};
  }
}

function known(tokenId: string | undefined): { tokenId?: string } {
  return tokenId === undefined ? {} : { tokenId };
}
