import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AwsError, type AwsService, type Caller } from "../../local-cloud/aws/service.ts";
import { withDates } from "../../local-cloud/aws/wire-dates.ts";
import type { CallLog } from "../../local-cloud/calls.ts";
import type { Clock } from "../../local-cloud/clock.ts";
import type { Faults } from "../../local-cloud/faults.ts";

export interface InProcessClientOptions {
  service: AwsService;
  caller: Caller;
  region: string;
  faults: Faults;
  calls: CallLog;
  clock: Clock;
}

/**
 * What the protocol's store uses of the SDK's client, on the local Secrets Manager without HTTP: for schedules by the
 * ten thousand. Faults strike as they do at the front door.
 */
export function inProcessClient(options: InProcessClientOptions): SecretsManagerClient {
  const { service, caller, region, faults, calls, clock } = options;
  const send = async (command: { input: object; constructor: { name: string } }): Promise<unknown> => {
    const operation = command.constructor.name.replace(/Command$/, "");
    const record = (status: number, error?: string) =>
      calls.record({
        at: clock.now(),
        service: service.name,
        operation,
        caller: caller.arn,
        status,
        ...(error === undefined ? {} : { error }),
      });
    const fault = await faults.take(service.name, operation);
    if (fault && "when" in fault && fault.when === "before") {
      record(0, "cut_before");
      throw named("TimeoutError", "socket hang up");
    }
    if (fault?.kind === "error") {
      record(fault.status, fault.code);
      throw named(fault.code, fault.message);
    }
    let output: unknown;
    try {
      const input = JSON.parse(JSON.stringify(command.input)) as Record<string, unknown>;
      output = withDates(await service.handle({ operation, input, caller, region, requestId: "in-process" }));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      record(error.status, error.code);
      throw named(error.code, error.message);
    }
    record(fault ? 0 : 200, fault ? "cut_after" : undefined);
    if (fault) throw named("TimeoutError", "socket hang up");
    return output;
  };
  return { send } as unknown as SecretsManagerClient;
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
