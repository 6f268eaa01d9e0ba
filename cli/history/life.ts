import type { ParsedValue } from "../../src/formats/stored-token.ts";
import type { Line } from "./lines.ts";

/** A version of a token secret. */
export interface Version {
  versionId: string;
  labels: readonly string[];
  /** Epoch ms. */
  createdAt: number | undefined;
  /** Undefined where it has no value, or the value can't be read. */
  held: ParsedValue | undefined;
}

/** All that a secret's history is told from. */
export interface Evidence {
  /** Epoch ms. */
  now: number;
  /** The time from which on the log was read, epoch ms. */
  from: number;
  versions: readonly Version[];
  /** The lines of this secret, oldest first. */
  lines: readonly Line[];
  /** How long a replaced token stays alive, in ms; undefined where nothing tells it. */
  graceMs: number | undefined;
}

/** What happened to a token, as a person reads it. */
export type Happened =
  | "issue call"
  | "issue call not answered"
  | "issued"
  | "stored"
  | "proven"
  | "promoted"
  | "superseded"
  | "revoked"
  | "revocation failed"
  | "unrevocable"
  | "seen dead"
  | "seen alive"
  | "not seen dead"
  | "kept"
  | "rejected";

export interface Happening {
  what: Happened;
  /** Epoch ms. */
  at: number;
  /** `value`: the stored token says it, and no line of the log. */
  source: "log" | "value";
  by: "function" | "operator" | "unknown";
  /** The function's name, where it is told. */
  function: string | undefined;
  /** The log stream: the run, or the operator's command. */
  stream: string | undefined;
  /** The ARN that an operator's line names as its writer's. */
  callerArn: string | undefined;
  note: string | undefined;
}

/** What became of a token, as far as can be known. */
export type Fate =
  /** At AWSCURRENT. */
  | "current"
  /** At AWSPENDING. */
  | "pending"
  /** Replaced, and still in its grace. */
  | "in grace"
  /** Replaced, and nothing says that it is dead. */
  | "superseded"
  /** Issued; no version that is known holds it, and nothing says that it is dead. */
  | "unsettled"
  /** C2M has answered that it is revoked. */
  | "revoked"
  /** C2M was seen to reject it. */
  | "seen dead"
  /** Its time is over. */
  | "expired"
  /** A call that may have issued a token whose id nobody knows. */
  | "suspect"
  /** A value that is not one of ours; nothing says whether it is a token. */
  | "not ours";

/** What the log and the versions leave open. */
export interface Gap {
  kind:
    | "suspect"
    | "unrevocable"
    | "no id"
    | "not ours"
    | "rejected"
    | "seen alive"
    | "not seen dead"
    | "said by an operator"
    | "half revoked"
    | "no end recorded"
    | "issue not recorded"
    | "proof not recorded"
    | "promotion not recorded"
    | "replacement not recorded"
    | "before the period"
    | "unreadable lines"
    | "log cut"
    | "log not kept"
    | "values hidden";
  text: string;
  /** Epoch ms after which it can hide no live token; undefined where no expiry is known. */
  until: number | undefined;
}

/** The life of one token, or of a call that may have made one. */
export interface Life {
  /** Undefined where C2M gave none, or nobody knows it. */
  tokenId: string | undefined;
  headerTokenId: string | undefined;
  /** The call that issued it. */
  attemptId: string | undefined;
  /** The version that it was issued for. */
  issuedFor: string | undefined;
  /** The versions that hold it or are said to have held it. */
  storedIn: string[];
  /** The staging labels of these versions now. */
  labels: string[];
  baseUrl: string | undefined;
  clientId: string | undefined;
  scopes: readonly string[] | undefined;
  /** Epoch ms; of a suspect the latest time. */
  expiresAt: number | undefined;
  /** When it was at AWSCURRENT; `to` is undefined while it is, or where no line says until when. Epoch ms. */
  reigns: { from: number; to: number | undefined }[];
  /** The ids that lines of revocation name; an empty text where they name none. */
  revokedIds: string[];
  /** In the order of time. */
  happenings: Happening[];
  fate: Fate;
  gaps: Gap[];
}

/** Of a revocation whose answer need not have been C2M's. */
export const claimedNote = "anything before C2M could have answered so, too";

/** When it happened first, in epoch ms. */
export function first(life: Life, ...what: Happened[]): number | undefined {
  return life.happenings.find((one) => what.includes(one.what))?.at;
}

/** When it happened last, in epoch ms. */
export function last(life: Life, ...what: Happened[]): number | undefined {
  return life.happenings.findLast((one) => what.includes(one.what))?.at;
}

/** How a life is called where its token has no id that is known. */
export function nameOf({ tokenId, attemptId, issuedFor, storedIn, fate }: Life): string {
  if (tokenId !== undefined) return tokenId;
  if (fate === "suspect" || (storedIn.length === 0 && attemptId !== undefined)) return `call ${attemptId}`;
  return `without an id, in ${storedIn[0] ?? issuedFor ?? "no version"}`;
}
