import type { SecretReport } from "../../src/reconcile/report.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode } from "../failure.ts";
import { reconcilerOf } from "../target.ts";
import { viewToken } from "../token-view.ts";
import { runReconciler } from "./reconciler.ts";

export async function reconcile(call: Call): Promise<ExitCode> {
  const target = await call.target();
  const aws = await call.aws();
  const reports: SecretReport[] = [];
  for (const id of target.secrets) {
    const view = await viewToken(aws, id);
    reports.push(await runReconciler(aws, reconcilerOf(target, view.rotationLambdaArn), { secret: view.name }));
  }
  const { terminal } = call;
  terminal.result({ tokens: reports }, () => {
    for (const report of reports) {
      const bad = report.error !== undefined || report.backlog > 0;
      terminal.line(
        `${terminal.paint("strong", report.name)}  ${terminal.paint(bad ? "bad" : "good", bad ? "not done" : "done")}`,
      );
      terminal.line(`  revoked      ${report.revoked.join(" ") || "-"}`);
      terminal.line(`  in grace     ${report.waiting}`);
      terminal.line(
        `  unrevocable  ${report.unrevocable.map((one) => `${one.tokenId ?? "without id"} until ${one.expiresAt ?? "unknown"}`).join(", ") || "-"}`,
      );
      terminal.line(`  suspects     ${report.suspects.map((one) => `until ${one.latestExpiresAt}`).join(", ") || "-"}`);
      if (report.detached.length > 0) terminal.line(`  AWSPENDING taken off ${report.detached.join(" ")}`);
      if (report.error) terminal.line(`  ${terminal.paint("bad", "failed")}       ${report.error.reason}`);
    }
  });
  return reports.some(({ error, backlog }) => error || backlog > 0) ? exitCode.failed : exitCode.done;
}
