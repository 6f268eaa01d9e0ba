import { AwsError } from "../aws/service.ts";
import type { AsyncInvocations } from "./async-invocations.ts";
import type { DeployedFunction } from "./deployed-function.ts";
import type { FunctionDefinition } from "./function-definition.ts";

// AWS's limit for a synchronous invocation.
const maxRequestBytes = 6_291_456;

/** The Invoke operation. Its output's Payload is the body of the answer, everything else goes to headers. */
export async function invoke(
  deployed: DeployedFunction,
  input: Record<string, unknown>,
  requestId: string,
  asynchronous: AsyncInvocations,
): Promise<Record<string, unknown>> {
  const payload = String(input.Payload ?? "") || "{}";
  checkPayload(payload);
  switch (input.InvocationType) {
    case "DryRun":
      return { StatusCode: 204 };
    case "Event":
      // Nobody waits for it; a failure of the function is in its log, and is repeated.
      asynchronous.start(deployed, payload).catch(() => undefined);
      return { StatusCode: 202 };
    case "RequestResponse": {
      const result = await deployed.invoke(payload, requestId);
      return {
        StatusCode: 200,
        ExecutedVersion: "$LATEST",
        Payload: result.payload,
        ...(result.functionError && { FunctionError: result.functionError }),
        ...(input.LogType === "Tail" && { LogResult: Buffer.from(result.logTail).toString("base64") }),
      };
    }
    default:
      throw new AwsError(
        "InvalidParameterValueException",
        `InvocationType must be Event, RequestResponse or DryRun, not ${input.InvocationType}.`,
      );
  }
}

/** What GetFunctionConfiguration answers, and GetFunction and ListFunctions hold. */
export function configurationOf(definition: FunctionDefinition): Record<string, unknown> {
  return {
    FunctionName: definition.name,
    FunctionArn: definition.arn,
    Runtime: "nodejs24.x",
    Role: definition.roleArn,
    Handler: definition.handler,
    Timeout: definition.timeoutSeconds,
    MemorySize: definition.memorySizeMb,
    Version: "$LATEST",
    State: "Active",
    LastUpdateStatus: "Successful",
    Environment: { Variables: definition.environment },
    ...(definition.description !== undefined && { Description: definition.description }),
    LoggingConfig: {
      LogFormat: definition.logFormat ?? "Text",
      // The text format has no levels.
      ...(definition.logFormat === "JSON" && {
        ApplicationLogLevel: definition.applicationLogLevel ?? "INFO",
        SystemLogLevel: definition.systemLogLevel ?? "INFO",
      }),
      LogGroup: definition.logGroup,
    },
  };
}

function checkPayload(payload: string): void {
  if (Buffer.byteLength(payload) > maxRequestBytes) {
    throw new AwsError(
      "RequestTooLargeException",
      `Request must be smaller than ${maxRequestBytes} bytes for the InvokeFunction operation`,
      413,
    );
  }
  try {
    JSON.parse(payload);
  } catch {
    throw new AwsError("InvalidRequestContentException", "Could not parse request body into json.");
  }
}
