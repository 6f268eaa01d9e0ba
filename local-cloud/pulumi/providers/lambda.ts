import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { FunctionDefinition, LogLevel } from "../../lambda/function-definition.ts";
import { optional, type ProvidedResource, type Providers, text, unlessGone } from "./provider.ts";

interface LoggingConfig {
  logGroup?: string;
  logFormat: "JSON" | "Text";
  applicationLogLevel?: LogLevel;
  systemLogLevel?: "DEBUG" | "INFO" | "WARN";
}

export const lambdaProviders: Providers = {
  "aws:lambda/function:Function": {
    replacedBy: ["name", "packageType"],
    defaults: { timeout: 3, memorySize: 128 },
    create: ({ lambda }, resource) => lambda.createFunction(definitionOf(resource)),
    update: ({ lambda }, resource) => lambda.updateFunction(definitionOf(resource)),
    delete: ({ lambda }, { inputs }) =>
      unlessGone("ResourceNotFoundException", () => lambda.deleteFunction(text(inputs, "name"))),
    read({ lambda }, { inputs }) {
      const deployed = lambda.function(text(inputs, "name"));
      return deployed && readOf(deployed, inputs);
    },
  },
  "aws:lambda/permission:Permission": {
    replacedBy: "any",
    create({ lambda }, { inputs, id }) {
      const sourceAccount = optional<string>(inputs, "sourceAccount");
      const sourceArn = optional<string>(inputs, "sourceArn");
      lambda.addPermission(text(inputs, "function"), {
        statementId: id,
        action: text(inputs, "action"),
        principal: text(inputs, "principal"),
        ...(sourceAccount === undefined ? {} : { sourceAccount }),
        ...(sourceArn === undefined ? {} : { sourceArn }),
      });
    },
    delete: ({ lambda }, { inputs, id }) =>
      unlessGone("ResourceNotFoundException", () => lambda.removePermission(text(inputs, "function"), id)),
    read: ({ lambda }, { inputs, id }) => lambda.permission(text(inputs, "function"), id) && {},
  },
  "aws:lambda/invocation:Invocation": {
    // Its scope is CREATE_ONLY by default: an invocation at every creation, and none at deletion.
    replacedBy: "any",
    async create(cloud, { inputs }) {
      const client = new LambdaClient({ ...cloud.clientConfig(), maxAttempts: 1 });
      const name = text(inputs, "functionName");
      const answer = await client.send(new InvokeCommand({ FunctionName: name, Payload: text(inputs, "input") }));
      client.destroy();
      const payload = answer.Payload?.transformToString() ?? "";
      if (answer.FunctionError) throw new Error(`Lambda function (${name}) returned error: (${payload})`);
      return { result: payload };
    },
    read: () => ({}),
  },
};

function definitionOf({ inputs, outputs }: ProvidedResource): FunctionDefinition {
  const logging = optional<LoggingConfig>(inputs, "loggingConfig");
  return {
    name: text(inputs, "name"),
    arn: text(outputs, "arn"),
    description: optional<string>(inputs, "description"),
    handler: text(inputs, "handler"),
    files: (inputs.code as { files: Record<string, string> }).files,
    environment: optional<{ variables: Record<string, string> }>(inputs, "environment")?.variables ?? {},
    timeoutSeconds: optional<number>(inputs, "timeout") ?? 3,
    memorySizeMb: optional<number>(inputs, "memorySize") ?? 128,
    roleArn: text(inputs, "role"),
    logGroup: logging?.logGroup ?? `/aws/lambda/${text(inputs, "name")}`,
    logFormat: logging?.logFormat ?? ("Text" as const),
    ...(logging?.applicationLogLevel && { applicationLogLevel: logging.applicationLogLevel }),
    ...(logging?.systemLogLevel && { systemLogLevel: logging.systemLogLevel }),
    tags: optional<Record<string, string>>(inputs, "tags"),
  };
}

/** In the form of the inputs. The code is told by its hash only, and that is not compared here. */
function readOf(deployed: FunctionDefinition, inputs: ProvidedResource["inputs"]): Record<string, unknown> {
  const logging = optional<LoggingConfig>(inputs, "loggingConfig");
  const { logGroup, logFormat = "Text", applicationLogLevel, systemLogLevel } = deployed;
  const environment = optional<object>(inputs, "environment");
  return {
    description: deployed.description,
    handler: deployed.handler,
    role: deployed.roleArn,
    timeout: deployed.timeoutSeconds,
    memorySize: deployed.memorySizeMb,
    tags: deployed.tags,
    ...(environment && { environment: { ...environment, variables: deployed.environment } }),
    ...(logging && {
      loggingConfig: {
        ...logging,
        logFormat,
        ...(logging.logGroup !== undefined && { logGroup }),
        ...(logging.applicationLogLevel && { applicationLogLevel }),
        ...(logging.systemLogLevel && { systemLogLevel }),
      },
    }),
  };
}
