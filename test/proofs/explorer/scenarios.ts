import type { C2mKnobs } from "../../../local-cloud/c2m/knobs.ts";
import type { KnobSettings } from "../../../local-cloud/secrets-manager/knobs.ts";

const hour = 3_600_000;

/** In what world a schedule plays: everything that is not known of AWS or C2M, or that a user can set. */
export interface Scenario {
  name: string;
  graceSeconds: number;
  /** After a failed attempt Secrets Manager tries the same version again this much later; `never`: the window is over. */
  retryAfterHours: number | "never";
  /** Default 3 hours: shorter than in a deployment, so that a stuck version is settled in fewer runs. */
  pendingMaxAgeHours?: number;
  /** Runs of the reconciler; default every hour. */
  reconcileEveryHours?: number;
  knobs?: KnobSettings;
  c2mKnobs?: Partial<C2mKnobs>;
  /** How much C2M's clock is ahead of the function's, in ms. */
  c2mAheadMs?: number;
  ledger?: {
    /** How long after it was written a line can be read, in ms. */
    delayMs?: number;
    /** How many of its last lines a killed function loses. */
    lostAtKill?: number;
  };
  /** What is in the secret before anything else: a text that is no token, a token of C2M's with its id, or its text alone. */
  initialValue?: "text" | "token" | "plain-token";
  /** The mechanism `short_token`: the current token itself authenticates, and no credentials are stored. */
  shortToken?: boolean;
  /** An operator rolls the rotation back after 20 minutes. */
  rollsBack?: boolean;
  /** What makes the first token; default `bootstrap`. */
  firstBy?: "bootstrap" | "rotation";
  /** Default 1. */
  secrets?: number;
  /** What the project can't promise here, and is not checked. */
  notPromised?: readonly Exemption[];
}

export type Exemption =
  /** Lines of the log that are lost take the id of a token with them. */
  | "ids"
  /** Nothing tells the reconciler when an operator moved a label. */
  | "grace-after-operator";

/** The four in which every schedule with one crash and every schedule with two is run. */
export const core: readonly Scenario[] = [
  { name: "grace", graceSeconds: 3_600, retryAfterHours: 1 },
  { name: "grace-abandoned", graceSeconds: 3_600, retryAfterHours: "never" },
  { name: "no-grace", graceSeconds: 0, retryAfterHours: 1 },
  { name: "no-grace-abandoned", graceSeconds: 0, retryAfterHours: "never" },
];

const once = { graceSeconds: 3_600, retryAfterHours: 1 };
const atOnce = { graceSeconds: 0, retryAfterHours: 1 };

/** Every strike alone, and random sets of them, are run in these as well. */
export const varied: readonly Scenario[] = [
  { ...once, name: "pending-stays", knobs: { pendingAfterSuccess: "never" } },
  { ...atOnce, name: "pending-leaves-late", knobs: { pendingAfterSuccess: { afterMs: 2 * hour } } },
  {
    ...once,
    name: "labels-change-nothing",
    knobs: { lastChangedMovedBy: ["value", "rotation"] },
    notPromised: ["grace-after-operator"],
  },
  { ...once, name: "seen-late", knobs: { visibilityDelayMs: 3_000 } },
  { ...atOnce, name: "seen-late-no-grace", knobs: { visibilityDelayMs: 3_000 } },
  { ...once, name: "c2m-ahead", c2mAheadMs: 300_000 },
  { ...atOnce, name: "c2m-behind", c2mAheadMs: -300_000 },
  { ...atOnce, name: "steps-twice", knobs: { delivery: () => "twice" } },
  { ...once, name: "steps-concurrently", knobs: { delivery: () => "concurrently" } },
  { ...atOnce, name: "steps-concurrently-no-grace", knobs: { delivery: () => "concurrently" } },
  { ...atOnce, name: "steps-late", knobs: { delivery: () => "late" } },
  { ...once, name: "log-late", ledger: { delayMs: 10 * 60_000 } },
  { ...atOnce, name: "log-lossy", ledger: { lostAtKill: 3 }, notPromised: ["ids"] },
  { ...once, name: "tokens-work-late", c2mKnobs: { activationDelayMs: 20_000, revocationDelayMs: 300_000 } },
  { ...atOnce, name: "no-ids", c2mKnobs: { tokenIdInBody: false, tokenIdInHeader: false } },
  { ...once, name: "no-ids-grace", c2mKnobs: { tokenIdInBody: false, tokenIdInHeader: false } },
  { ...once, name: "clamped", c2mKnobs: { maximumTtlSeconds: 30 * 86_400 } },
  { ...once, name: "adopted", initialValue: "text" },
  { ...once, name: "adopted-token", initialValue: "plain-token" },
  { ...once, name: "short-token", initialValue: "token", shortToken: true },
  { ...atOnce, name: "revoke-answers-404", c2mKnobs: { revokeDeadStatus: 404, selfRevocation: false } },
  { ...atOnce, name: "stale-retry", retryAfterHours: 2, pendingMaxAgeHours: 1, reconcileEveryHours: 3 },
  { ...once, name: "first-by-rotation", firstBy: "rotation" },
  { ...once, name: "rolled-back", rollsBack: true },
  { ...atOnce, name: "rolled-back-no-grace", rollsBack: true },
  {
    ...once,
    name: "rolled-back-labels-change-nothing",
    rollsBack: true,
    knobs: { lastChangedMovedBy: ["value", "rotation"] },
    notPromised: ["grace-after-operator"],
  },
  { ...once, name: "two-secrets", secrets: 2 },
];

/** For runs over virtual years; its actions are in the schedule. */
export const years: Scenario = { ...once, name: "years", secrets: 3, pendingMaxAgeHours: 26 };

/** @throws Error for a name that is none */
export function scenarioNamed(name: string): Scenario {
  const all = [...core, ...varied, years];
  const found = all.find((scenario) => scenario.name === name);
  if (!found)
    throw new Error(
      `There is no scenario ${JSON.stringify(name)}; there are ${all.map((one) => one.name).join(", ")}.`,
    );
  return found;
}
