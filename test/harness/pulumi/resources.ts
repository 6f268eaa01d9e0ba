import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { LocalCloud } from "../local-cloud.ts";
import type { PlannedResource } from "./plan.ts";

type Inputs = Record<string, unknown>;

/** What the provider does with one type of resource. */
interface Provider {
  create(cloud: LocalCloud, resource: PlannedResource): void | Promise<void>;
  /** After its inputs changed; without it the resource is created again. */
  update?(cloud: LocalCloud, resource: PlannedResource): void | Promise<void>;
  delete?(cloud: LocalCloud, resource: PlannedResource): void | Promise<void>;
}

const text = (inputs: Inputs, name: string): string => {
  const value = inputs[name];
  if (typeof value !== "string") throw new Error(`The input ${name} must be a text, and is ${typeof value}.`);
  return value;
};

const optional = <Value>(inputs: Inputs, name: string): Value | undefined => inputs[name] as Value | undefined;

const definitionOf = ({ inputs, outputs }: PlannedResource) => {
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
};

/** The AWS resources that the program may use, by their Pulumi type. */
export const providers: Record<string, Provider> = {
  "aws:secretsmanager/secret:Secret": {
    create({ secretsManager, administrator }, { inputs, id }) {
      const description = optional<string>(inputs, "description");
      secretsManager.engine.createSecret(
        {
          Name: text(inputs, "name"),
          ClientRequestToken: crypto.randomUUID(),
          ...(description === undefined ? {} : { Description: description }),
        },
        administrator,
        id.slice(-6),
      );
    },
    update({ secretsManager, administrator }, { inputs, id }) {
      secretsManager.engine.updateSecret(
        {
          SecretId: id,
          Description: optional<string>(inputs, "description") ?? "",
          ClientRequestToken: crypto.randomUUID(),
        },
        administrator,
      );
    },
    delete({ secretsManager }, { inputs, id }) {
      const days = optional<number>(inputs, "recoveryWindowInDays") ?? 30;
      const how = days === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: days };
      secretsManager.engine.deleteSecret({ SecretId: id, ...how });
    },
  },
  "aws:secretsmanager/secretVersion:SecretVersion": {
    create({ secretsManager, administrator }, { inputs, outputs }) {
      secretsManager.engine.putSecretValue(
        {
          SecretId: text(inputs, "secretId"),
          ClientRequestToken: text(outputs, "versionId"),
          SecretString: text(inputs, "secretString"),
        },
        administrator,
      );
    },
  },
  "aws:iam/role:Role": {
    create({ iam }, { inputs, outputs }) {
      iam.putRole({
        name: text(outputs, "name"),
        arn: text(outputs, "arn"),
        assumeRolePolicy: text(inputs, "assumeRolePolicy"),
      });
    },
    delete: ({ iam }, { outputs }) => iam.deleteRole(text(outputs, "name")),
  },
  "aws:iam/rolePolicy:RolePolicy": {
    create: ({ iam }, { inputs, id }) => iam.putRolePolicy(text(inputs, "role"), id, text(inputs, "policy")),
    delete: ({ iam }, { inputs, id }) => iam.deleteRolePolicy(text(inputs, "role"), id),
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    create({ logs }, { inputs }) {
      const retentionInDays = optional<number>(inputs, "retentionInDays");
      logs.putGroup(text(inputs, "name"), retentionInDays === undefined ? {} : { retentionInDays });
    },
    delete: ({ logs }, { inputs }) => logs.deleteGroup(text(inputs, "name")),
  },
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
  "aws:cloudwatch/eventRule:EventRule": {
    create({ eventRules }, { inputs, outputs }) {
      eventRules.putRule({
        name: text(outputs, "name"),
        arn: text(outputs, "arn"),
        scheduleExpression: text(inputs, "scheduleExpression"),
      });
    },
    delete: ({ eventRules }, { outputs }) => eventRules.deleteRule(text(outputs, "name")),
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    create({ eventRules }, { inputs, id }) {
      const input = optional<string>(inputs, "input");
      eventRules.putTarget(text(inputs, "rule"), {
        id,
        functionArn: text(inputs, "arn"),
        ...(input === undefined ? {} : { input }),
      });
    },
    delete: ({ eventRules }, { inputs, id }) => eventRules.removeTarget(text(inputs, "rule"), id),
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
  "aws:secretsmanager/secretRotation:SecretRotation": {
    async create({ secretsManager }, { inputs }) {
      const rules = inputs.rotationRules as Record<string, string | number>;
      const { scheduleExpression, duration, automaticallyAfterDays } = rules;
      secretsManager.engine.rotateSecret({
        SecretId: text(inputs, "secretId"),
        ClientRequestToken: crypto.randomUUID(),
        RotationLambdaARN: text(inputs, "rotationLambdaArn"),
        RotateImmediately: optional<boolean>(inputs, "rotateImmediately") ?? true,
        RotationRules: {
          ...(scheduleExpression === undefined ? {} : { ScheduleExpression: String(scheduleExpression) }),
          ...(duration === undefined ? {} : { Duration: String(duration) }),
          ...(automaticallyAfterDays === undefined ? {} : { AutomaticallyAfterDays: Number(automaticallyAfterDays) }),
        },
      });
      await secretsManager.idle();
    },
    delete: ({ secretsManager }, { inputs }) => {
      secretsManager.engine.cancelRotateSecret({ SecretId: text(inputs, "secretId") });
    },
  },
};
