import { isOperatorStream } from "../../src/formats/ledger.ts";
import type { WatchedEvent, WatchedLine } from "./log-watch.ts";
import type { Stage } from "./stage.ts";

/** The lines that each rotation leaves, in their order. */
const ofRotation = [
  "token.issue.started",
  "token.issued",
  "token.stored",
  "token.proven",
  "token.promotion.started",
  "token.promoted",
] as const satisfies WatchedEvent[];

/**
 * Looks for every line that the rehearsal's rotations, its rollback and its revocations must have left, and for the order of
 * proof and promotion.
 *
 * @param rotated the versions that were rotated in
 * @param wentBackTo the version that a rollback made current, where there was one
 */
export async function checkLedger(
  stage: Stage,
  rotated: readonly string[],
  wentBackTo: string | undefined,
): Promise<void> {
  const { verdicts, answers } = stage;
  stage.say("Reading the log");
  const all = () => stage.lines(...ofRotation, "token.revoked", "step.started");
  const missingNow = async () => missingIn(stage, await all(), rotated, wentBackTo);
  await stage.untilLogged(async () => ((await missingNow()).length === 0 ? true : undefined));
  const lines = await all();
  const missing = missingIn(stage, lines, rotated, wentBackTo);
  verdicts.judge("ledger", `read the log of ${rotated.length} rotations`, {
    problem: missing.length === 0 ? undefined : `not there: ${missing.join(", ")}`,
    answered: `${lines.length} lines, none missing`,
  });
  for (const versionId of rotated) {
    const own = lines.filter(({ fields }) => fields.version_id === versionId);
    const place = (event: WatchedEvent) => own.findIndex((line) => line.event === event);
    const [proven, promotion, promoted] = [
      place("token.proven"),
      place("token.promotion.started"),
      place("token.promoted"),
    ];
    const begun = promotion < 0 ? promoted : promotion;
    const problem =
      begun < 0
        ? "the log tells of no promotion"
        : proven < 0
          ? "it was promoted, and the log tells of no proof"
          : proven > begun
            ? "it was promoted before it was proven"
            : undefined;
    verdicts.judge("proof", `read the log of version ${versionId}`, {
      problem,
      answered: "token.proven stands before the promotion",
    });
    const steps = own.filter(({ event }) => event === "step.started").map(({ fields }) => String(fields.step));
    const repeated = steps.filter((step, index) => steps.indexOf(step) !== index);
    if (steps.length === 0) continue;
    const text = repeated.length === 0 ? "once" : `${[...new Set(repeated)].join(", ")} came more than once`;
    answers.met("secretsManager.delivery", text, repeated.length > 0);
  }
}

/** What is not there, each in a few words. */
function missingIn(
  stage: Stage,
  lines: readonly WatchedLine[],
  rotated: readonly string[],
  wentBackTo: string | undefined,
): string[] {
  const missing: string[] = [];
  for (const versionId of rotated) {
    const own = lines.filter(({ fields }) => fields.version_id === versionId);
    for (const event of ofRotation) {
      if (!own.some((line) => line.event === event)) missing.push(`${event} of version ${versionId}`);
    }
    const tokenId = stage.tokens.get(versionId)?.token.tokenId;
    const issued = own.find(({ event }) => event === "token.issued");
    if (issued && tokenId !== undefined && issued.fields.token_id !== tokenId) {
      missing.push(`the id ${tokenId} in token.issued of version ${versionId}`);
    }
  }
  for (const { versionId, token, state } of stage.tokens.values()) {
    if (state !== "seen dead" || token.tokenId === undefined) continue;
    const isThere = lines.some(({ event, fields }) => event === "token.revoked" && fields.token_id === token.tokenId);
    if (!isThere) missing.push(`token.revoked of ${token.tokenId}, of version ${versionId}`);
  }
  if (wentBackTo !== undefined) {
    const isThere = lines.some(
      ({ event, stream, fields }) =>
        event === "token.promoted" && fields.version_id === wentBackTo && isOperatorStream(stream),
    );
    if (!isThere) missing.push(`the operator's token.promoted of version ${wentBackTo}`);
  }
  return missing;
}
