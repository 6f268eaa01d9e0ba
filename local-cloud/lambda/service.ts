import { AwsError, type AwsRequest, type AwsService, type Caller, type PermissionNeeded } from "../aws/service.ts";
import { type Clock, VirtualClock } from "../clock.ts";
import type { Iam } from "../iam/iam.ts";
import type { Identities } from "../iam/identities.ts";
import type { LogsService } from "../logs/service.ts";
import { AsyncInvocations } from "./async-invocations.ts";
import { DeployedFunction } from "./deployed-function.ts";
import { createEnvironment } from "./environment-factory.ts";
import type { FunctionDefinition, InvokeResult } from "./function-definition.ts";
import { reservedNamesIn } from "./function-environment.ts";
import { definitionProblem } from "./function-limits.ts";
import { functionNameOf } from "./function-name.ts";
import type { FunctionPermission } from "./function-policy.ts";
import { configurationOf, invoke } from "./operations.ts";
import { TimeFile } from "./time-file.ts";

export interface LambdaServiceOptions {
  clock: Clock;
  iam: Iam;
  identities: Identities;
  logs: LogsService;
  accountId: string;
  region: string;
  /** `process` (default): a Node process per environment. `in-process`: in this process, for debugging and coverage. */
  mode?: "process" | "in-process";
  /**
   * How long, in ms of real time, a function may run while the virtual clock stands still, before its time-out is made
   * to come. Default 20,000. Without meaning on a real clock.
   */
  realTimeGuardMs?: number;
  /** How often a failed asynchronous invocation is repeated: after one minute, then two. Default 2, as on AWS. */
  asyncRetryAttempts?: number;
  /** Told of every invocation's end, as Lambda's metrics are. */
  onInvocation?: (functionName: string, isSuccess: boolean, durationMs: number) => void;
}

const operations = ["Invoke", "GetFunction", "GetFunctionConfiguration", "GetPolicy", "ListFunctions"];

/** Lambda: functions run by processes of this machine, invoked over the wire or directly. */
export class LambdaService implements AwsService {
  readonly name = "lambda";
  readonly #options: LambdaServiceOptions;
  readonly #functions = new Map<string, DeployedFunction>();
  readonly #asynchronous: AsyncInvocations;
  readonly #timeFile: TimeFile | undefined;
  #endpoint = "";

  constructor(options: LambdaServiceOptions) {
    this.#options = options;
    this.#asynchronous = new AsyncInvocations({
      clock: options.clock,
      retryAttempts: options.asyncRetryAttempts ?? 2,
      find: (name) => this.#functions.get(name),
    });
    this.#timeFile = options.clock instanceof VirtualClock ? new TimeFile(options.clock) : undefined;
  }

  /** Where functions find AWS: the front door, which is started after this service. */
  setEndpoint(url: string): void {
    this.#endpoint = url;
  }

  /** @throws AwsError ResourceConflictException, InvalidParameterValueException, ValidationException, RequestEntityTooLargeException */
  createFunction(definition: FunctionDefinition): void {
    if (this.#functions.has(definition.name)) {
      throw new AwsError("ResourceConflictException", `Function already exist: ${definition.name}`, 409);
    }
    this.#check(definition);
    this.#functions.set(
      definition.name,
      new DeployedFunction(definition, (deployed) => this.#createEnvironment(deployed)),
    );
  }

  /** New code or configuration; what runs goes on with the old one. Resolves when the warm processes of the old one are gone. */
  async updateFunction(definition: FunctionDefinition): Promise<void> {
    const old = this.#find(definition.name);
    this.#check(definition);
    this.#functions.set(
      definition.name,
      new DeployedFunction(definition, (deployed) => this.#createEnvironment(deployed), old.policy),
    );
    await old.retire();
  }

  async deleteFunction(name: string): Promise<void> {
    const deployed = this.#find(name);
    this.#functions.delete(functionNameOf(name));
    await deployed.remove();
  }

  addPermission(functionName: string, permission: FunctionPermission): void {
    const deployed = this.#find(functionName);
    deployed.policy.add(deployed.definition.arn, permission);
  }

  removePermission(functionName: string, statementId: string): void {
    this.#find(functionName).policy.remove(statementId);
  }

  /** The function as it is now; undefined where there is none. */
  function(name: string): FunctionDefinition | undefined {
    return this.#functions.get(name)?.definition;
  }

  /** A statement of the function's policy as it is now; undefined where there is none, or no function. */
  permission(functionName: string, statementId: string): Record<string, unknown> | undefined {
    return this.#functions.get(functionNameOf(functionName))?.policy.statement(statementId);
  }

  /** Whether the function is there and the caller is granted `lambda:InvokeFunction` on it. */
  mayInvoke(functionArn: string, caller: Caller): boolean {
    const deployed = this.#functions.get(functionNameOf(functionArn));
    return deployed !== undefined && this.#options.iam.isAllowed(caller, invokePermission(deployed));
  }

  /** Invokes and waits for the result; asks for no permission. @throws AwsError ResourceNotFoundException */
  async invoke(functionName: string, event: unknown): Promise<InvokeResult> {
    return this.#find(functionName).invoke(JSON.stringify(event) ?? "null");
  }

  /**
   * Invokes as EventBridge does: a failure is repeated later, on the cloud's clock. Resolves with the result of the
   * first attempt; `idle` tells when attempts that have begun are over.
   */
  async invokeEvent(functionName: string, event: unknown): Promise<InvokeResult> {
    return this.#asynchronous.start(this.#find(functionName), JSON.stringify(event) ?? "null");
  }

  /** Resolves when no asynchronous invocation is running. Repetitions that wait for their time don't count. */
  async idle(): Promise<void> {
    await this.#asynchronous.idle();
  }

  /** Ends all processes of a function at once, in the middle of whatever they do. */
  async kill(functionName: string): Promise<void> {
    await this.#find(functionName).kill();
  }

  /** Ends its warm processes: the next invocation is a cold start. */
  async recycle(functionName: string): Promise<void> {
    await this.#find(functionName).recycle();
  }

  /** The most memory that a process of the function has held, in MB. */
  peakMemoryMb(functionName: string): number | undefined {
    return this.#find(functionName).peakMemoryMb;
  }

  /** Ends everything and removes the unpacked code. */
  async stop(): Promise<void> {
    const deployed = [...this.#functions.values()];
    this.#functions.clear();
    await Promise.all(deployed.map((one) => one.remove()));
    this.#timeFile?.close();
  }

  permissionsFor({ operation, input }: AwsRequest): PermissionNeeded[] {
    if (!operations.includes(operation)) return [];
    if (operation === "ListFunctions") return [{ action: "lambda:ListFunctions", resource: "*" }];
    const name = functionNameOf(String(input.FunctionName), qualifierOf(input));
    const deployed = this.#functions.get(name);
    if (operation === "Invoke" && deployed) return [invokePermission(deployed)];
    return [
      { action: operation === "Invoke" ? "lambda:InvokeFunction" : `lambda:${operation}`, resource: this.#arnOf(name) },
    ];
  }

  async handle({ operation, input, requestId }: AwsRequest): Promise<Record<string, unknown>> {
    switch (operation) {
      case "Invoke":
        return invoke(this.#find(String(input.FunctionName), qualifierOf(input)), input, requestId, this.#asynchronous);
      case "GetFunction":
        return { Configuration: configurationOf(this.#find(String(input.FunctionName)).definition) };
      case "GetFunctionConfiguration":
        return configurationOf(this.#find(String(input.FunctionName)).definition);
      case "ListFunctions":
        return { Functions: [...this.#functions.values()].map(({ definition }) => configurationOf(definition)) };
      case "GetPolicy": {
        const document = this.#find(String(input.FunctionName)).policy.document();
        if (!document)
          throw new AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404);
        return { Policy: document };
      }
      default:
        throw new AwsError(
          "UnknownOperationException",
          `lambda:${operation} is not there; there are: ${operations.join(", ")}.`,
          404,
        );
    }
  }

  #createEnvironment({ definition, taskRoot }: DeployedFunction) {
    const { mode = "process", realTimeGuardMs = 20_000 } = this.#options;
    const [timeFile, endpoint] = [this.#timeFile, this.#endpoint];
    return createEnvironment(definition, taskRoot, { ...this.#options, mode, realTimeGuardMs, timeFile, endpoint });
  }

  #check(definition: FunctionDefinition): void {
    const refuse = (message: string) => new AwsError("InvalidParameterValueException", message);
    const problem = definitionProblem(definition);
    if (problem) throw problem;
    if (!this.#options.iam.mayBeAssumedBy(definition.roleArn, "lambda.amazonaws.com")) {
      throw refuse("The role defined for the function cannot be assumed by Lambda.");
    }
    const reserved = reservedNamesIn(definition);
    if (reserved.length > 0) {
      throw refuse(
        "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. " +
          `Reserved keys used in this request: ${reserved.join(", ")}`,
      );
    }
  }

  #find(reference: string, qualifier?: string): DeployedFunction {
    const name = functionNameOf(reference, qualifier);
    const deployed = this.#functions.get(name);
    if (!deployed) throw new AwsError("ResourceNotFoundException", `Function not found: ${this.#arnOf(name)}`, 404);
    return deployed;
  }

  #arnOf(name: string): string {
    return `arn:aws:lambda:${this.#options.region}:${this.#options.accountId}:function:${name}`;
  }
}

function invokePermission({ definition, policy }: DeployedFunction): PermissionNeeded {
  const resourcePolicy = policy.document();
  return {
    action: "lambda:InvokeFunction",
    resource: definition.arn,
    ...(resourcePolicy !== undefined && { resourcePolicy }),
  };
}

function qualifierOf(input: Record<string, unknown>): string | undefined {
  return input.Qualifier === undefined ? undefined : String(input.Qualifier);
}
