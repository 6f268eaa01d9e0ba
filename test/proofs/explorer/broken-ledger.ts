import type { LedgerEntry } from "../../../src/formats/ledger.ts";
import { secretNameSaid } from "../../../src/formats/settings.ts";
import { reconcile } from "../../../src/reconcile/reconcile.ts";
import type { ReconcileContext } from "../../../src/reconcile/run.ts";
import type { BrokenProtocol } from "./broken.ts";
import { type Protocol, theProtocol } from "./functions.ts";

/** The reconciler is told each line of the ledger in this way, or not at all. */
function readingOtherwise(
  change: (entry: LedgerEntry, context: ReconcileContext) => LedgerEntry | undefined,
): Protocol {
  return {
    ...theProtocol,
    reconcile: (context, request) => {
      const read = async (from: number) => {
        const part = await context.ledger.read(from);
        return { ...part, entries: part.entries.flatMap((entry) => change(entry, context) ?? []) };
      };
      return reconcile({ ...context, ledger: { read } }, request);
    },
  };
}

/** Broken in what they take from the ledger, or write to it. */
export const brokenLedgers: readonly (BrokenProtocol & { row?: number })[] = [
  {
    row: 10,
    fault: "believes what an operator's line says of a token that no version holds",
    breaks: "I2",
    scenario: "grace",
    shownBy: [
      ["crash", "createSecret PutSecretValue"],
      ["operator-line", "reconcile FilterLogEvents"],
    ],
    protocol: readingOtherwise((entry) => ({ ...entry, byOperator: false })),
  },
  {
    fault: "knows of no token whose version Secrets Manager has purged",
    breaks: "I2",
    scenario: "grace",
    shownBy: [
      ["up-base-url-only", "reconcile DescribeSecret"],
      ["versions-gone", "reconcile all DescribeSecret"],
    ],
    protocol: readingOtherwise((entry) => {
      if (entry.event === "token.found") return undefined;
      // That its call has an end is read of it, and no more.
      if (entry.event !== "token.issued") return entry;
      return { ...entry, event: "token.issue.refused", fields: { ...entry.fields, code: "invalid_request" } };
    }),
  },
  {
    fault: "reckons by the settings of today until when a suspect may live",
    breaks: "I2",
    scenario: "grace",
    shownBy: [["crash-done", "createSecret issueLongTermToken"], "up-lifetime"],
    protocol: readingOtherwise((entry, { secrets }) => {
      if (entry.event !== "token.issue.started") return entry;
      const name = secretNameSaid(entry.fields.secret);
      const { lifetimeSeconds = 0 } = secrets.find((one) => one.settings.secretName === name)?.settings ?? {};
      const latest_expires_at = new Date(entry.at + lifetimeSeconds * 1_000 + 3_600_000).toISOString();
      return { ...entry, fields: { ...entry.fields, latest_expires_at } };
    }),
  },
  {
    fault: "says that a token was seen dead when C2M has only said that it revokes it",
    breaks: "I2",
    scenario: "grace",
    shownBy: [["c2m-late", "reconcile DescribeSecret"]],
    protocol: {
      ...theProtocol,
      reconcile: (context, request) => {
        const secrets = context.secrets.map(({ settings, parts }) => {
          const event: typeof context.log.event = (name, fields) => {
            parts.log.event(name, fields);
            if (name === "token.revoked") parts.log.event("token.dead", fields as never);
          };
          const metric: typeof context.log.metric = (name, value) => parts.log.metric(name, value);
          return { settings, parts: { ...parts, log: { event, metric } } };
        });
        return reconcile({ ...context, secrets }, request);
      },
    },
  },
];
