import type { Sensitive } from "../../src/ports/sensitive.ts";
import { fateOf } from "./fate.ts";
import { gapsOf } from "./gaps.ts";
import { claimedNote, type Evidence, type Happened, type Happening, type Life, type Version } from "./life.ts";
import { type Line, writerOf } from "./lines.ts";

/**
 * The life of every token that the log or a version names, and of every call that may have made one, in the order of their
 * issue. Pure. What C2M was not asked about stays open: nothing here says more than a line or a value does.
 */
export function tokenLives(evidence: Evidence): Life[] {
  const lives = new Lives();
  for (const version of evidence.versions) lives.addVersion(version);
  for (const line of evidence.lines) lives.addLine(line);
  const { from } = evidence;
  const known = lives
    .all()
    .filter(
      ({ happenings, expiresAt = from + 1 }) => expiresAt > from || happenings.some(({ source }) => source === "log"),
    );
  for (const life of known) {
    life.happenings = inOrder(life.happenings);
    life.fate = fateOf(life, evidence);
    life.gaps = gapsOf(life, evidence);
  }
  return known.sort((one, other) => bornAt(one) - bornAt(other));
}

/** How a token's life begins. */
const beginning: readonly Happened[] = [
  "issue call",
  "issue call not answered",
  "issued",
  "stored",
  "proven",
  "promoted",
];

/** By time; a life's beginning as the protocol goes, where its times are the same. */
function inOrder(happenings: readonly Happening[]): Happening[] {
  const sorted = happenings.toSorted((one, other) => one.at - other.at);
  const isEarlier = (one: Happening | undefined, other: Happening | undefined) => {
    if (!one || !other || one.at !== other.at) return false;
    const [place, otherPlace] = [beginning.indexOf(one.what), beginning.indexOf(other.what)];
    return place >= 0 && otherPlace >= 0 && place < otherPlace;
  };
  for (let end = 1; end < sorted.length; end += 1) {
    for (let place = end; isEarlier(sorted[place], sorted[place - 1]); place -= 1) {
      sorted.splice(place - 1, 2, ...sorted.slice(place - 1, place + 1).toReversed());
    }
  }
  return sorted;
}

const bornAt = ({ happenings }: Life) => happenings[0]?.at ?? 0;

class Lives {
  readonly #all: Life[] = [];
  /** By token id; more than one where two C2Ms have given the same. */
  readonly #byId = new Map<string, Life[]>();
  /** By the call that issued it. */
  readonly #byAttempt = new Map<string, Life>();
  /** Those of whose token no id is known, with its text where a version holds it. */
  readonly #withoutId = new Map<Life, Sensitive | undefined>();
  /** Calls that made no token, or one that another life tells. */
  readonly #empty = new Set<Life>();
  readonly #versions = new Map<string, Version>();

  all(): Life[] {
    return this.#all.filter((life) => !this.#empty.has(life));
  }

  addVersion(version: Version): void {
    const { versionId, labels, createdAt, held } = version;
    this.#versions.set(versionId, version);
    if (!held) return;
    if (held.kind === "foreign") {
      const life = this.#new({ storedIn: [versionId], labels: [...labels], fate: "not ours" });
      this.#withoutId.set(life, held.token);
      if (createdAt !== undefined) this.#fromValue(life, "stored", createdAt);
      return;
    }
    const { token } = held;
    const expiresAt = Date.parse(token.expiresAt);
    const known =
      token.tokenId === undefined
        ? [...this.#withoutId].find(([, text]) => text?.equals(token.accessToken))?.[0]
        : this.#named(token.tokenId, token.baseUrl);
    const life = known ?? this.#new({ expiresAt });
    life.tokenId = token.tokenId;
    life.headerTokenId ??= token.headerTokenId;
    life.baseUrl ??= token.baseUrl;
    life.clientId ??= token.clientId;
    life.scopes ??= token.scopes;
    life.expiresAt = expiresAt;
    life.storedIn.push(versionId);
    life.labels.push(...labels.filter((label) => !life.labels.includes(label)));
    this.#name(life, token.accessToken);
    if (known || token.issuedAt === undefined) return;
    this.#fromValue(life, "issued", Date.parse(token.issuedAt));
  }

  addLine(line: Line): void {
    switch (line.event) {
      case "token.issue.started":
        this.#called(line);
        break;
      case "token.issue.ambiguous":
      case "token.issue.refused":
        this.#callEnded(line, line.event === "token.issue.refused");
        break;
      case "token.issued":
        this.#issued(line);
        break;
      case "token.promoted":
        this.#promoted(line);
        break;
      default:
        this.#happened(line, line.event);
    }
  }

  #called(line: Line): void {
    const attemptId = text(line, "attempt_id");
    const life = this.#new({
      attemptId,
      issuedFor: text(line, "version_id"),
      expiresAt: time(line, "latest_expires_at"),
      fate: "suspect",
    });
    this.#describe(life, line);
    if (attemptId !== undefined) this.#byAttempt.set(attemptId, life);
    this.#tell(life, "issue call", line);
  }

  #callEnded(line: Line, isRefused: boolean): void {
    const life = this.#byAttempt.get(text(line, "attempt_id") ?? "");
    if (!life) return;
    if (isRefused) {
      // What an operator says of a function's call, or who it is says after its outcome, hides no token.
      if (life.fate === "suspect" && writerOf(line.stream).kind !== "operator") this.#empty.add(life);
    } else this.#tell(life, "issue call not answered", line, text(line, "code"));
  }

  #happened(line: Line, event: keyof typeof words): void {
    const life = this.#of(line);
    const versionId = text(line, "version_id");
    if (event === "token.stored" && versionId !== undefined && !life.storedIn.includes(versionId)) {
      life.storedIn.push(versionId);
      life.labels.push(...(this.#versions.get(versionId)?.labels ?? []));
    }
    if (event === "token.revoked") life.revokedIds.push(text(line, "token_id") ?? "");
    if (event === "token.alive") life.revokedIds = [];
    const claimed = line.fields.claimed === true ? claimedNote : undefined;
    this.#tell(life, words[event], line, claimed ?? text(line, "reason") ?? text(line, "code"));
  }

  #issued(line: Line): void {
    const id = text(line, "token_id");
    const attempt = this.#byAttempt.get(text(line, "attempt_id") ?? "");
    const stored = id === undefined ? this.#stored(line) : this.#named(id, text(line, "base_url"));
    const life = stored ?? (attempt?.fate === "suspect" ? attempt : undefined) ?? this.#new({});
    if (attempt && attempt !== life) {
      // The call has its outcome: the token that a version holds.
      life.happenings.push(...attempt.happenings);
      this.#empty.add(attempt);
      this.#byAttempt.set(text(line, "attempt_id") ?? "", life);
    }
    life.happenings = life.happenings.filter(({ what, source }) => what !== "issued" || source === "log");
    life.attemptId = text(line, "attempt_id");
    life.issuedFor = text(line, "version_id");
    life.expiresAt = time(line, "expires_at") ?? life.expiresAt;
    life.fate = "unsettled";
    life.tokenId ??= id;
    this.#describe(life, line);
    this.#name(life);
    this.#tell(life, "issued", line);
  }

  #promoted(line: Line): void {
    const versionId = text(line, "version_id");
    const life = this.#inVersion(versionId);
    const isAgain = life?.reigns.at(-1) !== undefined && life.reigns.at(-1)?.to === undefined;
    if (isAgain) return;
    const replaced = this.#inVersion(text(line, "superseded_version_id"));
    for (const other of this.#all) {
      const reign = other.reigns.at(-1);
      if (other === life || !(other === replaced || (reign && reign.to === undefined))) continue;
      if (reign && reign.to === undefined) reign.to = line.at;
      this.#tell(other, "superseded", line, versionId === undefined ? undefined : `by version ${versionId}`);
    }
    if (!life) return;
    life.reigns.push({ from: line.at, to: undefined });
    this.#tell(life, "promoted", line);
  }

  /** The token of a version: the stored one; the only one that was issued for it where that is not known. */
  #inVersion(versionId: string | undefined): Life | undefined {
    if (versionId === undefined) return undefined;
    const stored = this.#all.find((life) => life.storedIn.includes(versionId));
    if (stored) return stored;
    const issued = this.#all.filter((life) => life.issuedFor === versionId && life.fate === "unsettled");
    return issued.length === 1 ? issued[0] : undefined;
  }

  /** The token that a line names; one that only this line names is known from now on. */
  #of(line: Line): Life {
    const id = text(line, "token_id");
    const expiresAt = time(line, "expires_at");
    const versionId = text(line, "version_id");
    const known =
      id === undefined
        ? [...this.#withoutId.keys()].find(
            (life) =>
              life.expiresAt === expiresAt &&
              (versionId === undefined || life.storedIn.includes(versionId) || life.issuedFor === versionId),
          )
        : this.#named(id, text(line, "base_url"));
    if (known) return known;
    const life = this.#new({ tokenId: id, expiresAt, fate: "unsettled" });
    this.#describe(life, line);
    this.#name(life);
    return life;
  }

  /** The stored token without an id that a line of issue is about; each version accounts for one. */
  #stored(line: Line): Life | undefined {
    return [...this.#withoutId.keys()].find(
      (life) =>
        life.attemptId === undefined &&
        life.storedIn.includes(text(line, "version_id") ?? "") &&
        life.expiresAt === time(line, "expires_at"),
    );
  }

  #named(id: string, baseUrl: string | undefined): Life | undefined {
    return this.#byId
      .get(id)
      ?.find((life) => life.baseUrl === undefined || baseUrl === undefined || life.baseUrl === baseUrl);
  }

  #name(life: Life, held?: Sensitive): void {
    const ids = [life.tokenId, life.headerTokenId].filter((id) => id !== undefined);
    if (ids.length === 0) this.#withoutId.set(life, held ?? this.#withoutId.get(life));
    for (const id of ids) {
      const others = this.#byId.get(id) ?? [];
      if (!others.includes(life)) this.#byId.set(id, [...others, life]);
    }
  }

  #describe(life: Life, line: Line): void {
    life.headerTokenId ??= text(line, "header_token_id");
    life.baseUrl ??= text(line, "base_url");
    life.clientId ??= text(line, "client_id");
  }

  #tell(life: Life, what: Happened, { at, stream, fields }: Line, note?: string): void {
    const { kind, name } = writerOf(stream);
    const callerArn = kind === "operator" && typeof fields.caller_arn === "string" ? fields.caller_arn : undefined;
    life.happenings.push({ what, at, source: "log", by: kind, function: name || undefined, stream, callerArn, note });
  }

  #fromValue(life: Life, what: Happened, at: number): void {
    const nobody = {
      by: "unknown" as const,
      function: undefined,
      stream: undefined,
      callerArn: undefined,
      note: undefined,
    };
    life.happenings.push({ what, at, source: "value", ...nobody });
  }

  #new(known: Partial<Life>): Life {
    const life: Life = {
      tokenId: undefined,
      headerTokenId: undefined,
      attemptId: undefined,
      issuedFor: undefined,
      storedIn: [],
      labels: [],
      baseUrl: undefined,
      clientId: undefined,
      scopes: undefined,
      expiresAt: undefined,
      reigns: [],
      revokedIds: [],
      happenings: [],
      fate: "unsettled",
      gaps: [],
      ...known,
    };
    this.#all.push(life);
    return life;
  }
}

const words = {
  "token.stored": "stored",
  "token.proven": "proven",
  "token.revoked": "revoked",
  "token.dead": "seen dead",
  "token.alive": "seen alive",
  "token.death.unseen": "not seen dead",
  "token.unrevocable": "unrevocable",
  "token.revocation.failed": "revocation failed",
  "token.kept": "kept",
  "token.rejected": "rejected",
} as const;

function text({ fields }: Line, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function time(line: Line, name: string): number | undefined {
  const at = Date.parse(text(line, name) ?? "");
  return Number.isNaN(at) ? undefined : at;
}
