import { CloudWatchClient, paginateDescribeAlarms } from "@aws-sdk/client-cloudwatch";
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
  ListSecretsCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { CloudWatchLedger, eventsPattern } from "../src/aws/cloudwatch-ledger.ts";
import { SecretsManagerStore } from "../src/aws/secrets-manager-store.ts";
import type { Aws, DescribedSecret } from "./aws.ts";

/** The reconciler's own timeout is shorter. In ms. */
const longestInvocationMs = 15 * 60_000;

/** AWS by its SDK, with the ordinary rules for credentials, region and endpoints (AWS_ENDPOINT_URL). */
export function connectSdk(region: string | undefined): Aws {
  const config = {
    ...(region === undefined ? {} : { region }),
    customUserAgent: "c2m-tokens",
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000 },
  };
  const secrets = new SecretsManagerClient(config);
  const lambda = new LambdaClient({
    ...config,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: longestInvocationMs },
  });
  const logs = new CloudWatchLogsClient(config);
  const cloudwatch = new CloudWatchClient(config);
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
      let NextToken: string | undefined;
      do {
        const answer = await secrets.send(new ListSecretsCommand({ NextToken }));
        for (const { Name, RotationLambdaARN } of answer.SecretList ?? [])
          if (Name && RotationLambdaARN) names.push(Name);
        NextToken = answer.NextToken;
      } while (NextToken);
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
      const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload }));
      return { payload: answer.Payload?.transformToString() ?? "", error: answer.FunctionError };
    },
    mayInvoke: async (FunctionName) => {
      await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "DryRun" }));
    },
    logEvents: async ({ logGroup: logGroupName, from, names, nextToken }) => {
      const startTime = Math.max(0, Math.floor(from));
      const filterPattern = eventsPattern(names);
      const answer = await logs.send(new FilterLogEventsCommand({ logGroupName, startTime, filterPattern, nextToken }));
      const events = (answer.events ?? []).flatMap(({ message = "", timestamp, logStreamName }) =>
        timestamp === undefined ? [] : [{ message, timestamp, logStreamName }],
      );
      return { events, nextToken: answer.nextToken };
    },
    writeLog: async (logGroupName, logStreamName, lines) => {
      await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
      await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: [...lines] }));
    },
    logRetention: async (logGroup) => {
      const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroup }));
      const group = logGroups.find(({ logGroupName }) => logGroupName === logGroup);
      return group ? group.retentionInDays : null;
    },
    alarms: async (names) => {
      const pages = paginateDescribeAlarms({ client: cloudwatch }, { AlarmNames: [...names] });
      const alarms = [];
      for await (const { MetricAlarms = [] } of pages) {
        for (const alarm of MetricAlarms) {
          alarms.push({
            name: alarm.AlarmName ?? "",
            state: alarm.StateValue,
            since: alarm.StateTransitionedTimestamp?.getTime(),
            actionsEnabled: alarm.ActionsEnabled !== false,
            actions: alarm.AlarmActions ?? [],
            treatMissingData: alarm.TreatMissingData,
            description: alarm.AlarmDescription ?? "",
          });
        }
      }
      return alarms;
    },
    close: () => {
      for (const client of [secrets, lambda, logs, cloudwatch]) client.destroy();
    },
  };
}

function described(secret: DescribeSecretCommandOutput, secretId: string): DescribedSecret {
  const { RotationRules: rules } = secret;
  const days = rules?.AutomaticallyAfterDays;
  return {
    arn: secret.ARN ?? secretId,
    name: secret.Name ?? secretId,
    rotationEnabled: secret.RotationEnabled === true,
    schedule: rules?.ScheduleExpression ?? (days === undefined ? undefined : `rate(${days} days)`),
    rotationLambdaArn: secret.RotationLambdaARN,
    createdAt: secret.CreatedDate?.getTime(),
    lastRotatedAt: secret.LastRotatedDate?.getTime(),
    lastChangedAt: secret.LastChangedDate?.getTime(),
    nextRotationAt: secret.NextRotationDate?.getTime(),
    deletedAt: secret.DeletedDate?.getTime(),
    replicasInSync: (secret.ReplicationStatus ?? []).every(({ Status }) => Status === "InSync"),
    stages: new Map(Object.entries(secret.VersionIdsToStages ?? {})),
  };
}
