/** One limit, and the number of secrets at which a fleet reaches it. */
export interface FleetLimit {
  limit: string;
  secrets: number;
}

/** C2M calls that a secret causes in an hour: one proof of life a day, and its revocations. */
function reconcilerCallsPerHour(rotationsPerYear: number): number {
  return 1 / 24 + rotationsPerYear / (365 * 24);
}

/** The sizes at which a fleet of equal secrets, all deployed at once, would reach each limit on an average hour. */
export function limitsOf({
  limitPerMinute,
  rotationsPerYear,
  budget,
}: {
  limitPerMinute: number;
  rotationsPerYear: number;
  budget: number;
}): FleetLimit[] {
  const perHour = reconcilerCallsPerHour(rotationsPerYear);
  /** Of the reconciler's 300 s, what it may spend; it looks at ten secrets at a time, one call of 15 ms each where nothing has happened. */
  const spendableSeconds = 289;
  const limits = [
    { limit: `the reconciler's ${budget} C2M calls per run`, secrets: budget / perHour },
    {
      limit: "the reconciler's time, for its calls of Secrets Manager",
      secrets: (spendableSeconds * 10) / 0.015,
    },
  ];
  if (Number.isFinite(limitPerMinute)) {
    limits.push(
      {
        // A run makes its calls at once, and a proof of life waits for half a minute at most.
        limit: `${limitPerMinute} C2M calls at the start of an hourly run; proofs of life above are put off`,
        secrets: limitPerMinute / perHour,
      },
      {
        limit: `${limitPerMinute} C2M calls a minute, on the day on which all rotate (2 calls each)`,
        secrets: (limitPerMinute * 24 * 60) / (2 + 24 * perHour),
      },
    );
  }
  return limits
    .map(({ limit, secrets }) => ({ limit, secrets: Math.floor(secrets) }))
    .sort((one, other) => one.secrets - other.secrets);
}
