import { isRevoked, lastPlace } from "./fate.ts";
import { claimedNote, type Evidence, first, type Gap, type Life, last } from "./life.ts";

/** What the lines and the labels leave open about a token. */
export function gapsOf(life: Life, evidence: Evidence): Gap[] {
  const gap = (kind: Gap["kind"], text: string): Gap => ({ kind, text, until: life.expiresAt });
  if (life.fate === "not ours") {
    return [
      gap("not ours", "A value from before the rotation, or put there by hand: nothing says whether it is a token."),
    ];
  }
  if (life.fate === "suspect") {
    return [gap("suspect", "No line tells what became of this call: a token that nobody knows the id of may live.")];
  }
  const wasCall = life.happenings.every(({ what }) => what.startsWith("issue call"));
  if (wasCall && life.happenings.length > 0) return [];
  return [...aliveGaps(life, gap), ...lineGaps(life, evidence, gap)];
}

type MakeGap = (kind: Gap["kind"], text: string) => Gap;

/** What leaves open whether it lives. */
function aliveGaps(life: Life, gap: MakeGap): Gap[] {
  const { fate } = life;
  const gaps: Gap[] = [];
  if (fate === "expired") return gaps;
  const isSaidDead = fate === "revoked" || fate === "seen dead";
  if (isSaidDead) {
    const said = life.happenings.filter(({ what }) => what === "revoked" || what === "seen dead");
    if (said.every(({ by }) => by !== "function")) {
      gaps.push(gap("said by an operator", "That it is dead stands in a line of an operator's command only."));
    }
    const isClaimed = said.every(({ what, note }) => what === "revoked" && note === claimedNote);
    if (fate === "revoked" && (isClaimed || lastPlace(life, "not seen dead") > lastPlace(life, "revoked"))) {
      gaps.push(gap("not seen dead", "Its revocation was answered, and nobody has seen C2M reject it since."));
    }
    return gaps;
  }
  const unrevocable = life.happenings.findLast(({ what }) => what === "unrevocable");
  if (unrevocable) {
    const why = unrevocable.note === undefined ? "" : `: ${unrevocable.note}`;
    gaps.push(gap("unrevocable", `It can't be revoked${why}.`));
  } else if (life.tokenId === undefined && life.headerTokenId === undefined) {
    gaps.push(gap("no id", "C2M gave no id for it: it can't be revoked, and ends by itself."));
  }
  if (lastPlace(life, "rejected") > lastPlace(life, "proven")) {
    gaps.push(gap("rejected", "C2M was seen to reject it, and no line says that it was revoked: it may be dead."));
  }
  if (lastPlace(life, "seen alive") >= 0) {
    gaps.push(gap("seen alive", "C2M has let it in after its revocation was answered."));
  }
  if (life.revokedIds.length > 0 && !isRevoked(life)) {
    gaps.push(gap("half revoked", "C2M gave two ids for it, and one of them is not revoked."));
  }
  if (fate === "superseded" || fate === "unsettled") {
    const began = fate === "superseded" ? "It was replaced" : "It was issued, and no version that can be read holds it";
    gaps.push(gap("no end recorded", `${began}, and no line says that it was revoked.`));
  }
  return gaps;
}

/** What should stand in the log and does not. */
function lineGaps(life: Life, { from, versions }: Evidence, gap: MakeGap): Gap[] {
  const gaps: Gap[] = [];
  const created = versions
    .filter(({ versionId }) => life.storedIn.includes(versionId))
    .map(({ createdAt }) => createdAt)
    .filter((at) => at !== undefined);
  const bornAt = Math.min(first(life, "issued") ?? Number.POSITIVE_INFINITY, ...created);
  const isOlder = bornAt < from;
  if (isOlder)
    gaps.push(
      gap("before the period", "It was issued before the period of this history: its beginnings are not in it."),
    );
  const lost = (kind: Gap["kind"], text: string) => {
    if (!isOlder) gaps.push(gap(kind, text));
  };
  const isRecorded = life.happenings.some(({ what, source }) => what === "issued" && source === "log");
  if (!isRecorded)
    lost("issue not recorded", "No line of its issue is in the log: lost, or older than the log is kept.");
  const isCurrent = life.labels.includes("AWSCURRENT");
  const reign = life.reigns.at(-1);
  const isOpen = reign !== undefined && reign.to === undefined;
  const wasCurrent = isCurrent || last(life, "superseded") !== undefined;
  if ((isCurrent && !isOpen) || (wasCurrent && !reign)) {
    lost("promotion not recorded", "It is or was current, and no line says since when.");
  }
  if (isOpen && !isCurrent && versions.length > 0) {
    gaps.push(gap("replacement not recorded", "It is current no more, and no line says since when."));
  }
  const start = life.reigns[0]?.from;
  const proven = first(life, "proven");
  // The first token of a secret is proven before it is stored, by the step that stores it.
  const isFirst = life.issuedFor?.startsWith("bootstrap-") ?? false;
  if (start !== undefined && !isFirst && !(proven !== undefined && proven <= start)) {
    lost("proof not recorded", "No line says that it was proven before it became current.");
  }
  return gaps;
}
