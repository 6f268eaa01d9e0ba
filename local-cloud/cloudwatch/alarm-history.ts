import type { AlarmState } from "./alarm.ts";

/** One entry of an alarm's history, as DescribeAlarmHistory tells it. */
export interface AlarmHistoryItem {
  alarmName: string;
  /** Epoch ms. */
  at: number;
  type: "StateUpdate" | "Action";
  summary: string;
  /** JSON. */
  data: string;
}

/** CloudWatch keeps an alarm's history for so long, in ms. Source: CloudWatch user guide, "Using Amazon CloudWatch alarms". */
const keptMs = 30 * 86_400_000;

/**
 * What happened to the alarms: their changes of state and the actions that followed, in the words of recorded answers of
 * AWS (but for the data of an action that failed, of which only the summary is on record). Changes of their configuration are not in it. It outlives its alarms.
 */
export class AlarmHistory {
  #items: AlarmHistoryItem[] = [];

  /** Oldest first. */
  items(): readonly AlarmHistoryItem[] {
    return this.#items;
  }

  stateUpdate(alarmName: string, at: number, change: { from: AlarmState; to: AlarmState; reason: string }): void {
    const { from, to, reason } = change;
    const data = { version: "1.0", oldState: { stateValue: from }, newState: { stateValue: to, stateReason: reason } };
    this.#add({ alarmName, at, type: "StateUpdate", summary: `Alarm updated from ${from} to ${to}`, data });
  }

  /** @param problem why the action could not be executed; undefined where it was */
  action(alarmName: string, at: number, action: { arn: string; message: string; problem: string | undefined }): void {
    const { arn, message, problem } = action;
    const summary =
      problem === undefined
        ? `Successfully executed action ${arn}`
        : `Failed to execute action ${arn}. Received error: "${problem}"`;
    const data = {
      actionState: problem === undefined ? "Succeeded" : "Failed",
      stateUpdateTimestamp: at,
      notificationResource: arn,
      publishedMessage: problem === undefined ? JSON.stringify({ default: message }) : null,
      ...(problem === undefined ? {} : { error: problem }),
    };
    this.#add({ alarmName, at, type: "Action", summary, data });
  }

  #add({ data, ...item }: Omit<AlarmHistoryItem, "data"> & { data: object }): void {
    // Alarms are evaluated one after the other up to the present.
    const after = this.#items.findLastIndex(({ at }) => at <= item.at);
    this.#items.splice(after + 1, 0, { ...item, data: JSON.stringify(data) });
    const latest = this.#items.at(-1)?.at ?? 0;
    if ((this.#items[0]?.at ?? latest) < latest - keptMs)
      this.#items = this.#items.filter(({ at }) => at >= latest - keptMs);
  }
}
