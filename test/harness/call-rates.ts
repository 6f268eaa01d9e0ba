import { type Call, CallLog } from "../../local-cloud/calls.ts";

/** Counts calls by operation and by the time in which they came, and keeps none of them: a year of a fleet has millions. */
export class CallRates extends CallLog {
  readonly #totals = new Map<string, number>();
  readonly #buckets = new Map<string, Map<number, number>>();
  #limited = 0;

  override record({ at, service, operation, status }: Call): void {
    if (service === "c2m") {
      this.#count("c2m per minute", Math.floor(at / 60_000));
      if (status === 429) {
        this.#limited += 1;
        return;
      }
    } else {
      const reads = operation === "DescribeSecret" || operation === "GetSecretValue";
      this.#count(reads ? "reads per second" : "others per second", Math.floor(at / 1_000));
    }
    this.#totals.set(`${service} ${operation}`, this.total(service, operation) + 1);
  }

  /** Answers 429 of C2M. */
  get limited(): number {
    return this.#limited;
  }

  total(service: string, operation?: string): number {
    if (operation !== undefined) return this.#totals.get(`${service} ${operation}`) ?? 0;
    const own = [...this.#totals].filter(([key]) => key.startsWith(`${service} `));
    return own.reduce((sum, [, count]) => sum + count, 0);
  }

  /** The most in any minute or second, and what 99 % of those with any call don't exceed. */
  peak(kind: "c2m per minute" | "reads per second" | "others per second"): { most: number; p99: number } {
    const counts = [...(this.#buckets.get(kind)?.values() ?? [])].sort((one, other) => one - other);
    return { most: counts.at(-1) ?? 0, p99: counts[Math.ceil(counts.length * 0.99) - 1] ?? 0 };
  }

  /** Forgets all. */
  reset(): void {
    this.#totals.clear();
    this.#buckets.clear();
    this.#limited = 0;
  }

  #count(kind: string, bucket: number): void {
    const buckets = this.#buckets.get(kind) ?? new Map<number, number>();
    this.#buckets.set(kind, buckets);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
}
