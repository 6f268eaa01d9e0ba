import type { AccessKey } from "../iam/identities.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export interface EnvironmentSource {
  definition: FunctionDefinition;
  region: string;
  credentials: AccessKey;
  logStream: string;
  taskRoot: string;
  /** The local cloud's front door. */
  endpoint: string;
}

/**
 * All that a function sees of its environment: its own variables, what Lambda sets, and the one thing that the local cloud adds,
 * AWS_ENDPOINT_URL. Nothing of the harness's own environment. Source: Lambda developer guide, "defined runtime environment variables".
 */
export function functionEnvironment({
  definition,
  region,
  credentials,
  logStream,
  taskRoot,
  endpoint,
}: EnvironmentSource): Record<string, string> {
  // At AWS the archive is unpacked there.
  const own = Object.entries(definition.environment);
  return {
    LANG: "en_US.UTF-8",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    TZ: ":UTC",
    AWS_ENDPOINT_URL: endpoint,
    ...Object.fromEntries(own.map(([name, value]) => [name, value.replace(/^\/var\/task(?=\/|$)/, taskRoot)])),
    ...reservedVariables({ definition, region, credentials, logStream, taskRoot }),
  };
}

/** The names that a function's own environment must not hold. */
export function reservedNamesIn(definition: FunctionDefinition): string[] {
  const credentials = { accessKeyId: "", secretAccessKey: "", sessionToken: "" };
  const reserved = reservedVariables({ definition, region: "", credentials, logStream: "", taskRoot: "" });
  return Object.keys(definition.environment).filter((name) => Object.hasOwn(reserved, name));
}

function reservedVariables({
  definition,
  region,
  credentials,
  logStream,
  taskRoot,
}: Omit<EnvironmentSource, "endpoint">): Record<string, string> {
  return {
    _HANDLER: definition.handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memorySizeMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: definition.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_LAMBDA_LOG_FORMAT: definition.logFormat ?? "Text",
    ...(definition.logFormat === "JSON" && { AWS_LAMBDA_LOG_LEVEL: definition.applicationLogLevel ?? "INFO" }),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(credentials.sessionToken !== undefined && { AWS_SESSION_TOKEN: credentials.sessionToken }),
    LAMBDA_TASK_ROOT: taskRoot,
  };
}
