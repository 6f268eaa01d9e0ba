import { harmless } from "../terminal.ts";
import { type Histories, type SecretHistory, unknowable } from "./gather.ts";
import type { Gap, Happening, Life } from "./life.ts";

/** What `--json` prints. Fields are added and never change. */
export function asRecord({ from, to, secrets }: Histories): object {
  return { from: iso(from), to: iso(to), secrets: secrets.map(ofSecret), unknowable };
}

function ofSecret({ name, arn, lives, gaps }: SecretHistory): object {
  return { name, arn, tokens: lives.map(ofLife), gaps: gaps.map(ofGap) };
}

function ofLife(life: Life): object {
  return {
    tokenId: life.tokenId ?? null,
    headerTokenId: life.headerTokenId ?? null,
    attemptId: life.attemptId ?? null,
    issuedFor: life.issuedFor ?? null,
    storedIn: life.storedIn,
    labels: life.labels,
    baseUrl: life.baseUrl ?? null,
    clientId: life.clientId ?? null,
    scopes: life.scopes ?? null,
    expiresAt: iso(life.expiresAt),
    current: life.reigns.map(({ from, to }) => ({ from: iso(from), to: iso(to) })),
    fate: life.fate,
    happenings: life.happenings.map(ofHappening),
    gaps: life.gaps.map(ofGap),
  };
}

function ofHappening({ function: name, stream, note, callerArn, ...one }: Happening): object {
  const { what, at, source, by } = one;
  const who = { function: name ?? null, stream: stream ?? null, note: note ?? null, callerArn: callerArn ?? null };
  return { what, at: iso(at), source, by, ...who };
}

function ofGap({ kind, text, until }: Gap): object {
  return { kind, text, until: iso(until) };
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

const columns = [
  ...["secret", "token_id", "attempt_id", "issued_for", "stored_in", "base_url", "client_id", "expires_at", "fate"],
  ...["what", "at", "until", "source", "by", "function", "stream", "note", "caller_arn"],
];

/** What `--csv` prints: a line for each thing that happened and for each gap, as RFC 4180 has it. */
export function asCsv({ secrets }: Histories): string {
  const rows = secrets.flatMap(({ name, lives, gaps }) => [
    ...lives.flatMap((life) => rowsOf(name, life)),
    ...gaps.map((gap) => [name, ...Array.from({ length: 8 }, () => ""), ...gapCells(gap)]),
  ]);
  return [columns, ...rows].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function rowsOf(secret: string, life: Life): string[][] {
  const { tokenId = "", attemptId = "", issuedFor = "", storedIn, baseUrl = "", clientId = "", fate } = life;
  const expires = iso(life.expiresAt) ?? "";
  const token = [secret, tokenId, attemptId, issuedFor, storedIn.join(" "), baseUrl, clientId, expires, fate];
  return [
    ...life.happenings.map(({ what, at, source, by, function: name = "", stream = "", note = "", callerArn = "" }) => [
      ...token,
      ...[what, iso(at) ?? "", "", source, by, name, stream, note, callerArn],
    ]),
    ...life.gaps.map((gap) => [...token, ...gapCells(gap)]),
  ];
}

function gapCells({ kind, text, until }: Gap): string[] {
  return [`gap: ${kind}`, "", iso(until) ?? "", "", "", "", "", text, ""];
}

/** What a spreadsheet would take for the beginning of a formula, also in the wide forms that some fold into these. */
const formula = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/u;

function cell(text: string): string {
  const shown = harmless(text);
  return `"${(formula.test(shown) ? `'${shown}` : shown).replaceAll('"', '""')}"`;
}
