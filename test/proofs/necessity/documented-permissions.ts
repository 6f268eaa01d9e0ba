/**
 * What AWS documents as needed and no local call can show: each is granted on AWS's word alone. Run as a program, it prints
 * the list.
 */
export const documentedOnly: readonly { action: string; needed: string; source: string }[] = [
  ...[
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ].map((action) => ({
    action,
    needed: "with `vpc`: Lambda makes the function's network interfaces with its role",
    source: "Lambda developer guide, execution role permissions for a VPC",
  })),
  ...["xray:PutTraceSegments", "xray:PutTelemetryRecords"].map((action) => ({
    action,
    needed: "with `tracing`: Lambda sends the function's traces with its role",
    source: "Lambda developer guide, X-Ray execution role permissions",
  })),
];

export function isDocumentedOnly(action: string): boolean {
  return documentedOnly.some((one) => one.action === action);
}

if (import.meta.main) {
  for (const { action, needed, source } of documentedOnly) process.stdout.write(`${action}  ${needed} (${source})\n`);
}
