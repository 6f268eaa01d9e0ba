import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { startFrontDoor } from "../../aws/front-door.ts";
import type { Fault } from "../../faults.ts";
import { EchoService } from "./echo-service.ts";
import { send, signedRequest } from "./signed-request.ts";
import { administrator, policy, roleArn, roleCaller, startTestCloud, trustPolicy } from "./test-cloud.ts";

const service = new EchoService();
const cloud = await startTestCloud({ services: [service] });
afterAll(() => cloud.stop());

const client = new SecretsManagerClient(cloud.clientConfig());
const describeSecret = (SecretId: string, by = client) => by.send(new DescribeSecretCommand({ SecretId }));
const order = (fault: Fault) => cloud.faults.add({ service: "secretsmanager", operation: "DescribeSecret", fault });

beforeEach(() => {
  cloud.faults.clear();
  service.requests.length = 0;
});

describe("a call", () => {
  test("reaches its service and comes back as the SDK's types", async () => {
    const output = await describeSecret("token");
    expect(output).toMatchObject({ Name: "token", CreatedDate: new Date("2026-01-01T00:00:00.500Z") });
    expect(service.requests).toEqual([
      {
        operation: "DescribeSecret",
        input: { SecretId: "token" },
        caller: administrator,
        region: "eu-west-1",
        requestId: output.$metadata.requestId,
        authorize: expect.any(Function),
      },
    ]);
  });

  test("is recorded with caller and time, and with the error's code where it failed", async () => {
    cloud.calls.calls.length = 0;
    await describeSecret("token");
    await describeSecret("missing").catch(() => undefined);
    const call = {
      at: cloud.clock.now(),
      service: "secretsmanager",
      operation: "DescribeSecret",
      caller: administrator.arn,
    };
    expect(cloud.calls.calls).toEqual([
      { ...call, status: 200 },
      { ...call, status: 400, error: "ResourceNotFoundException" },
    ]);
  });

  test("fails in AWS's shape: the bare code, and the message with a capital", async () => {
    const answer = await send(await signedRequest(cloud.clientConfig(), "missing"));
    const message = "Secrets Manager can't find the specified secret.";
    expect([answer.status, answer.json()]).toEqual([400, { __type: "ResourceNotFoundException", Message: message }]);
    expect(answer.headers.get("content-type")).toBe("application/x-amz-json-1.1");
    expect(answer.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("is the SDK's typed error when it fails", async () => {
    await expect(describeSecret("missing")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("answers 500 with the reason when the local cloud itself fails", async () => {
    await expect(describeSecret("broken")).rejects.toMatchObject({
      name: "InternalFailure",
      message: "The local cloud failed: TypeError: a bug",
    });
  });

  test("without the permission is refused before the service does anything", async () => {
    cloud.iam.createRole({ name: "reader", arn: roleArn, assumeRolePolicy: trustPolicy("lambda.amazonaws.com") });
    const granted = "arn:aws:secretsmanager:::secret:token";
    cloud.iam.putRolePolicy(
      "reader",
      "one",
      policy({ Effect: "Allow", Action: "secretsmanager:DescribeSecret", Resource: granted }),
    );
    const reader = new SecretsManagerClient(cloud.clientConfig(roleCaller("reader")));
    await expect(describeSecret("other", reader)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining(
        "is not authorized to perform: secretsmanager:DescribeSecret on resource: arn:aws:secretsmanager:::secret:other",
      ),
    });
    expect(service.requests).toEqual([]);
    expect(await describeSecret("token", reader)).toMatchObject({ Name: "token" });
  });
});

describe("what is not served is refused and named:", () => {
  test.each([
    [
      "an unknown service",
      { "x-amz-target": "DynamoDB_20120810.GetItem" },
      "DynamoDB_20120810.GetItem is not served here; known prefixes: secretsmanager, Logs_20140328",
    ],
    ["no target at all", { "x-amz-target": "" }, "is not served here"],
  ])("%s", async (_, headers, message) => {
    const request = await signedRequest(cloud.clientConfig());
    const answer = await send({ ...request, headers: { ...request.headers, ...headers } });
    expect(answer.json()).toMatchObject({
      __type: "UnknownOperationException",
      message: expect.stringContaining(message),
    });
  });

  test("another path", async () => {
    const response = await fetch(`${cloud.url}/2020-01-01/things`);
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { message: "GET /2020-01-01/things is no AWS request that is known here." },
    ]);
  });

  test("a service of AWS that was not started", async () => {
    const bare = await startTestCloud();
    const answer = await send(await signedRequest(bare.clientConfig()));
    expect(answer.json().message).toBe("secretsmanager is not served here; there are: lambda, logs, sts.");
    await bare.stop();
  });

  test.each(["{", "[]", "null"])("a body that is no JSON object: %s", async (body) => {
    const request = await signedRequest(cloud.clientConfig());
    expect((await send({ ...request, body })).json().__type).toBe("SerializationException");
  });
});

describe("an ordered fault", () => {
  test.each([
    ["before", 0],
    ["after", 1],
  ] as const)("gateway: something in front answers by itself, %s the call is done", async (when, done) => {
    order({ kind: "gateway", status: 503, body: "html", when });
    const answer = await send(await signedRequest(cloud.clientConfig()));
    expect([answer.status, answer.headers.get("content-type"), service.requests.length]).toEqual([
      503,
      "text/html",
      done,
    ]);
    expect(cloud.calls.calls.at(-1)).toMatchObject({ operation: "DescribeSecret", status: 503, error: "gateway" });
  });

  test("error: the call is not done and answers the ordered status, code and headers", async () => {
    order({
      kind: "error",
      status: 429,
      code: "ThrottlingException",
      message: "Rate exceeded",
      headers: { "retry-after": "7" },
    });
    const answer = await send(await signedRequest(cloud.clientConfig()));
    expect([answer.status, answer.headers.get("retry-after"), answer.json()]).toMatchObject([
      429,
      "7",
      { __type: "ThrottlingException", message: "Rate exceeded" },
    ]);
    expect(service.requests).toEqual([]);
  });

  test.each<["before" | "after", number]>([
    ["before", 0],
    ["after", 1],
  ])("cut %s: the connection ends with the call done %i times", async (when, done) => {
    cloud.calls.calls.length = 0;
    order({ kind: "cut", when });
    await expect(describeSecret("token")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(service.requests.length).toBe(done);
    expect(cloud.calls.calls).toMatchObject([{ status: 0, error: "ConnectionCut" }]);
  });

  test("garble: the call is done and answers the ordered bytes", async () => {
    order({ kind: "garble", status: 200, body: "<html>", headers: { "content-type": "text/html" } });
    const answer = await send(await signedRequest(cloud.clientConfig()));
    expect([answer.status, answer.text, answer.headers.get("content-type")]).toEqual([200, "<html>", "text/html"]);
    expect(service.requests.length).toBe(1);
  });

  test("latency: passes on the cloud's clock, and the call is done as usual", async () => {
    const before = cloud.clock.now();
    order({ kind: "latency", ms: 4000 });
    expect(await describeSecret("token")).toMatchObject({ Name: "token" });
    expect(cloud.clock.now() - before).toBe(4000);
  });

  test("strikes only a caller whom the signature proves", async () => {
    order({ kind: "error", status: 500, code: "InternalFailure", message: "no" });
    const credentials = { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "x" };
    const answer = await send(await signedRequest({ ...cloud.clientConfig(), credentials }));
    expect(answer.json().__type).toBe("UnrecognizedClientException");
    await expect(describeSecret("token")).rejects.toMatchObject({ name: "InternalFailure" });
  });
});

test("a port that is taken is an error", async () => {
  const port = Number(new URL(cloud.url).port);
  await expect(startFrontDoor({ ...cloud, services: [], port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
