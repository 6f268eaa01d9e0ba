import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as secretsManager from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bundleFunction } from "../../infra/resources/function-code.ts";
import { functions } from "../../infra/resources/functions.ts";
import { bundleEntry } from "../../tools/package/bundle.ts";
import {
  type ReceivedRequest,
  type Script,
  type ScriptedServer,
  startScriptedServer,
} from "../harness/scripted-server.ts";
import * as whole from "./clients-under-test.ts";

const folder = mkdtempSync(join(tmpdir(), "c2m-sdk-"));
const { files } = await bundleEntry("test/tools/clients-under-test.ts");
writeFileSync(join(folder, "clients.cjs"), files["index.js"] ?? "");
const trimmed = createRequire(import.meta.url)(join(folder, "clients.cjs")) as typeof whole;
afterAll(() => rmSync(folder, { recursive: true }));

type Clients = typeof whole;
type Send = (clients: Clients, config: object) => Promise<object>;

const name = "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/tökén-AbCdEf";
const version = "0".repeat(32);

/** One call of every operation that the functions make. */
const calls: Record<string, Send> = {
  DescribeSecret: (clients, config) =>
    new clients.SecretsManagerClient(config).send(new clients.DescribeSecretCommand({ SecretId: name })),
  GetSecretValue: (clients, config) =>
    new clients.SecretsManagerClient(config).send(
      new clients.GetSecretValueCommand({ SecretId: name, VersionId: undefined, VersionStage: "AWSPREVIOUS" }),
    ),
  ListSecretVersionIds: (clients, config) =>
    new clients.SecretsManagerClient(config).send(
      new clients.ListSecretVersionIdsCommand({ SecretId: name, IncludeDeprecated: true, NextToken: undefined }),
    ),
  PutSecretValue: (clients, config) =>
    new clients.SecretsManagerClient(config).send(
      new clients.PutSecretValueCommand({
        SecretId: name,
        ClientRequestToken: version,
        SecretString: '{"a":"\u2028 \\ ü 🔑"}',
        VersionStages: ["AWSPENDING"],
        RotationToken: undefined,
      }),
    ),
  UpdateSecretVersionStage: (clients, config) =>
    new clients.SecretsManagerClient(config).send(
      new clients.UpdateSecretVersionStageCommand({
        SecretId: name,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: version,
      }),
    ),
  FilterLogEvents: (clients, config) =>
    new clients.CloudWatchLogsClient(config).send(
      new clients.FilterLogEventsCommand({
        logGroupName: "g",
        startTime: 1_770_000_000_000,
        filterPattern: "{ $.a = 1 }",
      }),
    ),
};

describe("the trimmed SDK beside the SDK", () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await startScriptedServer();
  });
  afterAll(() => server.close());

  async function outcome(clients: Clients, send: Send, ...scripts: Script[]) {
    server.script(...scripts);
    const config = {
      endpoint: server.url,
      region: "eu-central-1",
      credentials: { accessKeyId: "AKIA", secretAccessKey: "secret", sessionToken: "session" },
      maxAttempts: scripts.length,
    };
    const from = server.requests.length;
    const told = await send(clients, config).then(
      (output) => ({ output }),
      (error: Error & { $fault?: string; $metadata?: object }) => ({
        name: error.name,
        // An answer that is no JSON is told by its kind; the texts of JSON.parse differ by what is parsed, bytes or a text.
        message: error instanceof SyntaxError ? "" : error.message,
        fault: error.$fault,
        metadata: { ...error.$metadata, totalRetryDelay: undefined },
      }),
    );
    return { told: plain(told), requests: server.requests.slice(from).map(comparable) };
  }

  it("knows every operation that a function calls, by shapes that the protocol of ours knows", () => {
    const called = Object.keys(functions).flatMap((one) =>
      bundleFunction(one as keyof typeof functions).modules.flatMap(
        ({ path }) => /commands\/(\w+)Command\.js$/.exec(path)?.[1] ?? [],
      ),
    );
    expect([...new Set(called)].sort()).toEqual(Object.keys(calls).sort());
    const shapes = { ...logs, ...secretsManager } as unknown as Record<string, unknown[]>;
    for (const operation of Object.keys(calls)) {
      const [, , , , input, output] = shapes[`${operation}$`] ?? [];
      const strange = (shape: unknown, known: string[]) =>
        [...kindsOf(shape)].filter((kind) => ![...simple, ...known].includes(kind));
      // Bytes: a value's, which the functions write as text. The protocol refuses them.
      expect(strange(input, ["1", "3", "#21"]), operation).toEqual([]);
      expect(strange(output, ["1", "2", "3", "#4", "#21"]), operation).toEqual([]);
    }
  });

  it.each(Object.keys(calls))("asks alike: %s", async (operation) => {
    const send = calls[operation] as Send;
    const script = { status: 200, body: "{}" };
    const [one, other] = [await outcome(trimmed, send, script), await outcome(whole, send, script)];
    expect(one).toEqual(other);
    expect(one.requests[0]?.headers["x-amz-target"]).toContain(`.${operation}`);
  });

  it("refuses to send what it can't write", async () => {
    const config = {
      endpoint: server.url,
      region: "us-east-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    };
    const command = new trimmed.PutSecretValueCommand({ SecretId: name, SecretBinary: new Uint8Array(1) });
    await expect(new trimmed.SecretsManagerClient(config).send(command)).rejects.toThrow("no bytes");
  });

  const requestId = { "x-amzn-requestid": "0d1e" };
  const described = {
    ARN: name,
    Name: "c2m/api-token",
    RotationEnabled: true,
    Description: null,
    LastChangedDate: 1.770123456789e9,
    LastRotatedDate: 1_770_000_000,
    NextRotationDate: "1770000000.5",
    Tags: [{ Key: "a", Value: "b", Other: 1 }],
    VersionIdsToStages: { [version]: ["AWSCURRENT", "AWSPENDING"], other: [] },
    ReplicationStatus: [
      { Region: "eu-west-1", Status: "InSync", LastAccessedDate: 1_770_000_000, StatusMessage: null },
    ],
    RotationRules: { AutomaticallyAfterDays: 30 },
    Unknown: { deep: 1 },
  };
  const answers: [string, string, Script][] = [
    ["a description", "DescribeSecret", { status: 200, headers: requestId, body: JSON.stringify(described) }],
    [
      "a value",
      "GetSecretValue",
      json({ ARN: name, VersionId: version, SecretString: "ü", VersionStages: ["A"], CreatedDate: 1.5 }),
    ],
    ["bytes", "GetSecretValue", json({ VersionId: version, SecretBinary: "AAEC/w==" })],
    [
      "a list of versions",
      "ListSecretVersionIds",
      json({
        Versions: [{ VersionId: version, VersionStages: ["A"], CreatedDate: 1, KmsKeyIds: ["k"] }, {}],
        NextToken: "n",
      }),
    ],
    [
      "lines of a log",
      "FilterLogEvents",
      json({
        events: [{ logStreamName: "s", timestamp: 1_770_000_000_123, message: "{}", ingestionTime: 2, eventId: "e" }],
        searchedLogStreams: [{ logStreamName: "s", searchedCompletely: true }],
        nextToken: "n",
      }),
    ],
    ["no body", "PutSecretValue", { status: 200 }],
    ["an error by its type", "GetSecretValue", json({ __type: "ResourceNotFoundException", Message: "gone" }, 400)],
    [
      "one with a namespace",
      "PutSecretValue",
      json({ __type: "com.amazonaws.secretsmanager#ResourceExistsException", message: "m" }, 400),
    ],
    [
      "one with an address behind",
      "PutSecretValue",
      json({ __type: "a.b#LimitExceededException:http://internal/x" }, 400),
    ],
    ["one by its code", "GetSecretValue", json({ code: "Throttling", message: "slow" }, 400)],
    [
      "one by a header",
      "GetSecretValue",
      json({ message: "m" }, 403, { "x-amzn-errortype": "AccessDeniedException:http://x" }),
    ],
    ["one that nobody knows", "FilterLogEvents", json({ __type: "NewException", message: "new" }, 400)],
    ["one of the server", "GetSecretValue", json({ __type: "InternalServiceError", Message: "oh" }, 500)],
    ["a failure without a body", "GetSecretValue", { status: 503, headers: requestId }],
    ["a gateway's page", "GetSecretValue", { status: 502, body: "<html>bad gateway</html>" }],
    ["half an answer", "GetSecretValue", { status: 200, body: '{"SecretString":"a' }],
    ["a broken answer", "GetSecretValue", { status: 200, body: '{"SecretString":"abc"}', cutAfter: 5 }],
    ["a broken connection", "GetSecretValue", "reset"],
    ["what is no HTTP", "DescribeSecret", "garbage"],
    ["throttling by status", "GetSecretValue", json({ __type: "TooManyRequestsException", message: "m" }, 429)],
  ];
  it.each(answers)("understands %s alike", async (_, operation, script) => {
    const send = calls[operation] as Send;
    const [one, other] = [await outcome(trimmed, send, script), await outcome(whole, send, script)];
    expect(one.told).toEqual(other.told);
  });

  const well = json({ ARN: name });
  const anHourAhead = { date: new Date(Date.now() + 3_600_000).toUTCString() };
  const repeats: [string, Script, number][] = [
    ["throttling", json({ __type: "ThrottlingException", message: "m" }, 400), 2],
    ["too many requests", json({ message: "m" }, 429), 2],
    ["a failure of the server", json({ __type: "InternalServiceError" }, 500), 2],
    ["a gateway's failure", { status: 503, body: "<html>" }, 2],
    ["a broken connection", "reset", 2],
    ["a refusal, which is final", json({ __type: "AccessDeniedException", message: "no" }, 400), 1],
    ["a wrong clock", json({ __type: "InvalidSignatureException", message: "Signature expired" }, 403, anHourAhead), 2],
  ];
  it.each(repeats)("repeats alike after %s", async (_, script, requests) => {
    const send = calls.DescribeSecret as Send;
    const [one, other] = [await outcome(trimmed, send, script, well), await outcome(whole, send, script, well)];
    const { $metadata: _one, ...output } = (one.told as { output: { $metadata?: object } }).output ?? {};
    const { $metadata: _other, ...expected } = (other.told as { output: { $metadata?: object } }).output ?? {};
    expect(output).toEqual(expected);
    expect(one.requests).toHaveLength(requests);
    expect(other.requests).toHaveLength(requests);
  });

  it("signs with the server's time after it was told of a wrong clock", async () => {
    const [, script] = repeats.at(-1) as (typeof repeats)[number];
    await outcome(trimmed, calls.DescribeSecret as Send, script, well);
    const [first, second] = server.requests.slice(-2).map(({ headers }) => timeOf(String(headers["x-amz-date"])));
    expect(Math.round(((second ?? 0) - (first ?? 0)) / 3_600_000)).toBe(1);
  });

  it("signs with what stands in the environment, and with what stands there once the first has expired", async () => {
    server.script(well);
    const stub = (env: Record<string, string | undefined>) => {
      for (const [variable, value] of Object.entries(env)) vi.stubEnv(variable, value);
    };
    const inEnvironment = (id: string) => ({
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: "s",
      AWS_SESSION_TOKEN: `of ${id}`,
    });
    const soon = new Date(Date.now() + 60_000).toISOString();
    const client = new trimmed.SecretsManagerClient({ endpoint: server.url, region: "us-east-1" });
    const signer = async () => {
      await client.send(new trimmed.DescribeSecretCommand({ SecretId: name }));
      const { authorization = "", "x-amz-security-token": token } = server.requests.at(-1)?.headers ?? {};
      return [/Credential=(\w+)\//.exec(authorization)?.[1], token];
    };
    stub({ ...inEnvironment("ONE"), AWS_CREDENTIAL_EXPIRATION: soon });
    expect(await signer()).toEqual(["ONE", "of ONE"]);
    stub({ ...inEnvironment("TWO"), AWS_CREDENTIAL_EXPIRATION: undefined });
    expect(await signer()).toEqual(["TWO", "of TWO"]);
  });

  it("finds the same endpoint in every region", async () => {
    const regions = await allRegions();
    expect(regions.length).toBeGreaterThan(40);
    const providerOf = (client: { config: unknown }) =>
      (client.config as { endpointProvider(parameters: object): { url: URL } }).endpointProvider;
    for (const client of ["SecretsManagerClient", "CloudWatchLogsClient"] as const) {
      const [ours, theirs] = [trimmed, whole].map((clients) =>
        providerOf(new clients[client]({ region: "us-east-1" })),
      );
      for (const Region of [...regions, "us-future-9", "somewhere"]) {
        expect(ours?.({ Region }).url.href).toBe(theirs?.({ Region }).url.href);
      }
      expect(ours?.({ Endpoint: "http://[::1]:4566/a", Region: "x" }).url.href).toBe("http://[::1]:4566/a");
      expect(() => ours?.({ Region: "us-east-1", UseFIPS: true })).toThrow("FIPS");
      expect(() => ours?.({ Region: "us-east-1", UseDualStack: true })).toThrow("both stacks");
      expect(() => ours?.({})).toThrow("region");
    }
  });
});

function json(body: object, status = 200, headers = {}): Script {
  return { status, headers, body: JSON.stringify(body) };
}

/** As JSON would hold it, but with dates and bytes told apart from texts. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one)]));
}

function comparable({ method, path, headers, body }: ReceivedRequest) {
  const { authorization = "", "user-agent": _, "x-amz-user-agent": __, "amz-sdk-invocation-id": id, ...rest } = headers;
  const { "x-amz-date": date, ...same } = rest;
  const signed = /SignedHeaders=([^,]+), Signature=[0-9a-f]{64}$/.exec(authorization)?.[1]?.split(";") ?? [];
  return {
    method,
    path,
    headers: same,
    hasDate: /^\d{8}T\d{6}Z$/.test(String(date)),
    hasId: /^[0-9a-f-]{36}$/.test(String(id)),
    signed: signed.filter((one) => one !== "x-amz-user-agent"),
    body,
  };
}

/** In ms, of an ISO 8601 time in its basic form. */
function timeOf(text: string): number {
  return Date.parse(text.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z"));
}

const simple = ["#0", "#1", "#2"];

/** The kinds of shapes in one, simple ones as `#n`. */
function kindsOf(shape: unknown, found = new Set<string>(), seen = new Set<unknown>()): Set<string> {
  if (seen.has(shape)) return found;
  seen.add(shape);
  if (typeof shape === "function") return kindsOf(shape(), found, seen);
  if (typeof shape === "number") return found.add(`#${shape & 63}`);
  if (!Array.isArray(shape)) return found.add(`${shape}`);
  if (shape.length === 2) return kindsOf(shape[0], found, seen);
  const [kind] = shape;
  if (kind !== 0) found.add(`${kind}`);
  const members: unknown[] = kind === 3 ? shape[5] : kind === 2 ? [shape[4], shape[5]] : [shape[4]];
  for (const member of members) kindsOf(member, found, seen);
  return found;
}

async function allRegions(): Promise<string[]> {
  const file = "node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js";
  const { partitionsInfo } = await import(pathToFileURL(join(import.meta.dirname, "../..", file)).href);
  return (partitionsInfo.partitions as { regions: object; regionRegex: string }[]).flatMap(({ regions, regionRegex }) =>
    Object.keys(regions).filter((region) => new RegExp(regionRegex).test(region)),
  );
}
