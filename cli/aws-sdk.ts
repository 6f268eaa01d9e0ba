import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CancelRotateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  paginateListSecrets,
  RotateSecretCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from "@aws-sdk/client-secrets-manager";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { CloudWatchLedger, eventsPattern } from "../src/aws/cloudwatch-ledger.ts";
import { SecretsManagerStore } from "../src/aws/secrets-manager-store.ts";
import { isMadeBy } from "../src/formats/secret-description.ts";
import type { Aws, DescribedSecret } from "./aws.ts";
import { alarmCalls } from "./aws-alarms.ts";
import { callerArn } from "./aws-caller.ts";
import { type Environment, regionOf, requestHandlers } from "./aws-network.ts";
import { failed } from "./failure.ts";
import { pagesOf } from "./pages.ts";

/** What one try may take, in ms; the SDK makes three. */
const requestMs = 10_000;

/** The reconciler's own timeout is shorter. In ms. */
const longestInvocationMs = 330_000;

/**
 * AWS by its SDK, with the AWS CLI's rules for credentials, region, endpoints (AWS_ENDPOINT_URL), proxies and private CAs.
 *
 * @throws Failure
 */
export function connectSdk(
  given: string | undefined,
  {
    env = process.env,
    now = Date.now,
    timeoutMs = requestMs,
  }: { env?: Environment; now?: () => number; timeoutMs?: number } = {},
): Aws {
  const handler = requestHandlers(env);
  const region = regionOf(given, env);
  const common = { ...(region === undefined ? {} : { region }), customUserAgent: "c2m-tokens" };
  const requestHandler = handler(timeoutMs);
  // What is asked for the credentials (SSO, STS) goes the same way, and may not hang either.
  const credentials = defaultProvider({ clientConfig: { ...common, requestHandler } });
  const config = { ...common, credentials, requestHandler };
  const clock = new ClockWatch(now);
  const secrets = clock.watch(new SecretsManagerClient(config));
  const lambda = clock.watch(new LambdaClient(config));
  // An invocation is waited for to its end, and not begun twice.
  const invoker = clock.watch(
    new LambdaClient({ ...config, requestHandler: handler(longestInvocationMs), maxAttempts: 1 }),
  );
  const logs = clock.watch(new CloudWatchLogsClient(config));
  const cloudwatch = clock.watch(new CloudWatchClient(config));
  return {
    store: new SecretsManagerStore(secrets),
    ledger: (logGroup) => new CloudWatchLedger(logs, logGroup),
    describeSecret: async (SecretId) =>
      described(await secrets.send(new DescribeSecretCommand({ SecretId })), SecretId),
    rotateSecret: async (SecretId, ClientRequestToken) => {
      try {
        await secrets.send(new RotateSecretCommand({ SecretId, ClientRequestToken }));
        return "started";
      } catch (error) {
        // AWS has used both apostrophes in this sentence.
        if (error instanceof Error && /previous rotation isn.t complete/.test(error.message)) return "unfinished";
        throw error;
      }
    },
    cancelRotation: async (SecretId) => {
      await secrets.send(new CancelRotateSecretCommand({ SecretId }));
    },
    deleteSecret: async (SecretId, RecoveryWindowInDays) => {
      const answer = await secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays }));
      return answer.DeletionDate?.getTime();
    },
    rotatedSecrets: async () => {
      const names: string[] = [];
      for await (const { SecretList = [] } of pagesOf(
        paginateListSecrets({ client: secrets, stopOnSameToken: true }, {}),
      )) {
        for (const { Name, RotationLambdaARN } of SecretList) if (Name && RotationLambdaARN) names.push(Name);
      }
      return names;
    },
    functionConfiguration: async (FunctionName) => {
      const answer = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      return {
        runtime: answer.Runtime,
        state: answer.State,
        timeoutSeconds: answer.Timeout,
        logGroup: answer.LoggingConfig?.LogGroup,
      };
    },
    invoke: async (FunctionName, Payload) => {
      const answer = await invoker.send(new InvokeCommand({ FunctionName, Payload }));
      return { payload: answer.Payload?.transformToString() ?? "", error: answer.FunctionError };
    },
    mayInvoke: async (FunctionName) => {
      await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "DryRun" }));
    },
    logEvents: async ({ logGroup: logGroupName, from, names, nextToken }) => {
      const startTime = Math.max(0, Math.floor(from));
      const filterPattern = eventsPattern(names);
      const answer = await logs.send(new FilterLogEventsCommand({ logGroupName, startTime, filterPattern, nextToken }));
      const events = (answer.events ?? []).flatMap(({ message = "", timestamp, ingestionTime, logStreamName }) =>
        timestamp === undefined ? [] : [{ message, timestamp, ingestionTime, logStreamName }],
      );
      return { events, nextToken: answer.nextToken };
    },
    writeLog: async (logGroupName, logStreamName, lines) => {
      await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
      const logEvents = [...lines];
      const answer = await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
      // CloudWatch takes no line that is more than 2 hours ahead of its clock, or two weeks old, and says so in passing.
      if (answer.rejectedLogEventsInfo) throw failed("CloudWatch Logs did not take the lines for their time.");
    },
    logRetention: async (logGroup) => {
      const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroup }));
      const group = logGroups.find(({ logGroupName }) => logGroupName === logGroup);
      return group ? group.retentionInDays : null;
    },
    ...alarmCalls(cloudwatch),
    refusedRead: async (SecretId, VersionId) => {
      try {
        await secrets.send(new GetSecretValueCommand({ SecretId, VersionId }));
        return undefined;
      } catch (error) {
        if (!(error instanceof SecretsManagerServiceException) || error.$fault !== "client") throw error;
        return { code: error.name, message: error.message };
      }
    },
    callerArn: () => callerArn(secrets, env),
    clockAheadMs: () => clock.aheadMs,
    close: () => {
      for (const client of [secrets, lambda, invoker, logs, cloudwatch]) client.destroy();
    },
  };
}

/** Compares this machine's clock with that of AWS's answers, and has an error say which host, and which thing in which region, it is about. */
class ClockWatch {
  /** How far this machine's clock is ahead, in ms; to the second. */
  aheadMs = 0;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  watch<Client extends Watched>(client: Client): Client {
    client.middlewareStack.add(
      (next: (given: { input: Named }) => Promise<unknown>) => async (given: { input: Named }) => {
        try {
          return await next(given);
        } catch (error) {
          const { SecretId, FunctionName, logGroupName } = given.input;
          const name = SecretId ?? FunctionName ?? logGroupName;
          if (error instanceof Error && name !== undefined && !("about" in error)) {
            const value = `${name} in ${await client.config.region()}`;
            Object.defineProperty(error, "about", { value, enumerable: false });
          }
          throw error;
        }
      },
      { step: "initialize", name: "c2mTokensAbout" },
    );
    client.middlewareStack.add(
      (next: (given: Given) => Promise<Answered>) => async (given: Given) => {
        try {
          const answer = await next(given);
          this.#look(answer.response.headers?.date);
          return answer;
        } catch (error) {
          if (error instanceof Error && !("hostname" in error)) {
            Object.defineProperty(error, "hostname", { value: given.request.hostname, enumerable: false });
          }
          throw error;
        }
      },
      { step: "deserialize", priority: "low", name: "c2mTokensAnswer" },
    );
    return client;
  }

  #look(date: string | undefined): void {
    const time = Date.parse(date ?? "");
    if (!Number.isNaN(time)) this.aheadMs = this.#now() - time;
  }
}

interface Watched {
  middlewareStack: Pluggable;
  config: { region(): Promise<string> };
}

/** What names the thing that a call is about. */
interface Named {
  SecretId?: string;
  FunctionName?: string;
  logGroupName?: string;
}

interface Given {
  request: { hostname: string };
}

interface Answered {
  response: { headers?: Record<string, string> };
}

interface Pluggable {
  // biome-ignore lint/suspicious/noExplicitAny: the SDK types its middleware by the client's whole input and output.
  add(middleware: any, options: any): void;
}

function described(secret: DescribeSecretCommandOutput, secretId: string): DescribedSecret {
  const { RotationRules: rules } = secret;
  const days = rules?.AutomaticallyAfterDays;
  return {
    arn: secret.ARN ?? secretId,
    name: secret.Name ?? secretId,
    isOurs: isMadeBy(secret.Description ?? "", secret.RotationLambdaARN?.split(":")[6]),
    rotationEnabled: secret.RotationEnabled === true,
    schedule: rules?.ScheduleExpression ?? (days === undefined ? undefined : `rate(${days} days)`),
    rotationLambdaArn: secret.RotationLambdaARN,
    createdAt: secret.CreatedDate?.getTime(),
    lastRotatedAt: secret.LastRotatedDate?.getTime(),
    lastChangedAt: secret.LastChangedDate?.getTime(),
    nextRotationAt: secret.NextRotationDate?.getTime(),
    deletedAt: secret.DeletedDate?.getTime(),
    replicasInSync: (secret.ReplicationStatus ?? []).every(({ Status }) => Status === "InSync"),
    replicaRegions: (secret.ReplicationStatus ?? []).flatMap(({ Region }) => Region ?? []),
    stages: new Map(Object.entries(secret.VersionIdsToStages ?? {})),
  };
}
