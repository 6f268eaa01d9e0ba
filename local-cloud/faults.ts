import { STATUS_CODES } from "node:http";
import type { Clock } from "./clock.ts";

/** What a gateway says that knows nothing of the API behind it: a page, JSON without a `code`, or nothing. */
export type GatewayBody = "html" | "message" | "empty";

/** What goes wrong with a call. */
export type Fault =
  /** Answered with this error instead of being done. */
  | { kind: "error"; status: number; code: string; message: string; headers?: Record<string, string> }
  /** The connection is cut: before anything is done, or after it is done and before the answer. */
  | { kind: "cut"; when: "before" | "after" }
  /** Done, then answered with these bytes instead of the true answer. */
  | { kind: "garble"; status: number; body: string | Uint8Array; headers?: Record<string, string> }
  /**
   * A gateway in front answers by itself, with any status, 200 too: in place of having the call done, or after it was done.
   * Nothing of the true answer is left.
   */
  | { kind: "gateway"; status: number; body: GatewayBody; when: "before" | "after" }
  /** Takes this long on the cloud's clock, then goes on as usual. */
  | { kind: "latency"; ms: number }
  /** Is stopped on its way, before anything is done, until the test lets it go on as usual. */
  | { kind: "hold"; hold: Hold };

/** What of a fault changes the answer; the others only delay it. */
export type Strike = Exclude<Fault, { kind: "latency" | "hold" }>;

/** What a gateway sends by itself; `message` is what it says where it sends JSON, by default the status in words. */
export function gatewayAnswer(
  status: number,
  body: GatewayBody,
  message = STATUS_CODES[status] ?? "Error",
): { status: number; headers: Record<string, string>; body: string } {
  switch (body) {
    case "html": {
      const page = `<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>\n`;
      return { status, headers: { "content-type": "text/html" }, body: page };
    }
    case "message":
      return { status, headers: { "content-type": "application/json" }, body: JSON.stringify({ message }) };
    case "empty":
      return { status, headers: {}, body: "" };
  }
}

/** A call that stands still at a point that a test has chosen. */
export class Hold {
  readonly #reached = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();

  /** Resolves when the call has arrived. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  /** For who serves the call. */
  pass(): Promise<void> {
    this.#reached.resolve();
    return this.#released.promise;
  }
}

export interface FaultRule {
  /** `secretsmanager`, `lambda`, `logs`, `c2m`. */
  service: string;
  /** `PutSecretValue`, `issueLongTermToken`; every operation when absent. */
  operation?: string;
  /** The first matching call that it strikes, counted from 1; default 1. */
  nth?: number;
  /** How many matching calls it strikes from there on; default 1. `Infinity` for always. */
  times?: number;
  fault: Fault;
}

/** The faults that a test ordered, served to whoever answers calls. */
export class Faults {
  readonly #rules: { rule: FaultRule; seen: number }[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Orders a fault; the returned function withdraws it. */
  add(rule: FaultRule): () => void {
    const entry = { rule, seen: 0 };
    this.#rules.push(entry);
    return () => {
      const index = this.#rules.indexOf(entry);
      if (index >= 0) this.#rules.splice(index, 1);
    };
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** The fault that strikes this call, if any. Delays are served here; only what changes the answer is returned. */
  async take(service: string, operation: string): Promise<Strike | undefined> {
    let strikes: Strike | undefined;
    for (const entry of [...this.#rules]) {
      const { rule } = entry;
      if (rule.service !== service || (rule.operation !== undefined && rule.operation !== operation)) continue;
      entry.seen += 1;
      const first = rule.nth ?? 1;
      if (entry.seen < first || entry.seen >= first + (rule.times ?? 1)) continue;
      if (rule.fault.kind === "latency") await this.#clock.sleep(rule.fault.ms);
      else if (rule.fault.kind === "hold") await rule.fault.hold.pass();
      else strikes ??= rule.fault;
    }
    return strikes;
  }
}
