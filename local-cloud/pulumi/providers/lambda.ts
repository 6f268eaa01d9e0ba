import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { optional, type ProvidedResource, type Providers, text } from "./provider.ts";

export const lambdaProviders: Providers = {
  "aws:lambda/function:Function": {
    create: ({ lambda }, resource) => lambda.createFunction(definitionOf(resource)),
    update: ({ lambda }, resource) => lambda.updateFunction(definitionOf(resource)),
    delete: ({ lambda }, { inputs }) => lambda.deleteFunction(text(inputs, "name")),
  },
  "aws:lambda/permission:Permission": {
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
    delete: ({ lambda }, { inputs, id }) => lambda.removePermission(text(inputs, "function"), id),
  },
  "aws:lambda/invocation:Invocation": {
    async create(cloud, { inputs }) {
      const client = new LambdaClient({ ...cloud.clientConfig(), maxAttempts: 1 });
      const name = text(inputs, "functionName");
      const answer = await client.send(new InvokeCommand({ FunctionName: name, Payload: text(inputs, "input") }));
      client.destroy();
      const payload = answer.Payload?.transformToString() ?? "";
      if (answer.FunctionError) throw new Error(`Lambda function (${name}) returned error: (${payload})`);
    },
  },
};

function definitionOf({ inputs, outputs }: ProvidedResource) {
  const logging = optional<{ logGroup: string; logFormat: "JSON" | "Text" }>(inputs, "loggingConfig");
  return {
    name: text(inputs, "name"),
    arn: text(outputs, "arn"),
    handler: text(inputs, "handler"),
    files: (inputs.code as { files: Record<string, string> }).files,
    environment: optional<{ variables: Record<string, string> }>(inputs, "environment")?.variables ?? {},
    timeoutSeconds: optional<number>(inputs, "timeout") ?? 3,
    memorySizeMb: optional<number>(inputs, "memorySize") ?? 128,
    roleArn: text(inputs, "role"),
    logGroup: logging?.logGroup ?? `/aws/lambda/${text(inputs, "name")}`,
    logFormat: logging?.logFormat ?? ("Text" as const),
  };
}
