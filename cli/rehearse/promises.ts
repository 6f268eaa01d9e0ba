/** What is promised of a rotation, and how a rehearsal shows it. In the order in which they are told. */
export const promises = {
  labels:
    "A rotation ends with the new token at AWSCURRENT and the one before it at AWSPREVIOUS, and overwrites nothing.",
  working: "C2M accepts the token at AWSCURRENT, whenever an app reads it.",
  proof: "No token becomes current before C2M was seen to accept it.",
  grace: "A superseded token works until its grace is over.",
  rollback: "`rollback` makes the previous token current again, and the replaced one keeps its grace.",
  reconciler: "The reconciler runs to its end, leaves nothing undone, and the log says so.",
  revocation: "After its grace a superseded token is revoked, and C2M rejects it.",
  compromised: "`compromised` puts a new token in the place of a leaked one, which C2M then rejects, grace or not.",
  ledger: "The log tells each step of each token's life.",
  alarms: "Every alarm is there, has its actions enabled, and tells a topic.",
  heard: "An alarm that rings is heard: its actions run.",
} as const;

export type PromiseName = keyof typeof promises;

export type Verdict = "held" | "broken" | "not tried";

/** What became of one promise. */
export interface Tried {
  name: PromiseName;
  promise: string;
  verdict: Verdict;
  /** Each thing that was done, what AWS or C2M answered, and what follows from that. Holds no secret. */
  evidence: { did: string; answered: string; verdict: Verdict }[];
}

/** The promises, and what was seen of each. One that was broken once stays broken. */
export class Verdicts {
  readonly #evidence = new Map<PromiseName, Tried["evidence"]>();

  held(name: PromiseName, did: string, answered: string): void {
    this.#add(name, { did, answered, verdict: "held" });
  }

  broken(name: PromiseName, did: string, answered: string): void {
    this.#add(name, { did, answered, verdict: "broken" });
  }

  /** Nothing can be said of the promise, and why. */
  notTried(name: PromiseName, did: string, answered: string): void {
    this.#add(name, { did, answered, verdict: "not tried" });
  }

  /** `held` or `broken`, as the problem is undefined or tells it. */
  judge(
    name: PromiseName,
    did: string,
    { problem, answered }: { problem: string | undefined; answered: string },
  ): void {
    if (problem === undefined) this.held(name, did, answered);
    else this.broken(name, did, problem);
  }

  /** All of them, those that were not tried included. */
  all(): Tried[] {
    return (Object.entries(promises) as [PromiseName, string][]).map(([name, promise]) => {
      const evidence = this.#evidence.get(name) ?? [];
      const has = (verdict: Verdict) => evidence.some((one) => one.verdict === verdict);
      const isOpen = evidence.length === 0 || has("not tried");
      return { name, promise, verdict: has("broken") ? "broken" : isOpen ? "not tried" : "held", evidence };
    });
  }

  #add(name: PromiseName, one: Tried["evidence"][number]): void {
    this.#evidence.set(name, [...(this.#evidence.get(name) ?? []), one]);
  }
}
