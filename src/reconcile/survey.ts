import type { LedgerEntry } from "../formats/ledger.ts";
import { parseValue } from "../formats/stored-token.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import { versionAt } from "../ports/secret-store.ts";
import type { SecretContext } from "../rotation/context.ts";
import { type KnownVersion, reconcileRule, type Verdict } from "./rule.ts";

/** C2M grants no token for longer: an older version holds none that lives. In ms. */
const longestLifetimeMs = 90 * 86_400_000;

/** How much of a secret a run looks at. */
export type Scope =
  /** The labelled versions. */
  | "recent"
  /** Every version that may hold a token that lives. */
  | "all";

/** What a run found out about one secret. */
export interface Survey {
  secret: SecretDescription;
  current: KnownVersion | undefined;
  verdict: Verdict;
}

/** Looks at one secret and applies the rule. Changes nothing. */
export async function surveySecret(
  { store, clock }: Pick<SecretContext, "store" | "clock">,
  options: {
    /** Described before the ledger was read, so that no label moved that the ledger says nothing of. */
    secret: SecretDescription;
    scope: Scope;
    /** The secret's own entries. */
    ledger: readonly LedgerEntry[];
    ledgerFrom: number;
    graceMs: number;
    pendingMaxAgeMs: number;
    stepMs: number;
  },
): Promise<Survey> {
  const { secret, scope, ...rest } = options;
  const ids = new Set(secret.stages.keys());
  if (scope === "all") {
    for (const { versionId, stages, createdAt } of await store.listVersions(secret.arn)) {
      // A label that the description does not show has come since: the version is of a rotation that has just begun.
      if (stages.length > 0 && !secret.stages.has(versionId)) continue;
      if (createdAt === undefined || createdAt > clock.now() - longestLifetimeMs) ids.add(versionId);
    }
  }
  const versions: KnownVersion[] = [];
  for (const versionId of ids) {
    const version = await store.read(secret.arn, versionId);
    if (version) versions.push({ versionId, parsed: parseValue(version.value) });
  }
  const verdict = reconcileRule({ now: clock.now(), secret, versions, ...rest });
  const currentId = versionAt(secret, "AWSCURRENT");
  return { secret, current: versions.find(({ versionId }) => versionId === currentId), verdict };
}
