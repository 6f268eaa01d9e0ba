import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { plan } from "../../harness/program.ts";
import { stackConfig } from "../../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig();
const account = "123456789012";

/** Every option that adds a resource, or a property to one. */
const everyOption = {
  kmsKey: "create",
  logKmsKey: "create",
  topicKmsKey: "create",
  replicaRegions: '["eu-west-1"]',
  readers: `["arn:aws:iam::${account}:role/app"]`,
  alarmEmails: '["ops@example.com"]',
  tags: '{"Team":"mail"}',
  logRetentionDays: "365",
  vpc: '{"subnetIds":["subnet-0a1b2c3d","subnet-0a1b2c3e"],"securityGroupIds":["sg-0a1b2c3d"]}',
  proxy: "http://proxy.example.com:3128",
  noProxy: '["example.com"]',
  caCertificates: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  tracing: "true",
  permissionsBoundary: `arn:aws:iam::${account}:policy/boundary`,
  memorySize: "512",
  reservedConcurrency: "10",
};

const thirty = JSON.stringify(Array.from({ length: 30 }, (_, index) => ({ name: `c2m/token-${index}` })));
const adopted = JSON.stringify([
  { name: "c2m/adopted", secretArn: `arn:aws:secretsmanager:us-east-1:${account}:secret:c2m/adopted-AbCdEf` },
]);

const configs: Record<string, { config: Record<string, string>; everyOption: boolean }> = {
  "1-token": { config, everyOption: false },
  "30-tokens": { config: { ...config, tokens: thirty, spread: "true" }, everyOption: false },
  adopted: { config: { ...config, tokens: adopted }, everyOption: false },
  "1-token-every-option": { config: { ...config, ...everyOption }, everyOption: true },
  "30-tokens-every-option": { config: { ...config, ...everyOption, tokens: thirty }, everyOption: true },
};

/** What the program declares for a config. */
export interface LintedProgram {
  name: string;
  plan: Plan;
  /** Whether every option is on. */
  everyOption: boolean;
}

export async function programs(): Promise<LintedProgram[]> {
  return Promise.all(
    Object.entries(configs).map(async ([name, { config, everyOption }]) => {
      return { name, plan: await plan({ config, secretKeys }), everyOption };
    }),
  );
}

/** The program made worse, in a way that each linter knows: what does not find it judges nothing. */
export function spoilt({ resources }: Plan): Plan {
  const worse = structuredClone(resources);
  for (const { type, inputs } of worse) {
    if (type.endsWith(":RolePolicy")) {
      const Statement = [{ Effect: "Allow", Action: ["iam:*", "s3:NoSuchAction"], Resource: "*" }];
      inputs.policy = JSON.stringify({ Version: "2012-10-17", Statement });
    }
    if (type.endsWith(":MetricAlarm")) inputs.comparisonOperator = "About";
  }
  return { resources: worse, outputs: {} };
}
