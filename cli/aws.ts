import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SecretsManagerStore } from "../src/aws/secrets-manager-store.ts";

/** The clients, with the ordinary rules for credentials, region and endpoints (AWS_ENDPOINT_URL). */
export interface Aws {
  secrets: SecretsManagerClient;
  lambda: LambdaClient;
  logs: CloudWatchLogsClient;
  cloudwatch: CloudWatchClient;
  store: SecretsManagerStore;
  close(): void;
}

/** The reconciler's own timeout is shorter. In ms. */
const longestInvocationMs = 15 * 60_000;

export function connect(region: string | undefined): Aws {
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
    secrets,
    lambda,
    logs,
    cloudwatch,
    store: new SecretsManagerStore(secrets),
    close: () => {
      for (const client of [secrets, lambda, logs, cloudwatch]) client.destroy();
    },
  };
}
