import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { startFrontDoor } from "../../../local-cloud/aws/front-door.ts";
import { startC2mServer } from "../../../local-cloud/c2m/server.ts";
import { CallLog } from "../../../local-cloud/calls.ts";
import { type Fault, Faults } from "../../../local-cloud/faults.ts";
import { Iam } from "../../../local-cloud/iam/iam.ts";
import { Identities } from "../../../local-cloud/iam/identities.ts";
import { LogsService } from "../../../local-cloud/logs/service.ts";
import { CloudWatchLedger } from "../../../src/aws/cloudwatch-ledger.ts";
import type { HttpSend } from "../../../src/c2m/http.ts";
import { createHttpSend } from "../../../src/c2m/transport.ts";
import { subjectOf } from "./c2m-port.ts";
import type { Connection } from "./connection.ts";
import type { Request, Service, Trouble } from "./effects.ts";
import type { FunctionRun } from "./function-run.ts";
import { textOf } from "./in-memory-ledger.ts";
import type { World } from "./parts.ts";
import { describeCall } from "./ports.ts";

const logGroup = "/aws/lambda/proven";

/**
 * AWS's SDK tries three times, so an ordered fault has to last as long; a refusal too, since the SDK takes the virtual
 * clock for a skew of its own and repeats the call.
 */
const sdkAttempts = 3;

const awsFaults: Partial<Record<Trouble, Fault>> = {
  refused: { kind: "error", status: 400, code: "ThrottlingException", message: "as ordered" },
  error: { kind: "error", status: 500, code: "InternalServiceError", message: "as ordered" },
  denied: { kind: "error", status: 400, code: "AccessDeniedException", message: "as ordered" },
  cut: { kind: "cut", when: "before" },
  lost: { kind: "cut", when: "after" },
  down: { kind: "cut", when: "before" },
  limit: { kind: "error", status: 400, code: "LimitExceededException", message: "as ordered" },
};

const c2mFaults: Partial<Record<Trouble, Fault>> = {
  refused: { kind: "error", status: 429, code: "rate_limited", message: "as ordered" },
  error: { kind: "error", status: 500, code: "error", message: "as ordered" },
  denied: { kind: "error", status: 403, code: "forbidden", message: "as ordered" },
  cut: { kind: "cut", when: "before" },
  lost: { kind: "cut", when: "after" },
  down: { kind: "error", status: 503, code: "unavailable", message: "as ordered" },
};

/** By AWS's SDK and the product's own HTTP to the local cloud's servers on 127.0.0.1; troubles are faults of the servers. */
export async function httpConnection(world: World): Promise<Connection> {
  const { clock, service, c2m: engine, region, effects } = world;
  const [faults, calls, identities, iam] = [new Faults(clock), new CallLog(), new Identities(), new Iam()];
  const logs = new LogsService({ clock, iam, accountId: world.administrator.accountId, region });
  logs.createGroup(logGroup);
  allowEverything(iam, world.administrator.accountId);
  const frontDoor = await startFrontDoor({
    services: [service, logs],
    identities,
    iam,
    clock,
    faults,
    calls,
    // The SDK lives in the machine's time.
    allowedSkewMs: Number.POSITIVE_INFINITY,
  });
  const server = await startC2mServer({ engine, faults, calls });
  const send = createHttpSend();
  const clients = new Map<string, { aws: SecretsManagerClient; logs: CloudWatchLogsClient }>();

  const clientsOf = (run: FunctionRun) => {
    const { role } = run.invocation;
    const known = clients.get(role);
    if (known) return known;
    const config = { endpoint: frontDoor.url, region, credentials: identities.issue(world.callerOf(run)) };
    const made = { aws: new SecretsManagerClient(config), logs: new CloudWatchLogsClient(config) };
    clients.set(role, made);
    return made;
  };

  /** Sends with a fault of the server's, which is withdrawn when the answer is there. */
  const withFault = async <Answer>(
    about: { service: string; operation: string; fault: Fault; times: number },
    sendIt: () => Promise<Answer>,
  ): Promise<Answer> => {
    const withdraw = faults.add(about);
    try {
      return await sendIt();
    } finally {
      withdraw();
    }
  };

  const request = <Answer>(
    run: FunctionRun,
    about: Pick<Request<Answer>, "operation" | "mutates" | "subject"> & {
      service: Service;
      faultName: string;
      server: string;
    },
    sendIt: () => Promise<Answer>,
  ): Promise<Answer> => {
    const perform = (done: () => void) => sendIt().finally(done);
    const { faultName, server: name, ...effect } = about;
    return effects.request(run, {
      ...effect,
      perform,
      troubled: (trouble, done) => {
        const isC2m = about.service === "c2m";
        const fault = (isC2m ? c2mFaults : awsFaults)[trouble];
        if (!fault) throw new Error(`${trouble} is not played over HTTP`);
        const times = isC2m ? 1 : sdkAttempts;
        return withFault({ service: name, operation: faultName, fault, times }, () => perform(done));
      },
    });
  };

  return {
    baseUrl: server.url,
    secretsManager: (run) => {
      const { aws } = clientsOf(run);
      const sendCommand = (command: Parameters<typeof aws.send>[0]) => {
        const { name, operation, mutates, subject } = describeCall(command);
        const about = { service: "secretsmanager" as const, server: "secretsmanager", faultName: name };
        return request(run, { ...about, operation, mutates, subject }, () => aws.send(command));
      };
      return { send: sendCommand } as unknown as SecretsManagerClient;
    },
    c2m:
      (run): HttpSend =>
      (call) => {
        const path = call.url.pathname.slice(new URL(server.url).pathname.length);
        const { operation = "unknown" } = engine.identify({ ...call, path, body: call.body ?? "" });
        const about = { service: "c2m" as const, server: "c2m", faultName: operation };
        return request(run, { ...about, operation, mutates: true, subject: subjectOf(path) }, () => send(call));
      },
    ledger: (run) => {
      const { logs: client } = clientsOf(run);
      const sendCommand = (command: Parameters<typeof client.send>[0]) => {
        const operation = command.constructor.name.replace(/Command$/, "");
        const about = { service: "ledger" as const, server: "logs", faultName: operation };
        return request(run, { ...about, operation, mutates: false, subject: "" }, () => client.send(command));
      };
      return new CloudWatchLedger({ send: sendCommand } as unknown as CloudWatchLogsClient, logGroup);
    },
    logged: (line) => logs.append(logGroup, "functions", textOf(line), line.at),
    close: async () => {
      for (const { aws, logs: client } of clients.values()) {
        aws.destroy();
        client.destroy();
      }
      await frontDoor.close();
      await server.close();
    },
  };
}

// Which permissions the functions need is proven where the program is deployed.
function allowEverything(iam: Iam, accountId: string): void {
  const everything = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  });
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });
  for (const name of ["rotator", "reconciler"]) {
    iam.createRole({ name, arn: `arn:aws:iam::${accountId}:role/${name}`, assumeRolePolicy: trust });
    iam.putRolePolicy(name, "everything", everything);
  }
}
