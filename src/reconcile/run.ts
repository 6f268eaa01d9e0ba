import type { Ledger, RotationLog } from "../formats/ledger.ts";
import type { TokenSettings } from "../formats/settings.ts";
import type { Clock } from "../ports/clock.ts";
import { loggableFailure } from "../ports/errors.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import type { SecretContext } from "../rotation/context.ts";
import type { CallBudget } from "./call-budget.ts";
import type { Look, Scope, Survey } from "./survey.ts";

/** A listed secret and what works on it; its ARN is not known before it is described. */
export interface ListedSecret {
  settings: TokenSettings;
  parts: Omit<SecretContext, "arn">;
}

export interface ReconcileContext {
  clock: Clock;
  log: RotationLog;
  ledger: Ledger;
  /** Shared by all secrets of the run. */
  budget: CallBudget;
  /** Epoch ms at which the function is killed. */
  deadline: number;
  /** All of the settings, whichever are asked for: what one holds is spared in the others. Their C2M is within the budget. */
  secrets: readonly ListedSecret[];
  /** A change freeze: nothing is revoked and no label is taken off. Default false. */
  paused?: boolean | undefined;
  /** The time that Lambda gives the rotator, in ms. */
  stepMs: number;
}

export interface ReconcileRequest {
  /** `all` reads the whole ledger and every version. */
  scope: Scope;
  /** In place of each secret's own grace: 0 ends it at once, after a leak. */
  graceSeconds?: number | undefined;
  /** Names of the secrets that are to be looked after; default all. */
  only?: readonly string[] | undefined;
}

/** Why a run could not look at a secret, or not to the end. */
export interface Failure {
  code: string;
  reason: string;
}

/** What a run knows of a secret after each of its stages; a failure ends that secret's, and no other's. */
export type Described = { settings: TokenSettings } & (
  | { context: SecretContext; secret: SecretDescription }
  | { failure: Failure }
);
export type Looked = { settings: TokenSettings } & ({ context: SecretContext; look: Look } | { failure: Failure });
export type Surveyed = { settings: TokenSettings } & (
  | { context: SecretContext; survey: Survey }
  | { failure: Failure }
);

/** What goes wrong with one secret is logged and does not stop the others. */
export async function orFailure<Result>(
  log: RotationLog,
  settings: TokenSettings,
  run: () => Promise<Result>,
): Promise<Result | { settings: TokenSettings; failure: Failure }> {
  try {
    return await run();
  } catch (error) {
    const failure = loggableFailure(error);
    log.event("reconcile.failed", { secret: settings.secretName, ...failure });
    return { settings, failure };
  }
}

/** Runs over all items, so many at a time, in their order. Resolves with the results in the order of the items. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await run(item);
  };
  await Promise.all(items.slice(0, limit).map(worker));
  return results;
}
