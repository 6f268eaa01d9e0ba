import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AwsError } from "../../../local-cloud/aws/service.ts";
import { withDates } from "../../../local-cloud/aws/wire-dates.ts";
import { type HttpSend, TransportError } from "../../../src/c2m/http.ts";
import type { Connection } from "./connection.ts";
import { readCurrent, type Trouble } from "./effects.ts";
import type { FunctionRun } from "./function-run.ts";
import type { World } from "./parts.ts";

const baseUrl = "https://c2m.test/v2";

const writes = new Set(["PutSecretValue", "UpdateSecretVersionStage"]);

/** What the SDK calls each trouble. */
const awsNames: Record<Trouble, string> = {
  refused: "ThrottlingException",
  error: "InternalServiceError",
  denied: "AccessDeniedException",
  cut: "TimeoutError",
  lost: "TimeoutError",
  down: "TimeoutError",
};

/** Straight to the engines: no HTTP, no waiting, for schedules by the ten thousand. */
export function engineConnection(world: World): Connection {
  return {
    baseUrl,
    secretsManager: (run) => secretsManager(world, run),
    c2m: (run) => c2m(world, run),
    ledger: (run) => ({
      read: (from) =>
        world.effects.request(run, {
          service: "ledger",
          operation: "FilterLogEvents",
          mutates: false,
          subject: "",
          perform: async (done) => {
            const entries = world.ledger.read(from, world.clock.now());
            done();
            return { entries, unreadable: 0 };
          },
          troubled: async (trouble) => {
            throw named(awsNames[trouble]);
          },
        }),
    }),
    logged: () => {},
    close: async () => {},
  };
}

/** A call as the explorer names it. */
export function describeCall(command: { input: object; constructor: { name: string } }) {
  const name = command.constructor.name.replace(/Command$/, "");
  const input = JSON.parse(JSON.stringify(command.input)) as Record<string, unknown>;
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
        if (error instanceof AwsError) throw named(error.code);
        throw error;
      }
    };
    return effects.request(run, {
      service: "secretsmanager",
      ...about,
      perform,
      troubled: async (trouble, done) => {
        if (trouble === "lost") await perform(done);
        throw named(awsNames[trouble]);
      },
    });
  };
  return { send } as unknown as SecretsManagerClient;
}

function c2m({ effects, c2m: engine }: World, run: FunctionRun): HttpSend {
  const { origin, pathname: prefix } = new URL(baseUrl);
  return async ({ method, url, headers, body }) => {
    if (url.origin !== origin) throw new Error("A request to another host.");
    const request = { method, path: url.pathname.slice(prefix.length), headers, body: body ?? "", baseUrl };
    const { operation = "unknown" } = engine.identify(request);
    const perform = async (done: () => void) => {
      const pending = engine.answer(request);
      done();
      const answer = await pending;
      return { status: answer.status, headers: answer.headers, body: answer.body, bodyFault: undefined };
    };
    return await effects.request(run, {
      service: "c2m",
      operation,
      mutates: true,
      subject: subjectOf(request.path),
      perform,
      troubled: async (trouble, done) => {
        if (trouble === "lost") await perform(done);
        if (trouble === "cut" || trouble === "lost") throw new TransportError(true, "ECONNRESET");
        if (trouble === "down") throw new TransportError(false, "ECONNREFUSED");
        const status = { refused: 429, error: 500, denied: 403 }[trouble];
        return { status, headers: {}, body: '{"message":"as ordered"}', bodyFault: undefined };
      },
    });
  };
}

/** The token id in the path of a revocation. */
export function subjectOf(path: string): string {
  return decodeURIComponent(/tokens\/([^/]+)\/revoke$/.exec(path)?.[1] ?? "");
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}
