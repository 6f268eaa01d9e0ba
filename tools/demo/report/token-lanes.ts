import { type Lane, time } from "../../../cli/report/lanes.ts";
import type { TokenLife } from "./token-lives.ts";

/** Tokens as lanes: pending, current, in grace, and the marks of promotion and revocation. */
export function tokenLanes(lives: readonly TokenLife[], endsAt: number): Lane[] {
  return lives.map((life) => lane(life, endsAt));
}

function lane(life: TokenLife, endsAt: number): Lane {
  const { tokenId, issuedAt, promotedAt, supersededAt, revokedAt } = life;
  const end = revokedAt ?? endsAt;
  const bars: Lane["bars"][number][] = [{ kind: "pending", from: issuedAt, to: promotedAt ?? end }];
  if (promotedAt !== undefined) bars.push({ kind: "current", from: promotedAt, to: supersededAt ?? end });
  if (supersededAt !== undefined) bars.push({ kind: "grace", from: supersededAt, to: end });
  const marks: Lane["marks"][number][] = [];
  if (promotedAt !== undefined) marks.push({ kind: "promoted", at: promotedAt });
  if (revokedAt !== undefined) marks.push({ kind: "revoked", at: revokedAt });
  return { name: tokenId, bars, marks, told: story(life) };
}

function story({ issuedAt, promotedAt, supersededAt, revokedAt }: TokenLife): string {
  const parts = [`issued ${time(issuedAt)}`];
  if (promotedAt !== undefined) parts.push(`current ${time(promotedAt)}`);
  if (supersededAt !== undefined) parts.push(`in grace from ${time(supersededAt)}`);
  parts.push(revokedAt === undefined ? "alive at the end" : `revoked ${time(revokedAt)}`);
  return parts.join(" · ");
}
