import { InvokeCommand } from "@aws-sdk/client-lambda";
import type { ReconcileReport, SecretReport } from "../../src/reconcile/report.ts";
import type { Aws } from "../aws.ts";
import { failed } from "../failure.ts";

/** Runs the reconciler for one secret and waits for its report. It looks at every version and the whole log. */
export async function runReconciler(
  { lambda }: Aws,
  functionName: string,
  request: { secret: string; graceSeconds?: number },
): Promise<SecretReport> {
  const { secret, ...rest } = request;
  const Payload = JSON.stringify({ scope: "all", secrets: [secret], ...rest });
  const answer = await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload }));
  const text = answer.Payload?.transformToString() ?? "";
  if (answer.FunctionError !== undefined) {
    // Our functions' messages never hold a secret; what the runtime itself says is about time and memory.
    const { errorMessage } = JSON.parse(text) as { errorMessage?: string };
    throw failed(
      `The reconciler failed: ${errorMessage ?? answer.FunctionError}`,
      "Look at its log, and run it again.",
    );
  }
  const [report] = (JSON.parse(text) as ReconcileReport).secrets;
  if (!report) throw failed(`The reconciler reported nothing about ${secret}.`);
  return report;
}
