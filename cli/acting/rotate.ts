import type { Call } from "../command.ts";
import { type ExitCode, exitCode, refused } from "../failure.ts";
import { rotationOff } from "../rotation-off.ts";
import { onlySecret } from "../target.ts";
import { date } from "../time-text.ts";
import { expiryOf, tokenOf, viewToken } from "../token-view.ts";
import { followRotation, startRotation } from "./follow-rotation.ts";

export async function rotate(call: Call): Promise<ExitCode> {
  const { options, terminal } = call;
  const wait = { timeoutMs: options.duration("timeout", 600_000), intervalMs: options.duration("interval", 2_000) };
  const target = await call.target();
  const before = await viewToken(await call.aws(), onlySecret(target));
  if (options.flag("dry-run")) {
    const off = rotationOff(before);
    if (off) throw off;
    if (before.pending) {
      throw refused(`Another rotation of ${before.name} has not ended.`, `c2m-tokens unstick --secret ${before.name}`);
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
  const followed = await followRotation(call, target, before, versionId, wait);
  const { view, startedAt, seenCurrentAt } = followed;
  const promotedAt = await followed.promotedAt();
  const token = tokenOf(view.current);
  const result = {
    name: before.name,
    versionId,
    tokenId: token?.tokenId ?? null,
    expiresAt: token?.expiresAt ?? null,
    startedAt: new Date(startedAt).toISOString(),
    promotedAt: promotedAt === undefined ? null : new Date(promotedAt).toISOString(),
    seenCurrentAt: new Date(seenCurrentAt).toISOString(),
  };
  terminal.result(result, () => {
    terminal.line(`${token?.tokenId ?? "The new token"} is current; it expires ${date(expiryOf(view.current) ?? 0)}.`);
  });
  return exitCode.done;
}
