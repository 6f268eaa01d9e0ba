import type { InvokeResult } from "./function-definition.ts";
import type { RuntimeOutcome } from "./function-runtime.ts";

export interface Described {
  result: Pick<InvokeResult, "payload" | "functionError">;
  status: "success" | "error" | "failure" | "timeout";
  /** What the platform says about it in the log, where the runtime could not. */
  logLine?: string;
}

// Source: the message that Lambda gives; 6 MB and a little.
const maxResponseBytes = 6_291_556;

/** What an outcome is to the caller: the payload and error types that Lambda answers with. */
export function describeOutcome(
  outcome: RuntimeOutcome,
  requestId: string,
  timedOutAfterSeconds: number | undefined,
): Described {
  if (timedOutAfterSeconds !== undefined && outcome.kind === "exit") {
    const logLine = `Task timed out after ${timedOutAfterSeconds.toFixed(2)} seconds`;
    return {
      result: failure("Sandbox.Timedout", `RequestId: ${requestId} Error: ${logLine}`),
      status: "timeout",
      logLine,
    };
  }
  switch (outcome.kind) {
    case "response":
      if (Buffer.byteLength(outcome.payload) <= maxResponseBytes)
        return { result: { payload: outcome.payload }, status: "success" };
      return {
        result: failure(
          "Function.ResponseSizeTooLarge",
          `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).`,
        ),
        status: "error",
      };
    case "error":
      return { result: { payload: outcome.payload, functionError: "Unhandled" }, status: "error" };
    case "exit": {
      const logLine = `Error: ${exitText(outcome)}`;
      return { result: failure("Runtime.ExitError", `RequestId: ${requestId} ${logLine}`), status: "failure", logLine };
    }
  }
}

function exitText({ code, signal }: { code: number | null; signal: string | null }): string {
  if (signal !== null) return `Runtime exited with error: signal: ${signal === "SIGKILL" ? "killed" : signal}`;
  return code === 0 ? "Runtime exited without providing a reason" : `Runtime exited with error: exit status ${code}`;
}

function failure(errorType: string, errorMessage: string): Described["result"] {
  return { payload: JSON.stringify({ errorType, errorMessage }), functionError: "Unhandled" };
}
