import type { Fate, Happened, Life } from "./life.ts";

/** What became of a token, as far as the lines and the labels tell. */
export function fateOf(life: Life, { now, graceMs }: { now: number; graceMs: number | undefined }): Fate {
  if (life.fate === "not ours") return "not ours";
  const isOver = life.expiresAt !== undefined && life.expiresAt <= now;
  if (life.fate === "suspect") return isOver ? "expired" : "suspect";
  if (lastPlace(life, "seen dead") > lastPlace(life, "seen alive")) return "seen dead";
  if (isRevoked(life)) return "revoked";
  if (isOver) return "expired";
  if (life.labels.includes("AWSCURRENT")) return "current";
  if (life.labels.includes("AWSPENDING")) return "pending";
  const replacedAt = life.happenings.findLast(({ what }) => what === "superseded")?.at;
  if (replacedAt !== undefined && graceMs !== undefined && now < replacedAt + graceMs) return "in grace";
  return replacedAt !== undefined || life.storedIn.length > 0 || life.reigns.length > 0 ? "superseded" : "unsettled";
}

/** A token with two ids is revoked when both are: each may be the one that counts. */
export function isRevoked({ tokenId, headerTokenId, revokedIds }: Life): boolean {
  const ids = [tokenId, headerTokenId].filter((id) => id !== undefined);
  return ids.length === 0 ? revokedIds.length > 0 : ids.every((id) => revokedIds.includes(id));
}

/** Where it stands last among what happened; -1 where it did not happen. */
export function lastPlace({ happenings }: Life, what: Happened): number {
  return happenings.findLastIndex((one) => one.what === what);
}
