/**
 * What a step of the rotator may take, in ms: each part begins so early that those below it still fit. The longest step is
 * the bootstrap that finds a dead token, which goes through them all. Infra makes the function's time-out from their sum.
 */
export const stepTime = {
  /** Exchanging the token, again and again while C2M answers that it does not know it yet. */
  proof: 49_000,
  /** An issue call of 15 s, and one repetition. */
  issue: 35_000,
  /** Waiting for a version that may become visible late, and what follows it: AWSCURRENT, a label. */
  readBack: 15_000,
  /** Storing a token that was just issued, or reading AWSCURRENT and revoking it. */
  storeOrRevoke: 20_000,
  /** Writing the log and answering. */
  answer: 1_000,
} as const;

/** The time that Lambda gives the rotator, in seconds. */
export const rotatorTimeoutSeconds = Object.values(stepTime).reduce((sum, ms) => sum + ms, 0) / 1_000;

/** The same of the reconciler: a run over hundreds of secrets takes minutes. */
export const reconcilerTimeoutSeconds = 300;
