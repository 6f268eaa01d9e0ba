export function contextFor(invocation: {
  requestId: string;
  deadline: number;
  functionArn: string;
  environment: Record<string, string | undefined>;
}): Record<string, unknown>;
