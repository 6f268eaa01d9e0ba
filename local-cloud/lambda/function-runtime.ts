/** One invocation as the Runtime API hands it to the runtime. */
export interface Invocation {
  requestId: string;
  /** The event; JSON. */
  payload: string;
  functionArn: string;
  /** Epoch ms on the cloud's clock. */
  deadline: number;
}

export type RuntimeOutcome =
  /** The handler's result, or null after a successful init; JSON. */
  | { kind: "response"; payload: string }
  /** The runtime reported an error of the handler, of the import, or its own; JSON. */
  | { kind: "error"; payload: string }
  /** The process ended without a word. */
  | { kind: "exit"; code: number | null; signal: string | null };

/** What runs a function's code: one invocation at a time. */
export interface FunctionRuntime {
  /** Resolves when the handler is loaded, or with how that failed. */
  readonly init: Promise<RuntimeOutcome>;
  /** False once it has ended; then it can't be used again. */
  readonly isAlive: boolean;
  /** Resolves when it is done and free for the next one, or has ended. */
  invoke(invocation: Invocation): Promise<RuntimeOutcome>;
  /** Ends it at once. Resolves when it is gone and its output has been read. */
  kill(): Promise<void>;
  /** The most memory it has ever held, in MB, where the system tells. */
  peakMemoryMb(): number | undefined;
}

export interface RuntimeOptions {
  /** The folder to which the archive was unpacked. */
  taskRoot: string;
  /** All that the function sees of its environment. */
  environment: Record<string, string>;
  memorySizeMb: number;
  /** Every line of output, without its end. */
  onLine: (line: string) => void;
}
