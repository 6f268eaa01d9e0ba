import { isLedgerEvent, type Ledger, type LedgerEntry } from "../../src/formats/ledger.ts";
import { CallBudget } from "../../src/reconcile/call-budget.ts";
import { type ReconcileRequest, reconcile } from "../../src/reconcile/reconcile.ts";
import type { ReconcileReport, SecretReport } from "../../src/reconcile/report.ts";
import type { World } from "./rotation-world.ts";

/** The world's log, as the reconciler reads it; `lost` leaves lines out, as CloudWatch may. */
export function ledgerOf(world: World, lost: (entry: LedgerEntry) => boolean = () => false): Ledger {
  return {
    read: async (from) => {
      const entries = world.log.filter(({ event, at }) => isLedgerEvent(event) && at >= from) as LedgerEntry[];
      return entries.filter((entry) => !lost(entry));
    },
  };
}

/** Runs the reconciler over one world's secret. */
export async function runReconciler(
  world: World,
  request: Partial<ReconcileRequest> & { calls?: number; ledger?: Ledger } = {},
): Promise<SecretReport> {
  const report = await reconcileWorlds([world], request);
  const [first] = report.secrets;
  if (!first) throw new Error("The report holds no secret");
  return first;
}

/** Runs the reconciler over the secrets of several worlds; the first one's clock and log count. */
export async function reconcileWorlds(
  worlds: [World, ...World[]],
  request: Partial<ReconcileRequest> & { calls?: number; ledger?: Ledger } = {},
): Promise<ReconcileReport> {
  const { calls = 100, ledger, ...rest } = request;
  const budget = new CallBudget(calls);
  const [first] = worlds;
  const { log, clock, deadline } = first.context();
  const contexts = worlds.map((world) => ({ ...world.context(), c2m: budget.limit(world.c2m) }));
  return await reconcile(
    { clock, log, deadline, budget, contexts, ledger: ledger ?? ledgerOf(first), stepMs: 120_000 },
    { scope: "recent", ...rest },
  );
}
