/**
 * AWS's list prices in us-east-1, in US dollars, without free tiers but for the dashboards, as looked up on 2026-11-26 in
 * stored copies of AWS's CloudWatch pricing page (free dashboards) and of guides of 2026: signoz.io/guides/cloudwatch-pricing
 * of February (metrics), c3x.dev (alarms), hivebook.wiki (secrets and their calls); those of Lambda and of logs in guides of
 * 2025. None was read on the live pages. Check them before you budget.
 */
export const prices = {
  /** Per secret and month. */
  secretMonth: 0.4,
  /** Per call of Secrets Manager's API: 0.05 per 10,000. */
  secretsManagerCall: 0.05 / 10_000,
  /** Per invocation: 0.20 per million. */
  lambdaRequest: 0.2 / 1e6,
  /** Per GB and second, arm64, the first tier. INIT is billed as well. */
  lambdaGbSecond: 0.000_013_333_4,
  /** Per GB taken in by CloudWatch Logs, class Standard. */
  logGb: 0.5,
  /** Per custom metric and month, counted by the hour in which it is emitted. */
  metricMonth: 0.3,
  /** Per alarm of one metric and month. Three dashboards of an account are free. */
  alarmMonth: 0.1,
} as const;

/** vCPUs by memory: a function with 1,769 MB has one. Source: Lambda developer guide, "Configure memory". */
export const mbPerCpu = 1_769;

/** The hours that AWS counts in a month for what it charges by the hour. */
export const hoursPerMonth = 730;
