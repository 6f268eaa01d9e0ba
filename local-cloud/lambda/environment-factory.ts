import { randomBytes } from "node:crypto";
import type { Caller } from "../aws/service.ts";
import type { Clock } from "../clock.ts";
import type { Identities } from "../iam/identities.ts";
import type { LogsService } from "../logs/service.ts";
import { ExecutionEnvironment } from "./execution-environment.ts";
import type { FunctionDefinition } from "./function-definition.ts";
import { functionEnvironment } from "./function-environment.ts";
import { FunctionProcess } from "./function-process.ts";
import type { FunctionRuntime } from "./function-runtime.ts";
import { InProcessRuntime } from "./in-process-runtime.ts";
import type { TimeFile } from "./time-file.ts";

export interface EnvironmentFactoryOptions {
  clock: Clock;
  identities: Identities;
  logs: LogsService;
  accountId: string;
  region: string;
  mode: "process" | "in-process";
  realTimeGuardMs: number;
  timeFile: TimeFile | undefined;
  endpoint: string;
  /** Told of every invocation's end, as Lambda's metrics are. */
  onInvocation?: ((functionName: string, isSuccess: boolean, durationMs: number) => void) | undefined;
}

/** Makes a cold execution environment: a session of the function's role, a log stream, and a runtime when it is first used. */
export function createEnvironment(
  definition: FunctionDefinition,
  taskRoot: string,
  options: EnvironmentFactoryOptions,
): ExecutionEnvironment {
  const { clock, identities, logs, accountId, region, mode, realTimeGuardMs, timeFile, endpoint } = options;
  const caller = roleSession(definition, accountId);
  const logStream = logStreamName(definition, clock.now());
  const startRuntime = async (onLine: (line: string) => void): Promise<FunctionRuntime> => {
    const credentials = identities.issue(caller);
    const environment = functionEnvironment({ definition, region, credentials, logStream, taskRoot, endpoint });
    const runtime = { taskRoot, environment, memorySizeMb: definition.memorySizeMb, onLine, clock };
    return mode === "process" ? FunctionProcess.start({ ...runtime, timeFile }) : new InProcessRuntime(runtime);
  };
  const log = logs.openWriter(definition.logGroup, logStream, caller);
  const onEnd = (isSuccess: boolean, durationMs: number) =>
    options.onInvocation?.(definition.name, isSuccess, durationMs);
  return new ExecutionEnvironment({ definition, clock, log, onEnd, startRuntime, realTimeGuardMs });
}

/** Lambda names the session after the function. */
function roleSession({ name, roleArn }: FunctionDefinition, accountId: string): Caller {
  const roleName = roleArn.split("/").at(-1) ?? "";
  return { kind: "role", accountId, roleName, arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${name}` };
}

/** In a log group of one's own, as against Lambda's default one, stream names hold the function's name. */
function logStreamName({ logGroup, name }: FunctionDefinition, now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/${logGroup === `/aws/lambda/${name}` ? "" : name}[$LATEST]${randomBytes(16).toString("hex")}`;
}
