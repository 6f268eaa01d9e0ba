import type { Ledger } from "../src/formats/ledger.ts";
import { secretNameSaid } from "../src/formats/settings.ts";
import { type ParsedValue, parseValue } from "../src/formats/stored-token.ts";
import { PermanentError } from "../src/ports/errors.ts";
import { inParallel } from "../src/reconcile/run.ts";
import { lookAt, type Survey, surveyOf } from "../src/reconcile/survey.ts";
import type { SecretContext } from "../src/rotation/context.ts";

/** A secret that is looked at. */
export interface Subject {
  context: Pick<SecretContext, "arn" | "store" | "clock">;
  /** The C2M of tokens that don't say which they belong to. */
  baseUrl: string;
  ledger: Ledger;
  /** Names or ARNs of other secrets: their current tokens live on, as far as they can be read. */
  others: readonly string[];
}

/** What is current in another secret. */
export interface Elsewhere {
  secretId: string;
  held: ParsedValue;
}

/** Other secrets read at the same time. */
const readsAtOnce = 10;

/** What is current in the other secrets, as far as it can be read. */
export async function readElsewhere({ context, others }: Subject): Promise<Elsewhere[]> {
  const read = await inParallel(others, readsAtOnce, async (secretId) => {
    try {
      const current = await context.store.readCurrent(secretId);
      return current && { secretId, held: parseValue(current.value) };
    } catch (error) {
      // Deleted, or not to be read by this person.
      if (error instanceof PermanentError) return undefined;
      throw error;
    }
  });
  return read.filter((one) => one !== undefined);
}

/** Looks at every version and the whole ledger. Changes nothing. */
export async function surveyAll(
  { context, baseUrl, ledger }: Subject,
  elsewhere: readonly Elsewhere[],
): Promise<Survey> {
  // In this order: what is labelled after the ledger was read would be missing from it.
  const secret = await context.store.describe(context.arn);
  const { entries } = await ledger.read(0);
  const look = await lookAt(context, secret, "all");
  return surveyOf(look, {
    now: context.clock.now(),
    // Nothing of this secret is to wait for a grace or for a rotation any more.
    settings: { baseUrl, graceSeconds: 0, pendingMaxAgeSeconds: 0 },
    ledger: entries.filter(({ fields }) => secretNameSaid(fields.secret) === secret.name),
    ledgerFrom: 0,
    graceSeconds: 0,
    currentElsewhere: elsewhere.map(({ held }) => held),
    stepMs: 0,
  });
}

/** Whether a token of the secret may live, but for the current one. Changes nothing. */
export async function othersLive(subject: Subject): Promise<boolean> {
  const { verdict } = await surveyAll(subject, await readElsewhere(subject));
  const { revoke, waiting, blocked, unrevocable, suspects, detach, doubtful } = verdict;
  return [revoke, waiting, blocked, unrevocable, suspects, detach, doubtful].some((list) => list.length > 0);
}
