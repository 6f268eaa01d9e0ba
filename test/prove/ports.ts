import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { HttpSend } from "../../lambdas/c2m/http.ts";
import { TransportError } from "../../lambdas/c2m/http.ts";
import { AwsError, type AwsService, type Caller } from "../harness/aws/service.ts";
import type { C2mEngine } from "../harness/c2m/engine.ts";
import { type Effects, readCurrent, type Trouble } from "./effects.ts";
import type { FunctionRun } from "./function-run.ts";

/** Fields that the SDK hands out as dates and the wire carries as epoch seconds. */
const dateField = /Date$/;

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

/** The SDK's client as the product's store uses it, on the local Secrets Manager without HTTP; each send is an effect. */
export function storeClient(
  effects: Effects,
  run: FunctionRun,
  { service, caller, region }: { service: AwsService; caller: Caller; region: string },
): SecretsManagerClient {
  const send = (command: { input: object; constructor: { name: string } }): Promise<unknown> => {
    const name = command.constructor.name.replace(/Command$/, "");
    const input = JSON.parse(JSON.stringify(command.input)) as Record<string, unknown>;
    const byLabel = name === "GetSecretValue" && input.VersionId === undefined;
    return effects.request(run, {
      service: "secretsmanager",
      operation: byLabel ? readCurrent : name,
      mutates: writes.has(name),
      subject: subjectOf(input),
      perform: async () => {
        try {
          return withDates(await service.handle({ operation: name, input, caller, region, requestId: "in-process" }));
        } catch (error) {
          if (error instanceof AwsError) throw named(error.code);
          throw error;
        }
      },
      troubled: (trouble) => {
        throw named(awsNames[trouble]);
      },
    });
  };
  return { send } as unknown as SecretsManagerClient;
}

/** The C2M client's HTTP, straight to the local C2M; each request is an effect. */
export function c2mSend(effects: Effects, run: FunctionRun, engine: C2mEngine, baseUrl: string): HttpSend {
  const { origin, pathname: prefix } = new URL(baseUrl);
  return async ({ method, url, headers, body }) => {
    if (url.origin !== origin) throw new Error("A request to another host.");
    const request = { method, path: url.pathname.slice(prefix.length), headers, body: body ?? "", baseUrl };
    const { operation = "unknown" } = engine.identify(request);
    return await effects.request(run, {
      service: "c2m",
      operation,
      mutates: true,
      subject: operation === "revokeToken" ? (request.path.split("/")[3] ?? "") : "",
      perform: async () => {
        const { status, headers, body } = await engine.answer(request);
        return { status, headers, body, bodyFault: undefined };
      },
      troubled: (trouble) => {
        if (trouble === "cut" || trouble === "lost") throw new TransportError(true, "ECONNRESET");
        if (trouble === "down") throw new TransportError(false, "ECONNREFUSED");
        const status = { refused: 429, error: 500, denied: 403 }[trouble];
        return { status, headers: {}, body: '{"message":"as ordered"}', bodyFault: undefined };
      },
    });
  };
}

function subjectOf({
  ClientRequestToken,
  VersionId,
  VersionStages,
  VersionStage,
  MoveToVersionId,
}: Record<string, unknown>) {
  return [ClientRequestToken ?? VersionId, VersionStages ?? VersionStage, MoveToVersionId]
    .filter((part) => part !== undefined)
    .map(String)
    .join(" ");
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

function withDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDates);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      dateField.test(key) && typeof entry === "number" ? new Date(entry * 1_000) : withDates(entry),
    ]),
  );
}
