import type { StoredToken } from "../../src/formats/stored-token.ts";
import { lateReadMs, startRotation } from "../acting/follow-rotation.ts";
import type { DescribedSecret } from "../aws.ts";
import { failed } from "../failure.ts";
import { span } from "../time-text.ts";
import { tokenOf } from "../token-view.ts";
import { Disturbed, type Stage } from "./stage.ts";

/** How long a rotation may take, and how long AWSPENDING is waited for afterwards, in ms. */
const rotationMs = 10 * 60_000;
const pendingMs = 60_000;

/** How often the labels are looked at meanwhile, and the log; in ms. */
const labelsEveryMs = 1_000;
const logEveryMs = 10_000;

/** A rotation that ended. Times in epoch ms. */
export interface Rotated {
  versionId: string;
  supersededId: string;
  /** When AWSCURRENT was first seen at the new version. */
  promotedAt: number;
}

/** Rotates, looks at labels and values at each step, and judges them. @throws Failure where it does not end */
export async function rotateAndWatch(stage: Stage): Promise<Rotated> {
  const { call } = stage.options;
  const before = await stage.settledView();
  const supersededId = before.current?.versionId;
  const old = tokenOf(before.current);
  if (supersededId === undefined || !old) throw failed("There is no current token of ours to be replaced.");
  stage.mark(supersededId, old, "current");
  const oldValue = await stage.aws.store.read(stage.arn, supersededId);
  const versionId = await startRotation(call, before);
  stage.openVersionId = versionId;
  stage.say(`Rotating, version ${versionId}`);
  const { seen, secret, promotedAt } = await follow(stage, before.lastChangedAt, { versionId, supersededId });
  stage.openVersionId = undefined;
  const token = await stage.tokenOf(versionId, "current");
  const stillThere = await stage.aws.store.read(stage.arn, supersededId);
  const previous = holderOf(secret, "AWSPREVIOUS");
  const problem =
    previous !== supersededId
      ? `AWSPREVIOUS is at ${previous ?? "no version"}`
      : !token
        ? "the new version holds no token of ours"
        : token.accessToken.equals(old.accessToken) || (token.tokenId !== undefined && token.tokenId === old.tokenId)
          ? "the new version holds the old token"
          : token.clientId !== old.clientId || token.baseUrl !== old.baseUrl
            ? "the new token belongs to another client or C2M"
            : !oldValue || !stillThere?.value.equals(oldValue.value)
              ? "the old version's value was changed"
              : undefined;
  stage.verdicts.judge("labels", `RotateSecret, version ${versionId}`, { problem, answered: seen.join(" → ") });
  await stage.askCurrent("after a rotation");
  await noteEnd(stage, versionId);
  return { versionId, supersededId, promotedAt };
}

/** Follows the labels until the version is current. */
async function follow(
  stage: Stage,
  changedBefore: number | undefined,
  { versionId, supersededId }: { versionId: string; supersededId: string },
): Promise<{ seen: string[]; secret: DescribedSecret; promotedAt: number }> {
  const startedAt = stage.now();
  const seen: string[] = [];
  let wasPending = false;
  let held: StoredToken | undefined;
  let asExpectedAt = startedAt;
  for (let logAt = startedAt; ; ) {
    // Before the labels, which then tell whether it was there.
    const refusal = wasPending ? undefined : await stage.aws.refusedRead(stage.arn, versionId);
    const secret = await stage.describe();
    if (secret.stages.has(versionId)) held ??= await stage.tokenOf(versionId, "pending");
    const value = held ? `holding ${held.tokenId ?? "a token"}` : "empty";
    const labels = labelsText(secret, { [versionId]: `new version, ${value}`, [supersededId]: "old version" });
    if (seen.at(-1) !== labels) {
      seen.push(labels);
      stage.say(`  after ${span(stage.now() - startedAt)}: ${labels}`);
    }
    noteLabels(stage, secret);
    const current = holderOf(secret, "AWSCURRENT");
    if (current === versionId) return { seen, secret, promotedAt: stage.now() };
    if (!wasPending && secret.stages.has(versionId)) {
      wasPending = true;
      stage.answers.delay("secretsManager.visibilityDelayMs", stage.now() - startedAt, labelsEveryMs);
      noteChange(stage, "the start of a rotation", {
        before: changedBefore,
        after: secret.lastChangedAt,
        at: startedAt,
      });
      if (refusal) await noteEmptyVersion(stage, versionId, refusal);
    }
    if (secret.stages.has(versionId) && current === supersededId) asExpectedAt = stage.now();
    else if (stage.now() - asExpectedAt > lateReadMs) {
      throw new Disturbed(
        current === supersededId
          ? "The rotation was cancelled or overtaken meanwhile."
          : "Somebody else changed the secret meanwhile: another version is current.",
      );
    }
    if (stage.now() - logAt >= logEveryMs) {
      logAt = stage.now();
      const failures = (await stage.lines("step.failed")).filter(({ fields }) => fields.version_id === versionId);
      const [failure] = failures;
      if (failure) throw failed(`The rotation failed in ${failure.fields.step}: ${failure.fields.reason}`);
    }
    if (stage.now() - startedAt > rotationMs) throw failed(`The rotation has not ended after ${span(rotationMs)}.`);
    await stage.pause(labelsEveryMs);
  }
}

/** What a version answers that is there and has no value yet. */
async function noteEmptyVersion(
  { answers, aws, arn }: Stage,
  versionId: string,
  { code, message }: { code: string; message: string },
): Promise<void> {
  const asKnown =
    code === "ResourceNotFoundException" &&
    message === `Secrets Manager can't find the specified secret value for VersionId: ${versionId}`;
  const told = `${code}: ${message.replaceAll(versionId, "{version}")}`;
  answers.met("secretsManager.unrecorded.placeholderRead", told, !asKnown);
  const isListed = (await aws.store.listVersions(arn)).some((version) => version.versionId === versionId);
  // It may have been filled meanwhile, and then its being listed says nothing.
  const isEmpty = (await aws.refusedRead(arn, versionId)) !== undefined;
  if (isEmpty || !isListed) answers.met("secretsManager.listPlaceholder", String(isListed), !isListed);
}

/** When AWSPENDING leaves the version, and what the dates say then. */
async function noteEnd(stage: Stage, versionId: string): Promise<void> {
  const { answers } = stage;
  const startedAt = stage.now();
  const gone = await stage.until(
    async () => {
      const secret = await stage.describe();
      noteLabels(stage, secret);
      return secret.stages.get(versionId)?.includes("AWSPENDING") ? undefined : secret;
    },
    { forMs: answers.has("secretsManager.pendingAfterSuccess") ? 0 : pendingMs, everyMs: 2_000 },
  );
  const took = stage.now() - startedAt;
  const atOnce = gone !== undefined && took <= 5_000;
  const when = gone ? (atOnce ? "immediate" : `about ${span(took)} later`) : `not within ${span(pendingMs)}`;
  if (!answers.has("secretsManager.pendingAfterSuccess")) {
    answers.met("secretsManager.pendingAfterSuccess", when, !atOnce);
  }
  const next = (gone ?? (await stage.describe())).nextRotationAt;
  if (next === undefined) return;
  const second = new Date(next).getUTCSeconds();
  const moment = second === 59 ? "last-second" : second === 0 ? "start" : new Date(next).toISOString();
  answers.met("secretsManager.nextRotationDate", moment, moment !== "last-second");
}

/** Whether something has moved LastChangedDate. Within the seconds after another change nothing can be told. */
export function noteChange(
  { answers }: Stage,
  what: string,
  { before = 0, after, at }: { before: number | undefined; after: number | undefined; at: number },
): void {
  if (at - before < 2_000) return;
  const isMoved = after !== before;
  answers.met("secretsManager.lastChangedMovedBy", `${what} ${isMoved ? "changes" : "does not change"} it`, !isMoved);
}

function noteLabels({ answers }: Stage, { stages }: DescribedSecret): void {
  for (const labels of stages.values()) {
    if (labels.length < 2) continue;
    const sorted = [...labels].sort();
    const isSorted = sorted.every((label, index) => label === labels[index]);
    answers.met("secretsManager.labelOrder", isSorted ? "sorted" : labels.join(", "), !isSorted);
  }
}

/** The version that has a label. */
export function holderOf({ stages }: DescribedSecret, label: string): string | undefined {
  return [...stages].find(([, labels]) => labels.includes(label))?.[0];
}

function labelsText({ stages }: DescribedSecret, names: Record<string, string>): string {
  const known = Object.entries(names).flatMap(([versionId, name]) => {
    const labels = stages.get(versionId);
    return labels ? [`${labels.join("+")} at the ${name}`] : [];
  });
  return known.join("; ") || "no label at either version";
}
