/** One call that reached the local cloud, whatever came of it. */
export interface Call {
  /** Epoch ms on the cloud's clock. */
  at: number;
  /** `secretsmanager`, `lambda`, `logs`, `c2m`. */
  service: string;
  operation: string;
  /** The caller's ARN, or the client id at C2M. */
  caller: string;
  status: number;
  /** The error's code where it failed. */
  error?: string;
}

/** Every call that was made, in order. */
export class CallLog {
  readonly calls: Call[] = [];
  readonly #listeners = new Set<(call: Call) => void>();

  record(call: Call): void {
    this.calls.push(call);
    for (const listener of this.#listeners) listener(call);
  }

  onCall(listener: (call: Call) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
