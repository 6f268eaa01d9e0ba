import type { StepName } from "../../formats/ledger.ts";
import { metricNames } from "../../formats/metrics.ts";
import type { ProofResult } from "../../formats/proof-result.ts";
import { loggableFailure } from "../../ports/errors.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { type BootstrapResult, bootstrap } from "./bootstrap.ts";
import { createSecret } from "./create-secret.ts";
import { finishSecret } from "./finish-secret.ts";
import { proveCredentials } from "./prove-credentials.ts";
import { testSecret } from "./test-secret.ts";

/** The steps as Secrets Manager names them on the wire. */
export const steps = {
  createSecret,
  /** A C2M token is live as soon as it is issued: there is nothing to set. */
  setSecret: async (): Promise<void> => {},
  testSecret,
  finishSecret,
} satisfies Record<string, (context: RotationContext, target: StepTarget) => Promise<void>>;

/** Runs one step of a rotation and logs how it went. */
export async function runStep(context: RotationContext, step: keyof typeof steps, target: StepTarget): Promise<void> {
  await logged(context, step, target.versionId, () => steps[step](context, target));
}

/** Runs the bootstrap and logs how it went. */
export async function runBootstrap(context: RotationContext): Promise<BootstrapResult> {
  return await logged(context, "bootstrap", "", () => bootstrap(context));
}

/** Runs the proof of all clients' credentials and logs how it went. */
export async function runProveCredentials(contexts: readonly RotationContext[]): Promise<ProofResult> {
  const [first] = contexts;
  if (!first) return { outcome: "proven" };
  const duplicates = await logged(first, "proveCredentials", "", () => proveCredentials(contexts));
  if (duplicates.length === 0) return { outcome: "proven" };
  return { outcome: "proven", duplicates, at: new Date(first.clock.now()).toISOString() };
}

async function logged<Result>(
  { arn, log }: RotationContext,
  step: StepName,
  versionId: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const fields = { step, secret: arn, version_id: versionId };
  log.event("step.started", fields);
  try {
    const result = await run();
    log.event("step.succeeded", fields);
    return result;
  } catch (error) {
    log.event("step.failed", { ...fields, ...loggableFailure(error) });
    log.metric(metricNames.stepFailed);
    throw error;
  }
}
