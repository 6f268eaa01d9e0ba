import * as v from "valibot";
import { formatDuration, parseDuration } from "../../src/formats/duration.ts";
import { secretNameOf, ttlRange } from "../../src/formats/settings.ts";
import type { Problem } from "./problem.ts";
import { InvalidSchedule, parseSchedule, reachOf, type ScheduleReach } from "./schedule.ts";
import { type TokenArgs, tokenDefaults } from "./token-args.ts";

const hourSeconds = 3_600;

/** What has to be left of a token's life after its successor's grace, in seconds: for clocks that differ and calls that are slow. */
export const marginSeconds = hourSeconds;

/** How long after its window a rotation may still be at work, in seconds: for its last attempt. */
const afterWindowSeconds = 2 * hourSeconds;

/** The longest time that Secrets Manager takes for a window's Duration, in hours. */
const longestWindowHours = 24;

const meanings: Record<keyof TokenArgs, string> = {
  name: "the secret that apps read",
  secretArn: "the secret that is adopted",
  scopes: "what the token may do",
  lifetime: "the lifetime to ask C2M for",
  grace: "how long a superseded token stays alive",
  schedule: "when to rotate",
  window: "how long after the scheduled time a rotation may begin",
  revocation: "whether superseded tokens are revoked",
};

const text = v.string("must be a text");
const scheduleRule = 'must be as in "rate(30 days)" or "cron(0 8 1 * ? *)"';
const durationRule = 'must be a duration, as in "1 hour" or "30 days"';
const seconds = (rule = durationRule) =>
  v.pipe(
    v.string(rule),
    v.check((value) => parseDuration(value) !== undefined, rule),
  );

const tokenSchema = v.strictObject({
  name: v.pipe(
    text,
    v.regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/, "must be 1 to 512 of the characters A-Z a-z 0-9 / _ + = . @ -"),
  ),
  // An ARN that another resource gives is known later, and checked then.
  secretArn: v.optional(v.union([v.string(), v.object({ apply: v.function() }), v.promise()], "must be an ARN")),
  scopes: v.optional(
    v.pipe(
      v.array(
        v.pipe(v.string("must hold texts"), v.minLength(1, "must not hold an empty text")),
        "must be a list of texts",
      ),
      v.minLength(1, "must not be empty"),
    ),
  ),
  lifetime: v.optional(seconds()),
  grace: v.optional(seconds()),
  schedule: v.optional(text),
  window: v.optional(seconds()),
  revocation: v.optional(v.boolean("must be true or false")),
});

/** A token's arguments with the defaults filled in, in seconds. */
export interface TokenPlan {
  name: string;
  scopes: string[];
  lifetimeSeconds: number;
  graceSeconds: number;
  revocation: boolean;
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
export function planToken(value: unknown, path: string, report: (problem: Problem) => void): TokenPlan | undefined {
  let sound = true;
  const say = (key: string, rule: string) => {
    sound = false;
    const meaning = Object.hasOwn(meanings, key) ? meanings[key as keyof TokenArgs] : "not an argument of a token";
    report({ path: key === "" ? path : `${path}.${key}`, meaning: key === "" ? "a token" : meaning, rule });
  };
  const parsed = v.safeParse(tokenSchema, value);
  if (!parsed.success) {
    for (const issue of parsed.issues) say(String(issue.path?.[0].key ?? ""), ruleOf(issue));
  }
  // What is sound of it is checked further, so that everything is told at once.
  const given = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const lifetime = durationOf(given.lifetime ?? tokenDefaults.lifetime);
  const grace = durationOf(given.grace ?? tokenDefaults.grace);
  const revocation = given.revocation !== false;
  const scopes = Array.isArray(given.scopes) ? given.scopes.map(String) : [...tokenDefaults.scopes];
  if (lifetime !== undefined && (lifetime < ttlRange.min || lifetime > ttlRange.max)) {
    say(
      "lifetime",
      `must be from ${formatDuration(ttlRange.min)} to ${formatDuration(ttlRange.max)}, which is what C2M grants`,
    );
  }
  if (revocation && scopes.length > 0 && !scopes.includes("tokens:revoke")) {
    say(
      "scopes",
      "must hold tokens:revoke, without which no superseded token can be revoked; or set revocation: false",
    );
  }
  checkArn(given, say);
  const schedule = String(given.schedule ?? tokenDefaults.schedule);
  const timing = timingOf(schedule, given.window, say);
  if (timing && lifetime !== undefined && grace !== undefined) checkTiming({ lifetime, grace, ...timing.reach }, say);
  if (!sound || !timing || lifetime === undefined || grace === undefined) return undefined;
  const windowSeconds = timing.reach.longestWindowMs / 1_000;
  return {
    name: String(given.name),
    scopes,
    lifetimeSeconds: lifetime,
    graceSeconds: grace,
    revocation,
    schedule,
    window: timing.window,
    reach: timing.reach,
    pendingMaxAgeSeconds: windowSeconds + afterWindowSeconds,
    spareSeconds: lifetime - timing.reach.longestGapMs / 1_000 - windowSeconds,
  };
}

type Say = (key: string, rule: string) => void;

function timingOf(
  schedule: string,
  window: unknown,
  say: Say,
): { reach: ScheduleReach; window: string | undefined } | undefined {
  const windowSeconds = window === undefined ? undefined : durationOf(window);
  const hours = windowSeconds === undefined ? undefined : windowSeconds / hourSeconds;
  if (hours !== undefined && !(Number.isInteger(hours) && hours >= 1 && hours <= longestWindowHours)) {
    say("window", `must be whole hours from 1 hour to ${longestWindowHours} hours`);
    return undefined;
  }
  // The parser's messages quote the expression; what is none could be anything.
  if (!/^(rate|cron)\([\w ,*/?#-]*\)$/.test(schedule)) {
    say("schedule", scheduleRule);
    return undefined;
  }
  const duration = hours === undefined ? undefined : `${hours}h`;
  try {
    return { reach: reachOf(parseSchedule({ ScheduleExpression: schedule, Duration: duration })), window: duration };
  } catch (error) {
    if (!(error instanceof InvalidSchedule)) throw error;
    say(error.message.startsWith("Duration") ? "window" : "schedule", error.message);
    return undefined;
  }
}

/** A consumer that holds a superseded token must be able to use it until its grace ends, whenever in their windows two rotations fall. */
function checkTiming(times: { lifetime: number; grace: number } & ScheduleReach, say: Say): void {
  const [shortest, longest, window] = [times.shortestGapMs, times.longestGapMs, times.longestWindowMs].map(
    (ms) => ms / 1_000,
  );
  if (shortest === undefined || longest === undefined || window === undefined) return;
  if (times.grace >= shortest) {
    say("grace", `must be shorter than the shortest gap between two rotations, ${formatDuration(shortest)}`);
  }
  const needed = longest + window + times.grace + marginSeconds;
  if (needed >= times.lifetime) {
    say(
      "lifetime",
      `must be longer than ${formatDuration(needed)}: the schedule's longest gap (${formatDuration(longest)}), its window (${formatDuration(window)}), the grace (${formatDuration(times.grace)}) and a margin (${formatDuration(marginSeconds)}); or rotate more often`,
    );
  }
}

function checkArn({ name, secretArn }: Record<string, unknown>, say: Say): void {
  if (typeof secretArn === "string" && !isArnOf(secretArn, String(name))) say("secretArn", arnRule);
}

/** What an adopted secret's ARN must be. */
export const arnRule = "must be the full ARN of the secret of that name, which ends in a hyphen and six characters";

/** Whether this is the full ARN of the secret with this name. */
export function isArnOf(secretArn: string, name: string): boolean {
  return secretNameOf(secretArn) === name;
}

function durationOf(value: unknown): number | undefined {
  return typeof value === "string" ? parseDuration(value) : undefined;
}

// strictObject reports a missing key by its name, and one too many as "never".
function ruleOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== "strict_object") return issue.message;
  if (issue.path === undefined) return "must be an object with a name";
  return issue.expected === "never" ? `there are ${Object.keys(meanings).join(", ")}` : "must be set";
}
