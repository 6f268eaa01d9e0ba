import { type Move, moves } from "./moves.ts";

/** What happens at one effect. */
export interface Strike {
  /** The effect's number in the run, from 1. */
  at: number;
  kind: Move;
}

/** What an operator or Secrets Manager's schedule does, after `afterHours` of virtual time, to one of the secrets. */
export interface Action {
  afterHours: number;
  /** Index of the secret. */
  secret: number;
  kind: ActionKind;
}

export const actionKinds = [
  "rotate",
  "rollback",
  "operator-put",
  "operator-put-text",
  "operator-back",
  "operator-unpend",
  "operator-cancel",
] as const;
export type ActionKind = (typeof actionKinds)[number];

/** One run of the explorer: everything in it follows from this. */
export interface Schedule {
  /** Name of a scenario. */
  scenario: string;
  /** What is done between the first token and the end; default: one rotation. */
  actions?: readonly Action[];
  strikes: readonly Strike[];
}

/** The text that `--replay` takes: `scenario[@hours.action.secret,…]:effect.strike+…`. */
export function scheduleId({ scenario, actions, strikes: list }: Schedule): string {
  const done = actions?.map(({ afterHours, kind, secret }) => `${afterHours}.${kind}.${secret}`).join(",");
  return `${scenario}${done === undefined ? "" : `@${done}`}:${list.map(({ at, kind }) => `${at}.${kind}`).join("+")}`;
}

/** @throws Error that says what is wrong with the id */
export function parseScheduleId(id: string): Schedule {
  const match = /^([\w-]+)(?:@([^:]*))?:(.*)$/.exec(id);
  if (!match)
    throw new Error(`${JSON.stringify(id)} is not the id of a schedule, as in "grace:12.crash+40.crash-done".`);
  const [, scenario = "", actions, list = ""] = match;
  return {
    scenario,
    ...(actions === undefined ? {} : { actions: split(actions, ",").map(parseAction) }),
    strikes: split(list, "+").map(parseStrike),
  };
}

function split(text: string, separator: string): string[] {
  return text === "" ? [] : text.split(separator);
}

function parseStrike(text: string): Strike {
  const [, at, kind = ""] = /^(\d+)\.([\w-]+)$/.exec(text) ?? [];
  if (!Object.hasOwn(moves, kind)) {
    throw new Error(`${JSON.stringify(text)} is not a strike; there are ${Object.keys(moves).join(", ")}.`);
  }
  return { at: Number(at), kind: kind as Move };
}

function parseAction(text: string): Action {
  const [, afterHours, kind, secret] = /^(\d+)\.([\w-]+)\.(\d+)$/.exec(text) ?? [];
  const known = actionKinds.find((one) => one === kind);
  if (!known) throw new Error(`${JSON.stringify(text)} is not an action; there are ${actionKinds.join(", ")}.`);
  return { afterHours: Number(afterHours), kind: known, secret: Number(secret) };
}
