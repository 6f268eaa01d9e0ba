import type { CallLog } from "../calls.ts";
import type { Clock } from "../clock.ts";
import { type Fault, type Faults, gatewayAnswer } from "../faults.ts";
import type { C2mEngine } from "./engine.ts";
import type { C2mAnswer, C2mRequest } from "./exchange.ts";
import { errorAnswer } from "./refusal.ts";

/** A request and what was sent back. */
export interface C2mExchange {
  request: C2mRequest;
  answer: C2mAnswer<string | Uint8Array>;
  /** The answer was made up by an ordered fault: it need not be what the API's description allows. */
  faulty: boolean;
}

export interface C2mFrontDoorOptions {
  engine: C2mEngine;
  /** What fault rules and the call log name it; default `c2m`. */
  service?: string;
  faults?: Faults;
  calls?: CallLog;
  /** Dates the call log; default the engine's. */
  clock?: Clock;
  /** Told of every exchange before the answer is sent; not of those whose connection is cut. */
  onExchange?: (exchange: C2mExchange) => void;
}

/** Lets a request in: strikes it with the faults that were ordered, has the engine answer it, logs the call. */
export class C2mFrontDoor {
  readonly #options: C2mFrontDoorOptions;

  constructor(options: C2mFrontDoorOptions) {
    this.#options = options;
  }

  /** The answer; `cut` when the connection is to be cut, be the request done or not. */
  async serve(request: C2mRequest): Promise<C2mAnswer<string | Uint8Array> | "cut"> {
    const { engine, service = "c2m", faults, onExchange } = this.#options;
    const who = engine.identify(request);
    const fault = await faults?.take(service, who.operation ?? "unknown");
    if (fault?.kind === "cut" && fault.when === "before") {
      this.#record({ ...who, status: 0, error: "cut_before" });
      return "cut";
    }
    if (fault?.kind === "error") {
      const answer = { ...errorAnswer(fault, engine.knobs.errorBody, who.operation), ...who, error: fault.code };
      this.#record(answer);
      onExchange?.({ request, answer, faulty: true });
      return answer;
    }
    if (fault?.kind === "gateway" && fault.when === "before") return this.#answerAsGateway(request, who, fault);
    const answer = await engine.answer(request);
    if (fault?.kind === "gateway") return this.#answerAsGateway(request, answer, fault);
    if (fault?.kind === "cut") {
      this.#record({ ...answer, error: "cut_after" });
      return "cut";
    }
    this.#record(answer);
    const sent = fault ? garble(answer, fault) : answer;
    onExchange?.({ request, answer: sent, faulty: fault !== undefined });
    return sent;
  }

  #answerAsGateway(
    request: C2mRequest,
    { operation, caller }: Pick<C2mAnswer, "operation" | "caller">,
    { status, body }: Extract<Fault, { kind: "gateway" }>,
  ): C2mAnswer {
    const answer = { ...gatewayAnswer(status, body), operation, caller, error: "gateway" };
    this.#record(answer);
    this.#options.onExchange?.({ request, answer, faulty: true });
    return answer;
  }

  #record({ operation, caller, status, error }: Pick<C2mAnswer, "operation" | "caller" | "status" | "error">): void {
    const { calls, engine, service = "c2m", clock = engine.clock } = this.#options;
    calls?.record({
      at: clock.now(),
      service,
      operation: operation ?? "unknown",
      caller,
      status,
      ...(error !== undefined && { error }),
    });
  }
}

/** The true headers stay where the fault does not replace them: an id in a header outlives a broken body. */
function garble(answer: C2mAnswer, fault: Extract<Fault, { kind: "garble" }>): C2mAnswer<string | Uint8Array> {
  return {
    ...answer,
    status: fault.status,
    headers: { ...answer.headers, ...lowerCased(fault.headers) },
    body: fault.body,
  };
}

function lowerCased(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
