import type { LocalSession } from "./local.ts";
import { accessKey } from "./local.ts";
import type { LocalOptions } from "./options.ts";
import type { Pace } from "./pace.ts";
import { secretName } from "./program.ts";

/** What is printed when everything runs: how to point an app at it, and what to try. */
export function welcome(
  { cloud, plan }: LocalSession,
  { every, stateFile }: LocalOptions,
  { graceSeconds, reconcileEveryMs }: Pace,
): string {
  const { rotatorName, reconcilerName } = plan.outputs as { rotatorName: string; reconcilerName: string };
  const logGroup = String(plan.resources.find(({ type }) => type === "aws:cloudwatch/logGroup:LogGroup")?.inputs.name);
  return `
${secretName} is rotated every ${every}; a superseded token lives for ${graceSeconds} s more, and ${reconcilerName}
looks for it every ${reconcileEveryMs / 1_000} s. ${stateFile === undefined ? "Nothing is kept: see --state." : `The state is kept in ${stateFile}.`}

In another terminal:

  export AWS_ENDPOINT_URL=${cloud.awsUrl}
  export AWS_REGION=${cloud.region} AWS_DEFAULT_REGION=${cloud.region}
  export AWS_ACCESS_KEY_ID=${accessKey.accessKeyId} AWS_SECRET_ACCESS_KEY=${accessKey.secretAccessKey}
  unset AWS_SESSION_TOKEN AWS_PROFILE

  aws secretsmanager get-secret-value --secret-id ${secretName}
  aws secretsmanager rotate-secret --secret-id ${secretName}
  aws logs filter-log-events --log-group-name ${logGroup} --filter-pattern '{ $.message = "token.*" }'
  aws lambda invoke --function-name ${reconcilerName} /dev/stdout
  curl ${cloud.c2mUrl}/account -H "Authorization: Bearer <access_token of the secret>"

The function that rotates is ${rotatorName}. C2M's base URL is ${cloud.c2mUrl}.
`;
}
