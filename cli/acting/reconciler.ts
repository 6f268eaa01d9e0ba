import type { ReconcileReport, SecretReport } from "../../src/reconcile/report.ts";
import type { Aws } from "../aws.ts";
import { failed } from "../failure.ts";

/** Runs the reconciler for one secret and waits for its report. It looks at every version and the whole log. */
export async function runReconciler(
  aws: Aws,
  functionName: string,
  request: { secret: string; graceSeconds?: number },
): Promise<SecretReport> {
  const { secret, ...rest } = request;
  const payload = JSON.stringify({ scope: "all", secrets: [secret], ...rest });
  const { payload: text, error } = await aws.invoke(functionName, payload);
  if (error !== undefined) {
    // Our functions' messages never hold a secret; what the runtime itself says is about time and memory.
    const { errorMessage } = JSON.parse(text) as { errorMessage?: string };
    throw failed(`The reconciler failed: ${errorMessage ?? error}`, "Look at its log, and run it again.");
  }
  const [report] = (JSON.parse(text) as ReconcileReport).secrets;
  if (!report) throw failed(`The reconciler reported nothing about ${secret}.`);
  return report;
}
