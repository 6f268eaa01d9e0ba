/** What AWS takes, as far as it can be known before anything is deployed. Where Pulumi adds to a name, that is counted. */
export const limits = {
  /** Pulumi adds a hyphen and seven characters to the names of roles and event rules, which AWS limits to 64. */
  nameLength: { withMonitoring: 40, withoutMonitoring: 45 },
  /** Of a resource, ours among them. */
  tags: 50,
  tagKeyLength: 128,
  tagValueLength: 256,
  /** All inline policies of a role, in characters. */
  rolePolicies: 10_240,
  /** The longest ARN of a secret, but for its name, with the quotes and the comma around it. */
  arnLength: 77,
  /** ARNs of adopted secrets: the reconciler's role names each twice, beside some 2,200 characters. */
  adoptedArns: 4_000,
  /** An event pattern, in characters. */
  eventPattern: 2_048,
  /** What there is of a pattern without its ARNs, at most. */
  eventPatternFrame: 200,
  /** Rules of one kind; EventBridge has 300 in all, 100 in some regions. */
  eventRules: 20,
  /** Of a function's network interface. */
  subnets: 16,
  securityGroups: 5,
  /** Of a function, in MB. */
  memorySize: [128, 10_240],
  /** Of a rotation function: Secrets Manager starts steps of several secrets at once. AWS leaves 100 to all others. */
  reservedConcurrency: [10, 1_000_000],
} as const;

/** The retention times that CloudWatch Logs takes, in days. */
export const retentions: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
