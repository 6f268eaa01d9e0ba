import type { NamedToken } from "../formats/ledger.ts";
import { metricNames } from "../formats/metrics.ts";
import { AmbiguousError, RetryableError } from "../ports/errors.ts";
import { type SecretDescription, versionAt } from "../ports/secret-store.ts";
import type { SecretContext } from "./context.ts";

/** The wait before the next try, in ms; it grows with each. */
const waitMs = 500;

/** The C2M of the token that is promoted. */
export type C2mNames = Pick<NamedToken, "baseUrl" | "clientId">;

/** A version that is current now, and the one that lost AWSCURRENT to it, now or in an earlier run. */
export interface Promotion {
  /** As the secret was last seen: at the latest look, before the label was moved. */
  secret: SecretDescription;
  supersededId: string | undefined;
}

/**
 * Moves AWSCURRENT to a version, with the ledger's lines around it: the grace of what is superseded counts from them.
 * Done already when the version is current.
 *
 * @param request.c2m of the token in the version, for the ledger
 * @param request.tries how often the move is tried when the labels move under it or its answer is lost
 * @param request.check called with the secret before each move; its rejection ends the promotion
 * @throws RetryableError `labels_moved`, AmbiguousError `store_unknown`, and what `check` and the store throw
 */
export async function promote(
  context: SecretContext,
  request: { versionId: string; c2m: C2mNames; tries: number; check: (secret: SecretDescription) => Promise<void> },
): Promise<Promotion> {
  const { arn, store, log } = context;
  const { versionId } = request;
  let lost: AmbiguousError | undefined;
  for (let made = 0; ; made += 1) {
    const secret = await store.describe(arn);
    if (secret.stages.get(versionId)?.includes("AWSCURRENT")) {
      const supersededId = versionAt(secret, "AWSPREVIOUS");
      if (lost) logPromoted(context, request, supersededId);
      return { secret, supersededId };
    }
    if (lost && made === request.tries) throw lost;
    await request.check(secret);
    const supersededId = versionAt(secret, "AWSCURRENT");
    log.event("token.promotion.started", fieldsOf(arn, request, supersededId));
    try {
      const move = await store.moveStage({
        secretId: arn,
        stage: "AWSCURRENT",
        toVersionId: versionId,
        ...(supersededId === undefined ? {} : { fromVersionId: supersededId }),
      });
      if (move === "moved") {
        logPromoted(context, request, supersededId);
        return { secret, supersededId };
      }
      if (made + 1 === request.tries) {
        throw new RetryableError(
          "labels_moved",
          "AWSCURRENT is not where it was seen: its labels were moved meanwhile.",
        );
      }
    } catch (error) {
      // The answer was lost: look again.
      if (!(error instanceof AmbiguousError)) throw error;
      lost = error;
    }
    await context.clock.sleep(waitMs * (made + 1));
  }
}

interface Promoted {
  versionId: string;
  c2m: C2mNames;
}

/** Says that a version has become current. */
export function logPromoted({ arn, log }: SecretContext, promoted: Promoted, supersededId: string | undefined): void {
  log.event("token.promoted", fieldsOf(arn, promoted, supersededId));
  log.metric(metricNames.promoted);
}

function fieldsOf(secret: string, { versionId, c2m }: Promoted, supersededId: string | undefined) {
  const { baseUrl: base_url, clientId: client_id } = c2m;
  return { secret, version_id: versionId, superseded_version_id: supersededId, base_url, client_id };
}
