import type { Call } from "../../local-cloud/calls.ts";

/** How often a step of the rotation called an operation, over all rotations. */
export interface CallsOfStep {
  step: string;
  service: string;
  operation: string;
  count: number;
}

/**
 * Attributes the rotation function's calls to the step that was running: each step writes when it begins and when it
 * ends, and Secrets Manager runs them one after another.
 */
export function callsPerStep(calls: readonly Call[], log: readonly string[]): CallsOfStep[] {
  const steps = stepsIn(log);
  const counts = new Map<string, CallsOfStep>();
  for (const { at, caller, service, operation } of calls) {
    const isRotators = service === "c2m" ? operation !== "submitStatic" : caller.includes("-rotator");
    if (!isRotators) continue;
    // In the moment in which a step ends and another begins: C2M's calls are recorded when they are over, AWS's when they come.
    const running = steps.filter((one) => at >= one.from && at <= one.to);
    const step = (service === "c2m" ? running[0] : running.at(-1))?.step;
    if (step === undefined) continue;
    const key = `${step} ${service} ${operation}`;
    const entry = counts.get(key) ?? { step, service, operation, count: 0 };
    entry.count += 1;
    counts.set(key, entry);
  }
  return [...counts.values()];
}

function stepsIn(log: readonly string[]): { step: string; from: number; to: number }[] {
  const steps: { step: string; from: number; to: number }[] = [];
  for (const text of log) {
    if (!text.includes('"step.')) continue;
    const { message, step, timestamp } = JSON.parse(text) as { message: string; step: string; timestamp: string };
    const at = Date.parse(timestamp);
    if (message === "step.started") steps.push({ step, from: at, to: at });
    const open = steps.findLast((one) => one.step === step);
    if (open) open.to = at;
  }
  return steps;
}
