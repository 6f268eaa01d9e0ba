/** Most detail first. */
export const logLevels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;

export type LogLevel = (typeof logLevels)[number];

/** A function as it is deployed. */
export interface FunctionDefinition {
  name: string;
  arn: string;
  /** `file.exportName`, as in `index.handler`. */
  handler: string;
  /** The archive's text files by path: the very bytes that would be deployed. */
  files: Record<string, string>;
  /** The function's own variables; AWS's reserved names are refused. */
  environment: Record<string, string>;
  timeoutSeconds: number;
  memorySizeMb: number;
  roleArn: string;
  logGroup: string;
  /** Default `Text`, as on AWS. */
  logFormat?: "JSON" | "Text";
  /** The least level of its own lines that reach the log, in the JSON format only. Default `INFO`, as on AWS. */
  applicationLogLevel?: LogLevel;
  /** As that, for the platform's lines. Default `INFO`. */
  systemLogLevel?: "DEBUG" | "INFO" | "WARN";
  description?: string | undefined;
  tags?: Record<string, string> | undefined;
}

/** What came of an invocation, as Invoke answers it. */
export interface InvokeResult {
  requestId: string;
  /** What the handler returned, or the error's description; JSON. */
  payload: string;
  functionError?: "Unhandled";
  /** The invocation's log, at most its last 4 KB. */
  logTail: string;
}
