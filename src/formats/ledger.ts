import * as v from "valibot";
import type { MetricName } from "./metrics.ts";

/** How the name of a step stands in events. */
export type StepName = "createSecret" | "setSecret" | "testSecret" | "finishSecret" | "bootstrap" | "proveCredentials";

/** Stands for a version id where a token was issued to prove the client's credentials, and is never stored. */
export const proofOfCredentials = "proof-of-credentials";

interface OfVersion {
  /** The secret's ARN; its name where the ARN is not known. */
  secret: string;
  version_id: string;
}

/** The C2M that a token belongs to. Lines of release 0.1.0 don't say the base URL. */
interface OfC2m {
  base_url?: string | undefined;
  client_id?: string | undefined;
}

interface OfToken extends OfC2m {
  /** The secret's ARN; its name where the ARN is not known. */
  secret: string;
  /** Absent when C2M gave none. */
  token_id: string | undefined;
  /** `X-Token-Id`, where it is another than `token_id` of the body: each may be the one that revokes the token. */
  header_token_id?: string | undefined;
  /** ISO 8601. */
  expires_at: string | undefined;
}

interface OfAttempt extends OfVersion, OfC2m {
  attempt_id: string;
}

/**
 * Every event that a function writes: one JSON line each, the event's name as `message`. The `token.*` events are the
 * ledger: from them alone follows which tokens were issued and not revoked.
 */
export interface Events {
  "step.started": OfVersion & { step: StepName };
  "step.succeeded": OfVersion & { step: StepName };
  "step.failed": OfVersion & { step: StepName; code: string; reason: string };

  /** Written before the issue call leaves. Without an outcome it is a suspect until `latest_expires_at`. */
  "token.issue.started": OfAttempt & {
    /** ISO 8601: when a token made by this call would expire at the latest. */
    latest_expires_at: string;
  };
  /** No token was made. */
  "token.issue.refused": OfAttempt & { code: string };
  /** The call was sent and not answered: a token may have been made. */
  "token.issue.ambiguous": OfAttempt & { code: string };
  /** Written before the store is called. */
  "token.issued": OfAttempt & OfToken;
  "token.lifetime.clamped": OfVersion & OfC2m & { asked_seconds: number; granted_seconds: number };
  "token.stored": OfVersion & OfToken;
  "token.proven": OfVersion & OfToken;
  /** Written before the label is moved: the grace of what is superseded counts from here, even when the next line is never written. */
  "token.promotion.started": OfVersion & OfC2m & { superseded_version_id: string | undefined };
  "token.promoted": OfVersion & OfC2m & { superseded_version_id: string | undefined };
  /** C2M says that it is dead, by this call or before. */
  "token.revoked": OfToken & {
    /** Anything before C2M could have said so, too: it is asked again once. */
    claimed?: boolean | undefined;
  };
  /** C2M was seen to reject it after its revocation. */
  "token.dead": OfToken;
  /** C2M was seen to let it in after its revocation: it is to be revoked again. */
  "token.alive": OfToken;
  /** Nobody can tell whether it is dead; it is not looked at again. */
  "token.death.unseen": OfToken & { reason: string };
  /** It can't be revoked: it lives until `expires_at`. */
  "token.unrevocable": OfToken & { reason: string };
  /** It could not be revoked now; the reconciler tries again. */
  "token.revocation.failed": OfToken & { code: string };
  /** It is the newest superseded token and stays alive, since C2M rejects the current one. */
  "token.kept": OfToken & { reason: string };
  /** A value that was there before us was left as it is. */
  "token.adopted": OfVersion & OfC2m;
  /** The secret holds it and no line told of it: somebody has stored it. Secrets Manager may remove its version. */
  "token.found": OfVersion & OfToken;
  /** The client's credentials were proven with a token that was revoked again. */
  "credentials.proven": { secret: string } & OfC2m;
  /** C2M refused the client's credentials; those before them were used. */
  "credentials.fallback": { secret: string } & OfC2m;

  /** A run of the reconciler could not look at a secret, or not to the end. */
  "reconcile.failed": { secret: string; code: string; reason: string };
  "reconcile.completed": {
    scope: "recent" | "all";
    secrets: number;
    failed: number;
    revoked: number;
    waiting: number;
    backlog: number;
    unrevocable: number;
    suspects: number;
    detached: number;
    proven: number;
    rejected: number;
    c2m_calls: number;
    /** Due, and held back on purpose: by a change freeze, or kept while the current token is rejected. */
    held?: number;
    /** Revoked tokens that were seen dead, seen alive, and not seen either way. */
    seen_dead?: number;
    seen_alive?: number;
    unseen?: number;
    /** Lines of the ledger that could not be read. */
    unreadable?: number;
    paused?: boolean;
  };
  /** C2M rejects a token that is at AWSCURRENT. */
  "token.rejected": OfVersion & OfToken;
  /** An issue call without an outcome: a token that may live until then. */
  "token.suspected": OfAttempt & { latest_expires_at: string };

  /** AWSPENDING was taken off a version that no rotation can finish. */
  "pending.detached": OfVersion & { reason: string };
}

export type EventName = keyof Events;

/** Where a function speaks. `event` has reached the log when it returns. */
export interface RotationLog {
  event<Name extends EventName>(name: Name, fields: Events[Name]): void;
  /** Counts 1 unless told. Seconds where the name says a duration. */
  metric(name: MetricName, value?: number): void;
}

/** A token as its events name it. */
export interface NamedToken {
  tokenId: string | undefined;
  headerTokenId?: string | undefined;
  expiresAt: string | undefined;
  baseUrl?: string | undefined;
  clientId?: string | undefined;
}

/** The fields that name a token. */
export function tokenFields(secret: string, token: NamedToken): OfToken {
  return {
    secret,
    token_id: token.tokenId,
    ...(token.headerTokenId === undefined ? {} : { header_token_id: token.headerTokenId }),
    expires_at: token.expiresAt,
    base_url: token.baseUrl,
    client_id: token.clientId,
  };
}

/**
 * One line of the log, as Lambda takes it: JSON on one line, with the `level` and the `timestamp` that Lambda's own filter
 * looks at. Whoever adds a field to an event adds it here for good: what is written is read for as long as a token lives.
 *
 * @param at epoch ms
 * @param from further fields: `service`, the rotation's name; or `by` and `caller_arn`, an operator's
 */
export function formatLine<Name extends EventName>(
  name: Name,
  fields: Events[Name],
  at: number,
  from: Record<string, string | undefined> = {},
): string {
  return JSON.stringify({ level: "INFO", message: name, timestamp: new Date(at).toISOString(), ...from, ...fields });
}

/** The events from which follows which tokens live, which values were there before us, and when a label was taken off or moved. */
export const ledgerEvents = [
  "token.issue.started",
  "token.issue.refused",
  "token.issued",
  "token.revoked",
  "token.dead",
  "token.alive",
  "token.death.unseen",
  "token.unrevocable",
  "token.revocation.failed",
  "token.promotion.started",
  "token.promoted",
  "token.adopted",
  "token.found",
  "pending.detached",
] as const satisfies (keyof Events)[];

export type LedgerEventName = (typeof ledgerEvents)[number];

const names = new Set<string>(ledgerEvents);

/** Whether an event of the log belongs to the ledger. */
export function isLedgerEvent(event: string): event is LedgerEventName {
  return names.has(event);
}

/** One line of the ledger. */
export type LedgerEntry = {
  [Name in LedgerEventName]: {
    event: Name;
    /** Epoch ms. */
    at: number;
    /** Whether an operator's command wrote it: such a line adds candidates and lengthens a grace, and settles nothing. */
    byOperator: boolean;
    fields: Events[Name];
  };
}[LedgerEventName];

/** What was read of the ledger. */
export interface LedgerPart {
  /** Oldest first. */
  entries: LedgerEntry[];
  /** Lines that name an event of the ledger and can't be read as one. */
  unreadable: number;
}

/** The log that rotator and reconciler write to, read back. */
export interface Ledger {
  /** Every entry written at or after `from` (epoch ms). What CloudWatch has not delivered yet is missing. */
  read(from: number): Promise<LedgerPart>;
}

/** The log group that a rotation's functions write to, and operators. */
export function ledgerGroup(rotationName: string): string {
  return `/aws/lambda/${rotationName}`;
}

/** Why a function's lines don't reach the ledger: the beginning and the end of a message, between which stands what follows from it. */
export interface LedgerFault {
  what: string;
  remedy: string;
}

/** How the streams begin that operators' commands write to; release 0.1.0 wrote to `operator/`. */
export const operatorStreams = "operators/";

/** Whether a stream of the log group is an operator's. */
export function isOperatorStream(logStreamName: string | undefined): boolean {
  return /^operators?\//.test(logStreamName ?? "");
}

const text = v.string();
const maybe = v.fallback(v.optional(v.string()), undefined);
const date = v.pipe(
  v.string(),
  v.check((said) => !Number.isNaN(Date.parse(said))),
);
const c2m = { base_url: maybe, client_id: maybe };
const ofVersion = { secret: text, version_id: text, ...c2m };
const ofToken = {
  secret: text,
  token_id: maybe,
  header_token_id: maybe,
  expires_at: v.fallback(v.optional(date), undefined),
  ...c2m,
};

/** What has to be in a line for it to count. Fields that a later release adds are left alone. */
const lines: Record<LedgerEventName, v.GenericSchema> = {
  "token.issue.started": v.looseObject({ ...ofVersion, attempt_id: text, latest_expires_at: date }),
  "token.issue.refused": v.looseObject({ ...ofVersion, attempt_id: text }),
  "token.issued": v.looseObject({ ...ofVersion, ...ofToken, attempt_id: text }),
  "token.revoked": v.looseObject({ ...ofToken, claimed: v.fallback(v.optional(v.boolean()), undefined) }),
  "token.dead": v.looseObject(ofToken),
  "token.alive": v.looseObject(ofToken),
  "token.death.unseen": v.looseObject(ofToken),
  "token.unrevocable": v.looseObject(ofToken),
  "token.revocation.failed": v.looseObject({ ...ofToken, code: text }),
  "token.promotion.started": v.looseObject({ ...ofVersion, superseded_version_id: maybe }),
  "token.promoted": v.looseObject({ ...ofVersion, superseded_version_id: maybe }),
  "token.adopted": v.looseObject(ofVersion),
  "token.found": v.looseObject({ ...ofVersion, ...ofToken }),
  "pending.detached": v.looseObject(ofVersion),
};

/**
 * Reads a line of the ledger.
 *
 * @param line.at epoch ms at which the log took it
 * @returns undefined for what is not of the ledger; `unreadable` for what should be and can't be read
 */
export function parseLine(line: {
  text: string;
  at: number;
  logStreamName: string | undefined;
}): LedgerEntry | "unreadable" | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line.text);
  } catch {
    return "unreadable";
  }
  if (typeof json !== "object" || json === null || !("message" in json)) return "unreadable";
  const { message: event, ...fields } = json;
  if (typeof event !== "string" || !isLedgerEvent(event)) return undefined;
  const parsed = v.safeParse(lines[event], fields);
  if (!parsed.success) return "unreadable";
  const byOperator = isOperatorStream(line.logStreamName);
  return { event, at: line.at, byOperator, fields: parsed.output } as LedgerEntry;
}
