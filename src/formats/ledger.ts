import type { MetricName } from "./metrics.ts";

/** How the name of a step stands in events. */
export type StepName = "createSecret" | "setSecret" | "testSecret" | "finishSecret" | "bootstrap";

interface OfVersion {
  /** The secret's ARN. */
  secret: string;
  version_id: string;
}

interface OfToken {
  /** The secret's ARN. */
  secret: string;
  /** Absent when C2M gave none. */
  token_id: string | undefined;
  /** ISO 8601. */
  expires_at: string | undefined;
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
  "token.issue.started": OfVersion & {
    attempt_id: string;
    client_id: string;
    /** ISO 8601: when a token made by this call would expire at the latest. */
    latest_expires_at: string;
  };
  /** No token was made. */
  "token.issue.refused": OfVersion & { attempt_id: string; code: string };
  /** The call was sent and not answered: a token may have been made. */
  "token.issue.ambiguous": OfVersion & { attempt_id: string; code: string };
  /** Written before the store is called. */
  "token.issued": OfVersion & OfToken & { attempt_id: string; client_id: string };
  "token.lifetime.clamped": OfVersion & { asked_seconds: number; granted_seconds: number };
  "token.stored": OfVersion & OfToken;
  "token.proven": OfVersion & OfToken;
  /** Written before the label is moved: the grace of what is superseded counts from here, even when the next line is never written. */
  "token.promotion.started": OfVersion & { superseded_version_id: string | undefined };
  "token.promoted": OfVersion & { superseded_version_id: string | undefined };
  /** It is dead at C2M, by this call or before. */
  "token.revoked": OfToken;
  /** It can't be revoked: it lives until `expires_at`. */
  "token.unrevocable": OfToken & { reason: string };
  /** It could not be revoked now; the reconciler tries again. */
  "token.revocation.failed": OfToken & { code: string };
  /** A value that was there before us was left as it is. */
  "token.adopted": OfVersion;
  /** The client's credentials were proven with a token that was revoked again. */
  "credentials.proven": { secret: string };

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
  };
  /** C2M rejects a token that is at AWSCURRENT. */
  "token.rejected": OfVersion & OfToken;
  /** An issue call without an outcome: a token that may live until then. */
  "token.suspected": OfVersion & { attempt_id: string; latest_expires_at: string };

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

/** The events from which follows which tokens live, and when a label was taken off or moved. */
export const ledgerEvents = [
  "token.issue.started",
  "token.issue.refused",
  "token.issued",
  "token.revoked",
  "token.unrevocable",
  "token.promotion.started",
  "token.promoted",
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
    fields: Events[Name];
  };
}[LedgerEventName];

/** The log that rotator and reconciler write to, read back. */
export interface Ledger {
  /** Every entry written at or after `from` (epoch ms), oldest first. What CloudWatch has not delivered yet is missing. */
  read(from: number): Promise<LedgerEntry[]>;
}
