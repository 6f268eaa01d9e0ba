import {
  type CloudWatchClient,
  paginateDescribeAlarmHistory,
  paginateDescribeAlarms,
  SetAlarmStateCommand,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";
import type { Aws } from "./aws.ts";
import { pagesOf } from "./pages.ts";

/** What an operator asks of CloudWatch's alarms, by the SDK. */
export function alarmCalls(cloudwatch: CloudWatchClient): Pick<Aws, "alarms" | "setAlarmState" | "alarmActions"> {
  const paged = { client: cloudwatch, stopOnSameToken: true };
  return {
    alarms: async (names) => {
      const pages = pagesOf(paginateDescribeAlarms(paged, { AlarmNames: [...names] }));
      const alarms = [];
      for await (const { MetricAlarms = [] } of pages) {
        for (const alarm of MetricAlarms) {
          alarms.push({
            name: alarm.AlarmName ?? "",
            state: alarm.StateValue,
            since: alarm.StateTransitionedTimestamp?.getTime(),
            actionsEnabled: alarm.ActionsEnabled !== false,
            actions: alarm.AlarmActions ?? [],
            treatMissingData: alarm.TreatMissingData,
            description: alarm.AlarmDescription ?? "",
          });
        }
      }
      return alarms;
    },
    setAlarmState: async (AlarmName, state, StateReason) => {
      await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: state as StateValue, StateReason }));
    },
    alarmActions: async (AlarmName, from) => {
      const asked = { AlarmName, HistoryItemType: "Action", StartDate: new Date(from) } as const;
      const actions = [];
      for await (const { AlarmHistoryItems = [] } of pagesOf(paginateDescribeAlarmHistory(paged, asked))) {
        for (const { Timestamp, HistorySummary = "" } of AlarmHistoryItems) {
          actions.push({ at: Timestamp?.getTime() ?? from, summary: HistorySummary });
        }
      }
      return actions;
    },
  };
}
