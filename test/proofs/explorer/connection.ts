import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { HttpSend } from "../../../src/c2m/http.ts";
import type { Ledger } from "../../../src/formats/ledger.ts";
import type { FunctionRun } from "./function-run.ts";
import type { LogLine } from "./in-memory-ledger.ts";

/** The functions' way to the world: every request on it is an effect of the run that it belongs to. */
export interface Connection {
  /** C2M's base URL. */
  baseUrl: string;
  secretsManager(run: FunctionRun): SecretsManagerClient;
  c2m(run: FunctionRun): HttpSend;
  ledger(run: FunctionRun): Ledger;
  /** A line that was written. */
  logged(line: LogLine): void;
  close(): Promise<void>;
}
