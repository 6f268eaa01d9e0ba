import { isLedgerEvent, type Ledger, type LedgerEntry } from "../../src/formats/ledger.ts";
import { CallBudget } from "../../src/reconcile/call-budget.ts";
import { reconcile } from "../../src/reconcile/reconcile.ts";
import type { ReconcileReport, SecretReport } from "../../src/reconcile/report.ts";
import type { ReconcileRequest } from "../../src/reconcile/run.ts";
import { hourOfProof } from "../../src/reconcile/survey.ts";
import type { World } from "./rotation-world.ts";

/** The world's log, as the reconciler reads it; `lost` leaves lines out, as CloudWatch may. */
export function ledgerOf(world: World, lost: (entry: LedgerEntry) => boolean = () => false): Ledger {
  return {
    read: async (from) => {
      const entries = world.log.filter(({ event, at }) => isLedgerEvent(event) && at >= from) as LedgerEntry[];
      return { entries: entries.filter((entry) => !lost(entry)), unreadable: 0 };
    },
  };
}

/** The logs of several worlds as one, as they are in a deployed stack. */
function ledgerOfAll(worlds: readonly World[]): Ledger {
  return {
    read: async (from) => {
      const parts = await Promise.all(worlds.map((world) => ledgerOf(world).read(from)));
      return { entries: parts.flatMap(({ entries }) => entries), unreadable: 0 };
    },
  };
}

export interface RunOptions extends Partial<ReconcileRequest> {
  /** Default 100. */
  calls?: number;
  /** Default: the logs of all worlds. */
  ledger?: Ledger;
  /** A change freeze. */
  paused?: boolean;
}

/** Lets time pass until the hour in which the secret's token is proven. */
async function passToProof(world: World): Promise<void> {
  const hour = 3_600_000;
  while (new Date(world.clock.now()).getUTCHours() !== hourOfProof(world.settings.secretName)) {
    await world.clock.advanceBy(hour);
  }
}

/**
 * Runs the reconciler over one world's secret.
 *
 * @param options.proveNow waits for the hour in which the current token is proven
 */
export async function runReconciler(
  world: World,
  { proveNow, ...request }: RunOptions & { proveNow?: boolean } = {},
): Promise<SecretReport> {
  if (proveNow) await passToProof(world);
  const report = await reconcileWorlds([world], request);
  const [first] = report.secrets;
  if (!first) throw new Error("The report holds no secret");
  return first;
}

/** Runs the reconciler over the secrets of several worlds; the first one's clock counts, and the run's own lines are in its log. */
export async function reconcileWorlds(worlds: [World, ...World[]], request: RunOptions = {}): Promise<ReconcileReport> {
  const { calls = 100, ledger, paused, ...rest } = request;
  const budget = new CallBudget(calls);
  const [first] = worlds;
  const { log, clock, deadline } = first.context();
  const secrets = worlds.map((world) => ({
    settings: world.settings,
    parts: {
      ...world.context(),
      c2mAt: (said: string | undefined) => world.context().c2mAt(said) && budget.limit(world.c2m),
    },
  }));
  return await reconcile(
    { clock, log, deadline, budget, secrets, paused, ledger: ledger ?? ledgerOfAll(worlds), stepMs: 120_000 },
    { scope: "recent", ...rest },
  );
}
