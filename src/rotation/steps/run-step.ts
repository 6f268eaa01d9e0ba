import type { StepName } from "../../formats/ledger.ts";
import { metricNames } from "../../formats/metrics.ts";
import { told } from "../../ports/errors.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { type BootstrapResult, bootstrap } from "./bootstrap.ts";
import { createSecret } from "./create-secret.ts";
import { finishSecret } from "./finish-secret.ts";
import { testSecret } from "./test-secret.ts";

/** The steps as Secrets Manager names them on the wire. */
export const steps = {
  createSecret,
  /** A C2M token is live as soon as it is issued: there is nothing to set. */
  setSecret: async (): Promise<void> => {},
  testSecret,
  finishSecret,
} satisfies Record<string, (context: RotationContext, target: StepTarget) => Promise<void>>;

/** Runs one step of a rotation and says how it went. */
export async function runStep(context: RotationContext, step: keyof typeof steps, target: StepTarget): Promise<void> {
  await spoken(context, step, target, () => steps[step](context, target));
}

/** Runs the bootstrap and says how it went. */
export async function runBootstrap(context: RotationContext, secretId: string): Promise<BootstrapResult> {
  return await spoken(context, "bootstrap", { secretId, versionId: "" }, () => bootstrap(context, secretId));
}

async function spoken<Result>(
  { log }: RotationContext,
  step: StepName,
  target: { secretId: string; versionId: string },
  run: () => Promise<Result>,
): Promise<Result> {
  const fields = { step, secret: target.secretId, version_id: target.versionId };
  log.event("step.started", fields);
  try {
    const result = await run();
    log.event("step.succeeded", fields);
    return result;
  } catch (error) {
    log.event("step.failed", { ...fields, ...told(error) });
    log.metric(metricNames.stepFailed);
    throw error;
  }
}
