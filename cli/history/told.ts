import { proofOfCredentials } from "../../src/formats/ledger.ts";
import { time } from "../report/lanes.ts";
import type { Terminal, Tone } from "../terminal.ts";
import { table } from "../terminal.ts";
import { type Histories, type SecretHistory, unknowable } from "./gather.ts";
import { type Fate, type Gap, type Happening, type Life, nameOf } from "./life.ts";

/** What became of a token, in words that stand alone. */
export const fateText: Record<Fate, string> = {
  current: "current",
  pending: "pending",
  "in grace": "replaced, in its grace",
  superseded: "replaced, no end recorded",
  unsettled: "issued, no end recorded",
  revoked: "revoked, as C2M answered",
  "seen dead": "revoked and seen dead",
  expired: "expired",
  suspect: "may have been issued",
  "not ours": "not one of ours",
};

const tones: Record<Fate, Tone> = {
  current: "good",
  pending: "good",
  "in grace": "good",
  superseded: "warn",
  unsettled: "warn",
  revoked: "quiet",
  "seen dead": "quiet",
  expired: "quiet",
  suspect: "warn",
  "not ours": "warn",
};

/** The histories as a person reads them at a terminal. */
export function show(terminal: Terminal, { from, to, secrets }: Histories): void {
  for (const secret of secrets) showSecret(terminal, secret, `${time(from)} to ${time(to)} UTC`);
  terminal.line("What no history can tell");
  for (const sentence of unknowable) terminal.line(`  - ${sentence}`);
}

function showSecret(terminal: Terminal, { name, lives, gaps }: SecretHistory, period: string): void {
  terminal.line(`${terminal.paint("strong", name)}  ${period}`);
  if (lives.length === 0) terminal.line("  No token is in the log or in a version.");
  for (const life of lives) showLife(terminal, life);
  for (const gap of gaps) terminal.line(gapLine(terminal, gap));
  terminal.line();
}

function showLife(terminal: Terminal, life: Life): void {
  const labels = life.labels.length === 0 ? "" : ` (${life.labels.join(", ")})`;
  const expiry = life.expiresAt === undefined ? "no expiry is known" : expiryText(life);
  terminal.line(
    `  ${nameOf(life)}  ${purposeOf(life)}${terminal.paint(tones[life.fate], fateText[life.fate])}${labels}; ${expiry}`,
  );
  const rows = life.happenings.map((one) => [`    ${time(one.at)}`, one.what, byText(one), one.note ?? ""]);
  for (const line of table(rows)) terminal.line(line);
  for (const gap of life.gaps) terminal.line(gapLine(terminal, gap));
}

/** What a token was for that was never to be stored; else nothing. */
export function purposeOf({ issuedFor }: Life): string {
  return issuedFor === proofOfCredentials ? "proved the client's credentials; " : "";
}

function expiryText({ fate, expiresAt = 0 }: Life): string {
  return `${fate === "suspect" ? "at the latest until" : fate === "expired" ? "on" : "expires"} ${time(expiresAt)}`;
}

function gapLine(terminal: Terminal, { kind, text, until }: Gap): string {
  return `    ${terminal.paint("warn", `gap: ${kind}`)}  ${text} ${untilText(until)}`;
}

/** How long a gap can hide a token that lives. */
export function untilText(until: number | undefined): string {
  return until === undefined ? "No expiry is known." : `Until ${time(until)} UTC.`;
}

/** Who wrote it down. */
export function byText({ source, by, function: name, callerArn }: Happening): string {
  if (source === "value") return "says the stored value";
  if (by === "operator") return callerArn === undefined ? "by an operator" : `by ${callerArn}`;
  return by === "function" ? `by ${name ?? "a function"}` : "by who knows whom";
}
