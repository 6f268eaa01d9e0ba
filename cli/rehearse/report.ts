import type { Terminal, Tone } from "../terminal.ts";
import { table } from "../terminal.ts";
import { span } from "../time-text.ts";
import { type LeftBehind, leftText } from "./leftovers.ts";
import type { Tried, Verdict } from "./promises.ts";
import type { Answer } from "./questions.ts";

/** A rehearsal as it is told. Holds no secret. Times in epoch ms. */
export interface Rehearsal {
  stack: string;
  secret: string;
  startedAt: number;
  endedAt: number;
  graceMs: number;
  /** Whether Ctrl-C stopped it. */
  interrupted: boolean;
  tried: Tried[];
  answers: Answer[];
  leftBehind: LeftBehind[];
}

export const tones: Record<Verdict, Tone> = { held: "good", broken: "bad", "not tried": "warn" };

/** What `--json` prints. Fields are added and never change. */
export function asRecord(rehearsal: Rehearsal): object {
  const { stack, secret, graceMs, interrupted, tried, answers, leftBehind } = rehearsal;
  return {
    stack,
    secret,
    startedAt: iso(rehearsal.startedAt),
    endedAt: iso(rehearsal.endedAt),
    graceSeconds: graceMs / 1_000,
    interrupted,
    allHeld: allHeld(rehearsal),
    promises: tried.map(({ name, promise, verdict, evidence }) => ({ name, promise, verdict, evidence })),
    questions: answers.map(({ answered, ...one }) => ({ ...one, answered: answered ?? null })),
    leftBehind: leftBehind.map(({ what, until, how }) => ({ what, until: iso(until), how })),
  };
}

export function allHeld({ tried }: Rehearsal): boolean {
  return tried.every(({ verdict }) => verdict === "held");
}

/** `9 of 11 promises held; 1 broken, 1 not tried`. */
export function summary({ tried }: Rehearsal): string {
  const count = (verdict: Verdict) => tried.filter((one) => one.verdict === verdict).length;
  const others = (["broken", "not tried"] as const).flatMap((one) => (count(one) > 0 ? [`${count(one)} ${one}`] : []));
  return `${count("held")} of ${tried.length} promises held${others.length > 0 ? `; ${others.join(", ")}` : ""}`;
}

/** `secretsManager.labelOrder: AWS …; the local cloud …`, or that it is the same, or did not come by. */
export function answerText({ knob, answered, local, differs }: Answer): string {
  if (answered === undefined) return `${knob}: did not come by; the local cloud: ${local}`;
  return differs ? `${knob}: here ${answered}; the local cloud: ${local}` : `${knob}: as the local cloud, ${answered}`;
}

/** The rehearsal as a person reads it at a terminal. */
export function show(terminal: Terminal, rehearsal: Rehearsal): void {
  const { tried, answers, startedAt, endedAt, interrupted } = rehearsal;
  terminal.line();
  for (const { promise, verdict, evidence } of tried) {
    terminal.line(`${terminal.paint(tones[verdict], verdict.padEnd(9))}  ${terminal.paint("strong", promise)}`);
    const mark = { held: " ", broken: "!", "not tried": "?" };
    const rows = evidence.map(({ did, answered, verdict: one }) => ["          ", mark[one], did, answered]);
    for (const line of table(rows)) terminal.line(line);
  }
  terminal.line();
  terminal.line("Questions that only AWS and C2M can answer, and what the local cloud does (each is a knob of it)");
  for (const answer of answers) {
    const mark = answer.answered === undefined ? "     -" : answer.differs ? "differs" : "   same";
    terminal.line(`  ${mark.padStart(7)}  ${answerText(answer)}`);
  }
  showLeft(terminal, rehearsal.leftBehind);
  terminal.line();
  const tone = allHeld(rehearsal) ? "good" : "bad";
  const stopped = interrupted ? "stopped; " : "";
  terminal.line(terminal.paint(tone, `${stopped}${summary(rehearsal)}, in ${span(endedAt - startedAt)}.`));
}

function showLeft(terminal: Terminal, leftBehind: readonly LeftBehind[]): void {
  terminal.line();
  terminal.line("Left behind");
  for (const left of leftBehind) terminal.line(`  - ${leftText(left)}`);
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
