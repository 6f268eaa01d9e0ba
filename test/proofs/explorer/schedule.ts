/** The function stops for good at this point, and what it asked for … */
export const crashes = {
  /** … never left. The same as after the answer to what it asked for before. */
  crash: "killed before it leaves",
  /** … is done, and nobody hears the answer. */
  "crash-done": "done, killed before the answer",
  /** … is on its way, and is done a minute and a half later. */
  "crash-late": "killed, done 90 s later",
} as const;

/** One request goes wrong; the function goes on. */
export const faults = {
  refused: "throttled, not done",
  error: "server error, not done",
  denied: "access denied, not done",
  cut: "connection cut, not done",
  lost: "done, connection cut before the answer",
  stall: "done, no answer until the function's time is up",
} as const;

/** From here on, for a while, every request goes wrong. */
export const spells = {
  "throttled-spell": "Secrets Manager throttles for 20 minutes",
  "denied-spell": "the roles' permissions are gone for 3 hours",
  "c2m-down": "C2M is down for 5 hours",
} as const;

/** Something else happens between two requests of the function. */
export const intrusions = {
  again: "the same step once more, from start to end",
  "older-steps": "all steps of an earlier version, late",
  "rotation-begins": "a rotation starts, and has just stored its token",
  reconcile: "the reconciler, on the recent",
  "reconcile-all": "the reconciler, on everything",
  rollback: "an operator rolls back, with the project's own command",
  "operator-put": "an operator stores a token by hand",
  "operator-put-text": "an operator stores a plain text by hand",
  "operator-back": "an operator moves AWSCURRENT back",
  "operator-unpend": "an operator takes AWSPENDING off",
  "operator-cancel": "an operator cancels rotation",
  "operator-rotate": "an operator asks for a rotation",
} as const;

/** Everything that a schedule can have happen, and its name in words. */
export const strikes = { ...crashes, ...faults, ...spells, ...intrusions } as const;

export type Crash = keyof typeof crashes;
export type OneFault = keyof typeof faults;
export type Spell = keyof typeof spells;
export type Intrusion = keyof typeof intrusions;
export type StrikeKind = keyof typeof strikes;

/** What happens at one effect. */
export interface Strike {
  /** The effect's number in the run, from 1. */
  at: number;
  kind: StrikeKind;
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
  if (!Object.hasOwn(strikes, kind)) {
    throw new Error(`${JSON.stringify(text)} is not a strike; there are ${Object.keys(strikes).join(", ")}.`);
  }
  return { at: Number(at), kind: kind as StrikeKind };
}

function parseAction(text: string): Action {
  const [, afterHours, kind, secret] = /^(\d+)\.([\w-]+)\.(\d+)$/.exec(text) ?? [];
  const known = actionKinds.find((one) => one === kind);
  if (!known) throw new Error(`${JSON.stringify(text)} is not an action; there are ${actionKinds.join(", ")}.`);
  return { afterHours: Number(afterHours), kind: known, secret: Number(secret) };
}
