import { lateReadMs } from "../acting/follow-rotation.ts";
import { exitCode } from "../failure.ts";
import { span } from "../time-text.ts";
import { tokenOf, viewToken } from "../token-view.ts";
import { seeDead } from "./end-of-grace.ts";
import { commandOn, type OwnCommand } from "./own-command.ts";
import type { Stage } from "./stage.ts";

const options = {
  yes: { type: "string", help: "" },
  interval: { type: "string", help: "" },
} as const;

/**
 * Runs `compromised` as after a leak, and looks whether what it says is so.
 *
 * @returns the version that is current then, where it is another one
 */
export async function answerLeakAndLook(stage: Stage, compromised: OwnCommand): Promise<string | undefined> {
  const { verdicts } = stage;
  const did = "compromised";
  stage.say("Answering a leak: a new token, and the end of the old one without grace");
  const before = await stage.settledView();
  const leakedId = before.current?.versionId;
  const leaked = tokenOf(before.current);
  if (leakedId === undefined || !leaked) {
    verdicts.broken("compromised", did, "there is no current token of ours");
    return undefined;
  }
  stage.mark(leakedId, leaked, "current");
  const startedAt = stage.now();
  const args = ["--yes", stage.name, "--interval", "15"];
  const { code, said } = await commandOn(stage, compromised, args, options);
  const after = await stage.until(
    async () => {
      const { current } = await viewToken(stage.aws, stage.arn);
      return current && current.versionId !== leakedId ? current : undefined;
    },
    { forMs: code === exitCode.done ? lateReadMs : 0, everyMs: 1_000 },
  );
  const token = tokenOf(after);
  if (after && token) stage.mark(after.versionId, token, "current");
  const problem =
    code !== exitCode.done
      ? `it ended with ${code}: ${said}`
      : !token || token.accessToken.equals(leaked.accessToken)
        ? "it said that it is done, and the leaked token is still current"
        : (await stage.ask(leaked)) === "works"
          ? "it said that the leaked token is dead, and C2M accepts it"
          : undefined;
  const answered = `a new token is current, and the command said that the leaked one is dead, after ${span(stage.now() - startedAt)}`;
  verdicts.judge("compromised", did, { problem, answered });
  if (problem === undefined) await seeDead(stage, leakedId, "compromised");
  await stage.askCurrent("after compromised");
  return after?.versionId;
}
