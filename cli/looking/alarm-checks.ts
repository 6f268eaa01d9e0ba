import { alarmNames, deployedAlarmName } from "../../src/formats/metrics.ts";
import type { Alarm } from "../aws.ts";
import type { Call } from "../command.ts";
import { failed, failureOf } from "../failure.ts";
import { rotationOf, type Target } from "../target.ts";
import { relative } from "../time-text.ts";
import { type Finding, found } from "./finding.ts";

/** What was found of the alarms of one rotation. */
export interface AlarmFindings {
  /** What the alarms' names begin with; null where that can't be told. */
  rotation: string | null;
  checks: Finding[];
}

/** Without a look at what is really there, Pulumi would take for unchanged what somebody changed behind its back. */
const redeploy = "pulumi up --refresh";

/**
 * Looks at every alarm that the program declares: whether it is there, rings, and would tell somebody. One result for
 * each rotation that keeps one of the secrets. Never throws.
 *
 * @param lambdaArns the rotation functions of the secrets that could be seen; undefined for one that names none
 */
export async function examineAlarms(
  call: Call,
  target: Target,
  lambdaArns: readonly (string | undefined)[],
): Promise<AlarmFindings[]> {
  if (call.options.flag("no-alarms")) return [];
  const rotations = new Set<string>();
  const unnamed: AlarmFindings[] = [];
  const given = call.options.text("alarm-prefix");
  if (given !== undefined) rotations.add(given);
  else {
    // A stack names its rotator, even where its secrets can't be seen.
    for (const lambdaArn of lambdaArns.length === 0 && target.functions.rotator ? [undefined] : lambdaArns) {
      try {
        rotations.add(rotationOf(target, lambdaArn));
      } catch (error) {
        unnamed.push({ rotation: null, checks: [unknown(error)] });
      }
    }
  }
  const named = await Promise.all([...rotations].map((rotation) => examineRotation(call, target, rotation)));
  return [...named, ...unnamed];
}

async function examineRotation(call: Call, target: Target, rotation: string): Promise<AlarmFindings> {
  try {
    const there = await readAlarms(call, rotation);
    if (there.size === 0) return { rotation, checks: [none(rotation, target)] };
    const now = call.clock.now();
    const checks = alarmNames.map((name) => {
      const deployed = deployedAlarmName(rotation, name);
      return judge(name, deployed, there.get(deployed), now);
    });
    return { rotation, checks: [...checks, await examineDelivery(call, there)] };
  } catch (error) {
    return { rotation, checks: [unknown(error)] };
  }
}

/** CloudWatch keeps an alarm's history for so long, in ms. */
const historyMs = 30 * 86_400_000;

/** Whether what an alarm told the topic last got through, by its own history: of those that ring, and one that each deployment sets off. */
async function examineDelivery(call: Call, alarms: ReadonlyMap<string, Alarm>): Promise<Finding> {
  const asked = [...alarms.values()].filter(
    ({ name, state }) => state === "ALARM" || name.endsWith("-reconciler-silent"),
  );
  return await found("alarm-delivery", async () => {
    const aws = await call.aws();
    const since = call.clock.now() - historyMs;
    const told = (await Promise.all(asked.map(({ name }) => aws.alarmActions(name, since)))).flat();
    const last = told.reduce<(typeof told)[number] | undefined>(
      (one, next) => (one && one.at > next.at ? one : next),
      undefined,
    );
    if (!last) return "no alarm has told anything in 30 days";
    if (!last.summary.startsWith("Failed"))
      return `the last message got through, ${relative(last.at, call.clock.now())}`;
    const remedy =
      "let cloudwatch.amazonaws.com publish by the topic's policy and, where the topic is encrypted, use its key by the key's policy (kms:Decrypt, kms:GenerateDataKey*); `topicKmsKey: create` does both";
    throw failed(
      `The last message did not get through, ${relative(last.at, call.clock.now())}: ${last.summary}`,
      remedy,
    );
  });
}

/** Asks for them by their names, not by what those begin with: another rotation's name may begin with this one's. */
async function readAlarms(call: Call, rotation: string): Promise<Map<string, Alarm>> {
  const alarms = await (await call.aws()).alarms(alarmNames.map((name) => deployedAlarmName(rotation, name)));
  return new Map(alarms.map((alarm) => [alarm.name, alarm]));
}

function judge(check: string, deployed: string, alarm: Alarm | undefined, now: number): Finding {
  if (!alarm) return { check, ok: false, said: `There is no alarm ${deployed}.`, fix: redeploy };
  const problems: { said: string; fix: string }[] = [];
  if (alarm.state === "ALARM") {
    const since = alarm.since === undefined ? "" : `, since ${relative(alarm.since, now)}`;
    problems.push({ said: `${deployed} is in ALARM${since}.`, fix: runbookSection(check, alarm) });
  }
  if (!alarm.actionsEnabled) {
    const fix = `aws cloudwatch enable-alarm-actions --alarm-names ${deployed}`;
    problems.push({ said: "Its actions are disabled: nobody hears it.", fix });
  }
  if (!alarm.actions.some((action) => action.split(":")[2] === "sns")) {
    problems.push({ said: "It tells no SNS topic when it rings: nobody can subscribe to it.", fix: redeploy });
  }
  if (problems.length === 0) return { check, ok: true, said: stateText(alarm), fix: null };
  const told = (part: "said" | "fix", between: string) => problems.map((problem) => problem[part]).join(between);
  return { check, ok: false, said: told("said", " "), fix: told("fix", ", and ") };
}

/** What is said of an alarm that does not ring. */
function stateText({ state, treatMissingData }: Alarm): string {
  if (state !== "INSUFFICIENT_DATA") return state ?? "in no state";
  if (treatMissingData === "breaching") return "no figures yet; it will ring if none come";
  if (treatMissingData === "notBreaching") return "no figures yet; none means that nothing happened";
  return "no figures yet; it judges when the first come";
}

/** As the deployed alarm tells it: the stack may have a runbook of its own. */
function runbookSection(name: string, { description }: Alarm): string {
  const last = description.split(" ").at(-1) ?? "";
  return last.endsWith(`#${name}`) ? last : `docs/runbook.md#${name}`;
}

function none(rotation: string, { isMonitored }: Target): Finding {
  const check = "alarms";
  if (isMonitored === false) return { check, ok: true, said: "none; the stack's monitoring is off", fix: null };
  const said = `There is none of the ${alarmNames.length} alarms ${deployedAlarmName(rotation, "…")}`;
  return { check, ok: false, said, fix: `${redeploy}; where the monitoring is off on purpose, use --no-alarms` };
}

function unknown(error: unknown): Finding {
  const { message, remedy = null } = failureOf(error);
  return { check: "alarms", ok: false, said: `Can't tell. ${message}`, fix: remedy };
}
