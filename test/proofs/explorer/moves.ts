/** A process stops for good at this point, and what it asked for … */
export const crashes = {
  /** … never left. The same as after the answer to what it asked for before. */
  crash: "killed before it leaves",
  /** … is done, and nobody hears the answer. */
  "crash-done": "done, killed before the answer",
  /** … is on its way, and is done a minute and a half later. */
  "crash-late": "killed, done 90 s later",
} as const;

/** A process goes on later than it was to. */
export const waits = {
  freeze: "frozen for 100 s before it leaves",
  "freeze-after": "done, frozen for 100 s before the answer",
  hold: "held until the process that it came between has ended",
} as const;

/** One request goes wrong; the process goes on. */
export const faults = {
  refused: "throttled, not done",
  error: "server error, not done",
  denied: "access denied, not done",
  cut: "connection cut, not done",
  hang: "not done, no answer until the process's time is up",
  lost: "done, connection cut before the answer",
  stall: "done, no answer until the process's time is up",
} as const;

/** What stands before C2M answers one request, which C2M never gets. */
export const gateway = {
  "gateway-404": "404 without a code, not C2M's, not done",
  "gateway-401": "401 without a code, not C2M's, not done",
  "gateway-403": "403 in HTML, not C2M's, not done",
  "gateway-502": "502 in HTML, not done",
  "gateway-200": "200 in HTML, not C2M's, not done",
  "gateway-json": "200 with some JSON, not C2M's, not done",
} as const;

/** C2M issues a token and answers otherwise than it did before. */
export const oddIssues = {
  "same-token": "C2M gives the token that it gave before",
  "no-id": "C2M gives no id",
  "other-id": "the id in the body is another than X-Token-Id",
  "fewer-scopes": "C2M grants a token that may not revoke",
  "long-token": "C2M gives a token that is too long to be stored",
} as const;

/** What becomes of one line of the log; the process goes on. */
export const lineFaults = {
  "line-lost": "CloudWatch loses it",
  "line-late": "it can be read an hour later",
  "line-twice": "it stands in the log twice",
} as const;

/** From here on, for a while, the world is another. */
export const spells = {
  "throttled-spell": "Secrets Manager throttles for 20 minutes",
  "denied-spell": "the roles' permissions are gone for 3 hours",
  "limit-spell": "for 5 hours Secrets Manager takes no version and no label more",
  "c2m-down": "C2M is down for 5 hours",
  "gateway-spell": "for 5 hours C2M's gateway answers 403 in HTML",
  "gateway-404-spell": "for 30 hours revocations are answered 404 without a code, not C2M's",
  "gateway-json-spell": "for 5 hours C2M's gateway answers 200 with some JSON",
  "c2m-late": "for 5 hours tokens work 20 s late, and revocations bite 300 s late",
  "c2m-clamps": "for 5 hours C2M grants no token for longer than 30 days",
  "reads-late": "for 5 hours Secrets Manager shows what was 3 s ago",
  "log-late": "for 5 hours lines can be read 10 minutes late",
  "log-mixed": "for 5 hours lines are read in another order, with lines that are no ledger's",
  "replica-behind": "for 5 hours a replica is behind",
  "replica-failed": "for 30 hours a replica has failed",
  "clock-ahead": "for 5 hours the functions' clocks are 10 minutes ahead",
  "clock-behind": "for 5 hours the functions' clocks are 10 minutes behind",
} as const;

/** Another process begins, and runs to its end unless it is held. */
export const processes = {
  again: "the same step once more",
  "older-steps": "all steps of an earlier version, late",
  "finish-first": "finishSecret, before its time",
  "rotation-begins": "a rotation starts, and has just stored its token",
  reconcile: "the reconciler, on the recent",
  "reconcile-all": "the reconciler, on everything",
  rollback: "c2m-tokens rollback",
  compromised: "c2m-tokens compromised",
  decommission: "c2m-tokens decommission",
  unstick: "c2m-tokens unstick",
  rotate: "c2m-tokens rotate --wait",
  "reconcile-now": "c2m-tokens reconcile",
} as const;

/** Somebody with all permissions does something by hand, or something happens at AWS or C2M, at once. */
export const events = {
  "operator-put": "somebody stores a token by hand",
  "operator-put-text": "somebody stores a plain text by hand",
  "operator-back": "somebody moves AWSCURRENT back by hand",
  "operator-unpend": "somebody takes AWSPENDING off by hand",
  "operator-cancel": "somebody cancels rotation",
  "operator-rotate": "somebody asks Secrets Manager for a rotation",
  "operator-line":
    "somebody with an operator's role writes that all tokens are dead, all issues refused, all versions promoted long ago",
  "operator-tag": "somebody tags the secret, which moves LastChangedDate",
  "c2m-revokes-current": "somebody revokes the current token at C2M",
  "c2m-revokes-all": "somebody revokes every token at C2M",
  "versions-gone": "Secrets Manager purges the versions without a label that are older than a day",
} as const;

/** `pulumi up` changes the settings, and does what it does then. */
export const ups = {
  "up-base-url": "pulumi up with another base URL, whose old one is listed as a former one",
  "up-base-url-only": "pulumi up with another base URL, and no former one listed",
  "up-client": "pulumi up with another client",
  "up-credentials": "pulumi up with a new client secret; the old one is void",
  "up-wrong-credentials": "pulumi up with a client secret that is wrong; the next one has it right",
  "up-lifetime": "pulumi up with a lifetime of 30 days",
  "up-scopes": "pulumi up with one scope more",
  "up-grace": "pulumi up with a grace of 0, or of an hour where it was 0",
  "up-paused": "pulumi up with paused, and an hour later without",
  "up-adds": "pulumi up with one secret more",
  "up-removes": "pulumi up without the secret, which stays where it is, and an hour later with it",
  "up-renames": "pulumi up with the secret under another name; the old one is decommissioned",
  "up-made-again": "somebody deletes the secret for good, and pulumi up makes it again under its name",
  "up-retires": "pulumi up with retire: the secret is not rotated any more",
} as const;

export const intrusions = { ...processes, ...events, ...ups } as const;

/** Everything that a schedule can have happen, and its name in words. */
export const moves = {
  ...crashes,
  ...waits,
  ...faults,
  ...gateway,
  ...oddIssues,
  ...lineFaults,
  ...spells,
  ...intrusions,
} as const;

export type Crash = keyof typeof crashes;
export type Wait = keyof typeof waits;
export type OneFault = keyof typeof faults;
export type Gateway = keyof typeof gateway;
export type OddIssue = keyof typeof oddIssues;
export type LineFault = keyof typeof lineFaults;
export type Spell = keyof typeof spells;
export type Process = keyof typeof processes;
export type HandEvent = keyof typeof events;
export type Up = keyof typeof ups;
export type Intrusion = keyof typeof intrusions;
export type Move = keyof typeof moves;

export function isOneOf<Kinds extends object>(kinds: Kinds, move: string): move is Extract<keyof Kinds, string> {
  return Object.hasOwn(kinds, move);
}
