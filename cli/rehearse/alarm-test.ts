import { alarmNames, deployedAlarmName } from "../../src/formats/metrics.ts";
import type { Alarm } from "../aws.ts";
import { span } from "../time-text.ts";
import type { Stage } from "./stage.ts";

/** How long the action of an alarm may take to be in its history, in ms. */
const heardMs = 3 * 60_000;

const reason = "c2m-tokens rehearse: nothing is wrong, this only tries whether the alarm is heard.";

/** Looks whether the alarms are there, and sets one off to see whether it is heard. */
export async function tryAlarms(stage: Stage): Promise<void> {
  const { rotation, target } = stage.options;
  if (target.isMonitored === false) return;
  stage.say("Looking at the alarms");
  const names = alarmNames.map((name) => deployedAlarmName(rotation, name));
  const there = new Map((await stage.aws.alarms(names)).map((alarm) => [alarm.name, alarm]));
  const problems = names.flatMap((name) => problemOf(name, there.get(name)));
  const ringing = [...there.values()].filter(({ state }) => state === "ALARM").map(({ name }) => name);
  stage.verdicts.judge("alarms", `DescribeAlarms of ${names.length} names`, {
    problem: problems.length === 0 ? undefined : problems.join("; "),
    answered: `all are there${ringing.length === 0 ? "" : `; in ALARM by themselves: ${ringing.join(", ")}`}`,
  });
  const candidates = [...there.values()].filter(
    (alarm) => alarm.state !== "ALARM" && problemOf(alarm.name, alarm).length === 0,
  );
  // One of which no figure means that nothing has happened: CloudWatch sets it back by itself.
  const alarm = candidates.find(({ treatMissingData }) => treatMissingData === "notBreaching") ?? candidates[0];
  if (alarm) await setOff(stage, alarm);
}

function problemOf(name: string, alarm: Alarm | undefined): string[] {
  if (!alarm) return [`there is no ${name}`];
  if (!alarm.actionsEnabled) return [`the actions of ${name} are disabled`];
  return topicsOf(alarm).length === 0 ? [`${name} tells no topic`] : [];
}

function topicsOf({ actions }: Alarm): string[] {
  return actions.filter((action) => action.split(":")[2] === "sns");
}

async function setOff(stage: Stage, alarm: Alarm): Promise<void> {
  const { aws, verdicts } = stage;
  const { name, state = "OK" } = alarm;
  const startedAt = stage.now();
  stage.say(`Setting off ${name}, which its subscribers hear`);
  stage.alarm = { name, isSetBack: false };
  try {
    await aws.setAlarmState(name, "ALARM", reason);
    const topics = topicsOf(alarm);
    const told = new Map<string, string>();
    await stage.until(
      async () => {
        // Clocks differ: of the seconds before only what is about these topics counts, which no earlier run can have done.
        for (const { summary } of await aws.alarmActions(name, startedAt - 5_000)) {
          for (const topic of topics) if (summary.includes(topic)) told.set(topic, summary);
        }
        return told.size === topics.length ? true : undefined;
      },
      { forMs: heardMs, everyMs: 5_000 },
    );
    const silent = topics.filter((topic) => !told.has(topic));
    const failures = [...told.values()].filter((summary) => !summary.startsWith("Successfully"));
    const problem =
      failures.length > 0
        ? failures.join("; ")
        : silent.length > 0
          ? `its history tells of no action for ${silent.join(", ")} within ${span(heardMs)}`
          : undefined;
    const answered = [...told.values()].join("; ");
    verdicts.judge("heard", `SetAlarmState of ${name}, and DescribeAlarmHistory`, { problem, answered });
  } finally {
    await aws.setAlarmState(name, state, "c2m-tokens rehearse: set back.");
    stage.alarm = { name, isSetBack: true };
  }
}
