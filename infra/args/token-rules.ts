import type * as pulumi from "@pulumi/pulumi";
import { formatDuration, parseDuration } from "../../src/formats/duration.ts";
import { nearestName } from "../../src/formats/nearest-name.ts";
import { lifetimeRange, secretNameOf } from "../../src/formats/settings.ts";
import { matches, opaque, type Report, type Rule } from "./checks.ts";
import { type Key, tokenKeys } from "./keys.ts";
import { InvalidSchedule, parseSchedule, reachOf, type ScheduleReach } from "./schedule.ts";
import { spreadSchedule, widestSpread } from "./spread.ts";
import type { TokenArgs } from "./token-args.ts";

const hourSeconds = 3_600;

/** What has to be left of a token's life after its successor's grace, in seconds: for clocks that differ and calls that are slow. */
export const marginSeconds = hourSeconds;

/** How long after its window a rotation may still be at work, in seconds: for its last attempt. */
const afterWindowSeconds = 2 * hourSeconds;

/** The longest time that Secrets Manager takes for a window's Duration, in hours. */
const longestWindowHours = 24;

const durationRule = 'must be a duration, as in "1 hour" or "30 days"';

/** What Secrets Manager takes for a secret's name. */
export const secretNameRule: Rule<string> = matches(
  /^[A-Za-z0-9/_+=.@-]{1,512}$/,
  "must be 1 to 512 of the characters A-Z a-z 0-9 / _ + = . @ -",
);

/** What an adopted secret's ARN must be. */
export const arnRule = "must be the full ARN of the secret of that name, which ends in a hyphen and six characters";

/** A token's arguments with the defaults filled in, in seconds. */
export interface TokenPlan {
  name: string;
  /** The secret that is adopted; undefined where one is created. */
  secretArn: pulumi.Output<string> | undefined;
  scopes: string[];
  lifetimeSeconds: number;
  graceSeconds: number;
  revocation: boolean;
  retire: boolean;
  deadVersions: string[];
  /** Whether the user named the scopes. */
  ownScopes: boolean;
  schedule: string;
  /** For RotationRules, as in `3h`. */
  window: string | undefined;
  reach: ScheduleReach;
  /** A pending version older than this belongs to no rotation that could still finish. */
  pendingMaxAgeSeconds: number;
  /** What is left of a token's life when its successor comes as late as the schedule allows. */
  spareSeconds: number;
}

/** Checks one token's arguments and fills in the defaults; undefined when there are problems, which `report` gets. */
export function planToken(value: unknown, path: string, report: Report, spread = false): TokenPlan | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    report({ path, meaning: "a token", rule: "must be an object with a name" });
    return undefined;
  }
  const token = value as Partial<Record<keyof TokenArgs, unknown>>;
  let sound = true;
  const say = (key: string, rule: string) => {
    sound = false;
    const { meaning } = (tokenKeys as Record<string, Key>)[key] ?? { meaning: "not an argument of a token" };
    report({ path: `${path}.${key}`, meaning, rule });
  };
  sayUnknownKeys(token, say);
  const name = token.name === undefined ? "must be set" : secretNameRule(token.name as string);
  if (name !== undefined) say("name", name);
  // What is sound of it is checked further, so that everything is told at once.
  const lifetime = durationOf("lifetime", token.lifetime ?? tokenKeys.lifetime.default, say);
  const grace = durationOf("grace", token.grace ?? tokenKeys.grace.default, say);
  const revocation = flagOf("revocation", token.revocation, say);
  const retire = flagOf("retire", token.retire, say);
  const deadVersions = token.deadVersions ?? tokenKeys.deadVersions.default;
  if (!isListOfTexts(deadVersions)) say("deadVersions", "must be a list of version ids");
  if (lifetime !== undefined && (lifetime < lifetimeRange.min || lifetime > lifetimeRange.max)) {
    const [least, most] = [formatDuration(lifetimeRange.min), formatDuration(lifetimeRange.max)];
    say("lifetime", `must be from ${least} to ${most}, which is what C2M grants`);
  }
  const scopes = scopesOf(token.scopes ?? tokenKeys.scopes.default, revocation, say);
  const secretArn = secretArnOf(token, path, (problem) => say("secretArn", problem.rule));
  const timing = timingOf(token, spread, say);
  if (timing && lifetime !== undefined && grace !== undefined) checkTiming({ lifetime, grace, ...timing.reach }, say);
  if (!sound || !timing || lifetime === undefined || grace === undefined) return undefined;
  const windowSeconds = timing.reach.longestWindowMs / 1_000;
  return {
    name: token.name as string,
    secretArn,
    scopes,
    lifetimeSeconds: lifetime,
    graceSeconds: grace,
    revocation,
    retire,
    deadVersions: deadVersions as string[],
    ownScopes: token.scopes !== undefined,
    ...timing,
    pendingMaxAgeSeconds: windowSeconds + afterWindowSeconds,
    spareSeconds: lifetime - timing.reach.longestGapMs / 1_000 - windowSeconds,
  };
}

type Say = (key: string, rule: string) => void;

function sayUnknownKeys(token: object, say: Say): void {
  const keys = Object.keys(tokenKeys);
  for (const key of Object.keys(token)) {
    if (keys.includes(key)) continue;
    const near = nearestName(key, keys);
    say(key, `there are ${keys.join(", ")}${near === undefined ? "" : `; did you mean ${near}?`}`);
  }
}

function scopesOf(value: unknown, revocation: boolean, say: Say): string[] {
  if (!isListOfTexts(value)) {
    say("scopes", "must be a list of texts, none of them empty");
    return [];
  }
  if (value.length === 0) say("scopes", "must not be empty");
  else if (revocation && !value.includes("tokens:revoke")) {
    say(
      "scopes",
      "must hold tokens:revoke, without which no superseded token can be revoked; or set revocation: false",
    );
  }
  return value;
}

function secretArnOf(
  { name, secretArn }: Partial<Record<keyof TokenArgs, unknown>>,
  path: string,
  report: Report,
): pulumi.Output<string> | undefined {
  if (secretArn === undefined) return undefined;
  const rule: Rule<string> = (arn) => (typeof arn === "string" && secretNameOf(arn) === name ? undefined : arnRule);
  const at = { path: `${path}.secretArn`, meaning: tokenKeys.secretArn.meaning };
  return opaque(secretArn as pulumi.Input<string>, rule, at, report);
}

/** Of a thousand tokens most have the same schedule, and walking through its windows takes tens of milliseconds. */
const knownReaches = new Map<string, ScheduleReach>();

function reachOnce(schedule: string, duration: string | undefined): ScheduleReach {
  const key = `${schedule} ${duration}`;
  const reach = knownReaches.get(key) ?? reachOf(parseSchedule({ ScheduleExpression: schedule, Duration: duration }));
  knownReaches.set(key, reach);
  return reach;
}

function timingOf(
  { name, schedule: own, window }: Partial<Record<keyof TokenArgs, unknown>>,
  spread: boolean,
  say: Say,
): { schedule: string; reach: ScheduleReach; window: string | undefined } | undefined {
  const windowSeconds = window === undefined ? undefined : durationOf("window", window, say);
  if (window !== undefined && windowSeconds === undefined) return undefined;
  const hours = windowSeconds === undefined ? undefined : windowSeconds / hourSeconds;
  if (hours !== undefined && !(Number.isInteger(hours) && hours >= 1 && hours <= longestWindowHours)) {
    say("window", `must be whole hours from 1 hour to ${longestWindowHours} hours`);
    return undefined;
  }
  const isSpread = spread && own === undefined;
  const schedule = isSpread ? spreadSchedule(String(name), hours) : (own ?? tokenKeys.schedule.default);
  // The parser's messages quote the expression, and a text that is no expression could be anything.
  if (typeof schedule !== "string" || !/^(rate|cron)\([\w ,*/?#-]*\)$/.test(schedule)) {
    say("schedule", 'must be as in "rate(30 days)" or "cron(0 8 1 * ? *)"');
    return undefined;
  }
  const duration = hours === undefined ? undefined : `${hours}h`;
  try {
    return { schedule, reach: reachOnce(isSpread ? widestSpread : schedule, duration), window: duration };
  } catch (error) {
    if (!(error instanceof InvalidSchedule)) throw error;
    say(error.message.startsWith("Duration") ? "window" : "schedule", error.message);
    return undefined;
  }
}

/** A consumer that holds a superseded token must be able to use it until its grace ends, whenever in their windows two rotations fall. */
function checkTiming(times: { lifetime: number; grace: number } & ScheduleReach, say: Say): void {
  const { lifetime, grace } = times;
  const shortest = times.shortestGapMs / 1_000;
  const longest = times.longestGapMs / 1_000;
  const window = times.longestWindowMs / 1_000;
  if (grace >= shortest) {
    say("grace", `must be shorter than the shortest gap between two rotations, ${formatDuration(shortest)}`);
  }
  const needed = longest + window + grace + marginSeconds;
  if (needed >= lifetime) {
    say(
      "lifetime",
      `must be longer than ${formatDuration(needed)}: the schedule's longest gap (${formatDuration(longest)}), its window (${formatDuration(window)}), the grace (${formatDuration(grace)}) and a margin (${formatDuration(marginSeconds)}); or rotate more often`,
    );
  }
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string" && text !== "");
}

function flagOf(key: "revocation" | "retire", given: unknown, say: Say): boolean {
  const value = given ?? tokenKeys[key].default;
  if (typeof value !== "boolean") say(key, "must be true or false");
  return value === true;
}

function durationOf(key: string, value: unknown, say: Say): number | undefined {
  const seconds = typeof value === "string" ? parseDuration(value) : undefined;
  if (seconds === undefined) say(key, durationRule);
  return seconds;
}
