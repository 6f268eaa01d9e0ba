import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { type FrontDoorOptions, startFrontDoor } from "../../aws/front-door.ts";
import type { AwsService, Caller } from "../../aws/service.ts";
import { CallLog } from "../../calls.ts";
import { type Clock, VirtualClock } from "../../clock.ts";
import { Faults } from "../../faults.ts";
import { Iam } from "../../iam/iam.ts";
import { Identities } from "../../iam/identities.ts";
import type { FunctionDefinition } from "../../lambda/function-definition.ts";
import { LambdaService, type LambdaServiceOptions } from "../../lambda/service.ts";
import { LogsService } from "../../logs/service.ts";

export const accountId = "123456789012";
export const region = "eu-west-1";
export const roleArn = `arn:aws:iam::${accountId}:role/fn-role`;

export const administrator: Caller = {
  kind: "administrator",
  accountId,
  arn: `arn:aws:iam::${accountId}:user/operator`,
};

/** A session of a role of this account. */
export function roleCaller(roleName: string): Caller {
  return { kind: "role", accountId, roleName, arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/session` };
}

export function trustPolicy(service: string): string {
  return policy({ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" });
}

export function policy(...statements: Record<string, unknown>[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

export interface TestCloudOptions extends Partial<Pick<LambdaServiceOptions, "mode" | "realTimeGuardMs">> {
  clock?: Clock;
  services?: AwsService[];
  door?: Partial<FrontDoorOptions>;
}

/** A local cloud of front door, IAM, Lambda and Logs, with a role that may write its log; clients are the operator's. */
export async function startTestCloud({
  clock = new VirtualClock(),
  services = [],
  door = {},
  ...lambdaOptions
}: TestCloudOptions = {}) {
  const [faults, calls, identities, iam] = [new Faults(clock), new CallLog(), new Identities(), new Iam(accountId)];
  const logs = new LogsService({ clock, iam, accountId, region });
  const lambda = new LambdaService({ clock, iam, identities, logs, accountId, region, ...lambdaOptions });
  // The clients live in the machine's time, far from the cloud's.
  const skew = { allowedSkewMs: Number.POSITIVE_INFINITY };
  const frontDoor = await startFrontDoor({
    services: [lambda, logs, ...services],
    identities,
    iam,
    clock,
    faults,
    calls,
    ...skew,
    ...door,
  });
  lambda.setEndpoint(frontDoor.url);
  iam.createRole({ name: "fn-role", arn: roleArn, assumeRolePolicy: trustPolicy("lambda.amazonaws.com") });
  const group = `arn:aws:logs:${region}:${accountId}:log-group:/aws/lambda/*`;
  iam.putRolePolicy(
    "fn-role",
    "logs",
    policy({ Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: group }),
  );
  const clientConfig = (caller: Caller = administrator) => ({
    endpoint: frontDoor.url,
    region,
    credentials: identities.issue(caller),
    maxAttempts: 1,
  });
  return {
    clock,
    faults,
    calls,
    identities,
    iam,
    logs,
    lambda,
    url: frontDoor.url,
    clientConfig,
    lambdaClient: new LambdaClient(clientConfig()),
    logsClient: new CloudWatchLogsClient(clientConfig()),
    async stop() {
      await lambda.stop();
      await frontDoor.close();
    },
  };
}

/** A function of the test role, from the text of its index.js. */
export function functionFrom(
  name: string,
  source: string,
  overrides: Partial<FunctionDefinition> = {},
): FunctionDefinition {
  return {
    name,
    arn: `arn:aws:lambda:${region}:${accountId}:function:${name}`,
    handler: "index.handler",
    files: { "index.js": source },
    environment: {},
    timeoutSeconds: 3,
    memorySizeMb: 128,
    roleArn,
    logGroup: `/aws/lambda/${name}`,
    ...overrides,
  };
}
