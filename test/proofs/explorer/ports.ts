import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AwsError } from "../../../local-cloud/aws/service.ts";
import { withDates } from "../../../local-cloud/aws/wire-dates.ts";
import { c2mPort } from "./c2m-port.ts";
import type { Connection } from "./connection.ts";
import { readCurrent, type Trouble } from "./effects.ts";
import type { FunctionRun } from "./function-run.ts";
import type { World } from "./parts.ts";

/** Of the C2M that everything begins with. */
export const baseUrl = "https://c2m.test/v2";

const writes = new Set([
  "PutSecretValue",
  "UpdateSecretVersionStage",
  "RotateSecret",
  "CancelRotateSecret",
  "DeleteSecret",
]);

/** What the SDK calls each trouble. */
const awsNames: Partial<Record<Trouble, string>> = {
  refused: "ThrottlingException",
  error: "InternalServiceError",
  denied: "AccessDeniedException",
  cut: "TimeoutError",
  lost: "TimeoutError",
  down: "TimeoutError",
  limit: "LimitExceededException",
};

/** Straight to the engines: no HTTP, no waiting, for schedules by the ten thousand. */
export function engineConnection(world: World): Connection {
  return {
    baseUrl,
    secretsManager: (run) => secretsManager(world, run),
    c2m: (run) => c2mPort(world, run),
    ledger: (run) => ({
      read: (from) =>
        world.effects.request(run, {
          service: "ledger",
          operation: "FilterLogEvents",
          mutates: false,
          subject: "",
          perform: async (done) => {
            const part = world.ledger.read(from, world.clock.now());
            done();
            return part;
          },
          troubled: async (trouble) => {
            throw named(awsNames[trouble] ?? trouble);
          },
        }),
    }),
    logged: () => {},
    close: async () => {},
  };
}

/** A call as the explorer names it. */
export function describeCall(command: { input: object; constructor: { name: string } }) {
  const name = nameOf(command.constructor.name);
  const input = onTheWire(command.input);
  const { ClientRequestToken, VersionId, VersionStages, VersionStage, MoveToVersionId } = input;
  const parts = [ClientRequestToken ?? VersionId, VersionStages ?? VersionStage, MoveToVersionId];
  return {
    name,
    input,
    operation: name === "GetSecretValue" && VersionId === undefined ? readCurrent : name,
    mutates: writes.has(name),
    subject: parts.filter((part) => part !== undefined).join(" "),
  };
}

const names = new Map<string, string>();

/** The operation of a command's class. */
function nameOf(className: string): string {
  const name = names.get(className) ?? className.replace(/Command$/, "");
  names.set(className, name);
  return name;
}

/** Without what is undefined, as JSON has it. */
function onTheWire(input: object): Record<string, unknown> {
  const sent: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) if (value !== undefined) sent[name] = value;
  return sent;
}

function secretsManager({ effects, service, region, callerOf }: World, run: FunctionRun): SecretsManagerClient {
  const caller = callerOf(run);
  const send = (command: { input: object; constructor: { name: string } }): Promise<unknown> => {
    const { name, input, ...about } = describeCall(command);
    const perform = async (done: () => void) => {
      try {
        const answer = service.handle({ operation: name, input, caller, region, requestId: "in-process" });
        done();
        return withDates(await answer);
      } catch (error) {
        if (error instanceof AwsError) throw named(error.code, error.message);
        throw error;
      }
    };
    return effects.request(run, {
      service: "secretsmanager",
      ...about,
      perform,
      troubled: async (trouble, done) => {
        if (trouble === "lost") await perform(done);
        throw named(awsNames[trouble] ?? trouble);
      },
    });
  };
  return { send } as unknown as SecretsManagerClient;
}

function named(name: string, message = name): Error {
  return Object.assign(new Error(message), { name });
}
