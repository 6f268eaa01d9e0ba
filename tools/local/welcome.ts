import type { LocalSession } from "./local.ts";
import { accessKey } from "./local.ts";
import type { LocalOptions } from "./options.ts";
import type { Pace } from "./pace.ts";
import { secretName } from "./program.ts";

/** The shortest that C2M takes: a document and an address that it has stored. */
const letter = '{"docSourceAll": {"documentIdSource": {"documentId": 1}}, "recipientAddressSource": {"addressId": 1}}';

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
  export C2M_BASE_URL=${cloud.c2mUrl}
  unset AWS_SESSION_TOKEN AWS_PROFILE

  npm run ops -- status --secret ${secretName}
  npm run ops -- verify --secret ${secretName}
  aws secretsmanager get-secret-value --secret-id ${secretName}
  aws secretsmanager rotate-secret --secret-id ${secretName}
  aws logs filter-log-events --log-group-name ${logGroup} --filter-pattern '{ $.message = "token.*" }'
  aws lambda invoke --function-name ${reconcilerName} /dev/stdout

  TOKEN=$(aws secretsmanager get-secret-value --secret-id ${secretName} --query SecretString --output text \\
    | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -i $C2M_BASE_URL/account -H "Authorization: Bearer $TOKEN"
  curl -i $C2M_BASE_URL/static -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '${letter}'

The function that rotates is ${rotatorName}. C2M's base URL is ${cloud.c2mUrl}.
A second C2M, which knows none of these tokens, is ${cloud.c2mStageUrl}.
`;
}
