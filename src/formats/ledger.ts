import type { Events } from "./events.ts";

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
