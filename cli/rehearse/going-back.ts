import { lateReadMs } from "../acting/follow-rotation.ts";
import { exitCode } from "../failure.ts";
import { commandOn, type OwnCommand } from "./own-command.ts";
import { holderOf, noteChange, type Rotated } from "./rotation.ts";
import type { Stage } from "./stage.ts";

/** Runs `rollback` after a rotation, and looks whether what it says is so. */
export async function goBackAndLook(stage: Stage, rollback: OwnCommand, rotated: Rotated): Promise<void> {
  const { verdicts, answers } = stage;
  stage.say("Going back to the previous token");
  const before = (await stage.describe()).lastChangedAt;
  const options = { "accept-expiry": { type: "boolean", help: "" } } as const;
  const at = stage.now();
  const { code, said } = await commandOn(stage, rollback, ["--accept-expiry"], options);
  const did = "rollback";
  const endedAt = stage.now();
  if (code !== exitCode.done) return verdicts.broken("rollback", did, `it ended with ${code}: ${said}`);
  const { versionId: replacedId, supersededId: wantedId } = rotated;
  // What was written may be seen late.
  const secret = await stage.until(
    async () => {
      const now = await stage.describe();
      return holderOf(now, "AWSCURRENT") === wantedId ? now : undefined;
    },
    { forMs: lateReadMs, everyMs: 1_000 },
  );
  if (!secret) return verdicts.broken("rollback", did, "it said that it is done, and AWSCURRENT has not moved");
  answers.delay("secretsManager.visibilityDelayMs", stage.now() - endedAt, 1_000);
  noteChange(stage, "a moved label", { before, after: secret.lastChangedAt, at });
  const wanted = await stage.tokenOf(wantedId, "current");
  const replaced = await stage.tokenOf(replacedId, "superseded");
  const problem =
    holderOf(secret, "AWSPREVIOUS") !== replacedId
      ? "AWSPREVIOUS is not at the replaced version"
      : !wanted || (await stage.ask(wanted)) !== "works"
        ? "C2M does not accept the token that is current again"
        : !replaced || (await stage.ask(replaced)) !== "works"
          ? "C2M does not accept the replaced token, which has its grace"
          : undefined;
  const answered = "AWSCURRENT and AWSPREVIOUS have changed places, and C2M accepts both tokens";
  verdicts.judge("rollback", did, { problem, answered });
  await stage.askCurrent("after rollback");
}
