import type { Command } from "../command.ts";
import { dryRun } from "../command.ts";
import { exitCode, refused } from "../failure.ts";
import { onlySecret } from "../target.ts";
import { date } from "../time-text.ts";
import { expiryOf, tokenOf, viewToken } from "../token-view.ts";
import { followRotation, startRotation } from "./follow-rotation.ts";

export const rotate: Command = {
  name: "rotate",
  summary: "rotate a token now; with --wait follow the steps until it is current",
  description: `Starts a rotation, as the schedule does: a new token is issued, stored, proven and promoted. The replaced token
keeps its grace. With --wait the steps are shown as they happen, and a failure with its reason from the functions' log.`,
  examples: [
    ["rotate --secret c2m/api-token --wait", "rotate and see how it goes"],
    ["rotate --stack production --secret c2m/api-token --dry-run", "only whether a rotation could start"],
  ],
  options: {
    wait: { type: "boolean", help: "follow the rotation until the new token is current" },
    timeout: { type: "string", value: "DURATION", help: 'with --wait: how long to wait (default "10 minutes")' },
    interval: { type: "string", value: "DURATION", help: 'with --wait: how often to look (default "2 seconds")' },
    ...dryRun,
  },
  whenInterrupted: "A rotation that has begun goes on in AWS; `c2m-tokens status` shows it.",
  async run(call) {
    const { options, terminal } = call;
    const wait = { timeoutMs: options.duration("timeout", 600_000), intervalMs: options.duration("interval", 2_000) };
    const target = await call.target();
    const before = await viewToken(await call.aws(), onlySecret(target));
    if (options.flag("dry-run")) {
      if (!before.rotationEnabled) throw refused(`Rotation of ${before.name} is switched off.`, "pulumi up");
      if (before.pending) {
        throw refused(
          `Another rotation of ${before.name} has not ended.`,
          `c2m-tokens unstick --secret ${before.name}`,
        );
      }
      terminal.result({ name: before.name, dryRun: true }, () => terminal.line(`Would rotate ${before.name}.`));
      return exitCode.done;
    }
    const versionId = await startRotation(call, before);
    if (!options.flag("wait")) {
      terminal.result({ name: before.name, versionId }, () => {
        terminal.line(`The rotation of ${before.name} has begun (version ${versionId}).`);
      });
      return exitCode.done;
    }
    terminal.line(`Rotating ${before.name}, version ${versionId}`);
    const { view, startedAt, promotedAt } = await followRotation(call, target, before, versionId, wait);
    const token = tokenOf(view.current);
    const result = {
      name: before.name,
      versionId,
      tokenId: token?.tokenId ?? null,
      expiresAt: token?.expiresAt ?? null,
      startedAt: new Date(startedAt).toISOString(),
      promotedAt: new Date(promotedAt).toISOString(),
    };
    terminal.result(result, () => {
      terminal.line(
        `${token?.tokenId ?? "The new token"} is current; it expires ${date(expiryOf(view.current) ?? 0)}.`,
      );
    });
    return exitCode.done;
  },
};
