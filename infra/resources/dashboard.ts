import { metricNames, metricsNamespace } from "../../src/formats/metrics.ts";

/** Whose figures a dashboard shows. */
export interface DashboardSubject {
  rotation: string;
  rotatorName: string;
  reconcilerName: string;
  region: string;
  alarmArns: string[];
}

type Metric = (string | Record<string, string>)[];

const columns = 24;
const height = 6;
const half = columns / 2;

/** The dashboard of a rotation: alarms on top, then what it is all about (how long the tokens still live), then the work. */
export function dashboardBody(subject: DashboardSubject): string {
  const { rotation, rotatorName, reconcilerName, region, alarmArns } = subject;
  const own = (...names: string[]): Metric[] => names.map((name) => [metricsNamespace, name, "service", rotation]);
  const lambda = (metric: string): Metric[] =>
    [rotatorName, reconcilerName].map((name) => ["AWS/Lambda", metric, "FunctionName", name]);
  const graph = (title: string, stat: string, metrics: Metric[], position: { x: number; y: number }) => ({
    type: "metric",
    ...position,
    width: half,
    height,
    properties: { title, region, stat, period: 3_600, view: "timeSeries", metrics },
  });
  return JSON.stringify({
    widgets: [
      {
        type: "alarm",
        x: 0,
        y: 0,
        width: columns,
        height: 3,
        properties: { title: `Alarms of ${rotation}`, alarms: alarmArns },
      },
      graph("Seconds until the first current token expires", "Minimum", own(metricNames.secondsToExpiry), {
        x: 0,
        y: 3,
      }),
      graph(
        "Rotations",
        "Sum",
        own(metricNames.promoted, metricNames.revoked, metricNames.revocationFailed, metricNames.stepFailed),
        { x: half, y: 3 },
      ),
      graph(
        "Tokens that are not current and live",
        "Maximum",
        own(
          metricNames.waiting,
          metricNames.backlog,
          metricNames.unrevocable,
          metricNames.suspects,
          metricNames.held,
          metricNames.unseen,
        ),
        { x: 0, y: 9 },
      ),
      graph(
        "What should be zero",
        "Maximum",
        own(
          metricNames.currentRejected,
          metricNames.rotationTooLate,
          metricNames.secretsFailed,
          metricNames.orphansRevoked,
          metricNames.issueAmbiguous,
          metricNames.lifetimeClamped,
          metricNames.revokedAlive,
          metricNames.credentialsFallback,
        ),
        { x: half, y: 9 },
      ),
      graph("Seconds that a version has been pending", "Maximum", own(metricNames.pendingAge), { x: 0, y: 15 }),
      graph("Lifetime that C2M granted where it clamped", "Minimum", own(metricNames.lifetimeGranted), {
        x: half,
        y: 15,
      }),
      graph("Runs", "Sum", lambda("Invocations"), { x: 0, y: 21 }),
      graph("Errors, throttles", "Sum", [...lambda("Errors"), ...lambda("Throttles")], { x: half, y: 21 }),
    ],
  });
}
