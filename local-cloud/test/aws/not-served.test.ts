import { request } from "node:http";
import { CloudWatchLogsClient, DescribeLogStreamsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, describe, expect, test } from "vitest";
import { EchoService } from "./echo-service.ts";
import { catchingHandler, send, signedRequest } from "./signed-request.ts";
import { startTestCloud } from "./test-cloud.ts";

const service = new EchoService();
const cloud = await startTestCloud({ services: [service] });
afterAll(() => cloud.stop());

const scope = (name: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/${name}/aws4_request, SignedHeaders=host, Signature=00`,
});
const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
const there = "is not served here; there are: lambda, logs, secretsmanager, sts.";

describe("a service that is not here says so, in the shape that its SDKs read:", () => {
  test.each([
    ["iam", "Action=ListRoles&Version=2010-05-08"],
    ["monitoring", "Action=DescribeAlarms&Version=2010-08-01"],
    ["sns", "Action=ListTopics"],
  ])("%s, by the query protocol", async (name, body) => {
    const response = await fetch(cloud.url, { method: "POST", headers: { ...form, ...scope(name) }, body });
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("text/xml");
    expect(await response.text()).toMatch(
      new RegExp(
        `^<ErrorResponse><Error><Type>Sender</Type><Code>UnknownOperationException</Code>.*${name} \\(by the query`,
      ),
    );
  });

  test("EC2, by its own form of it", async () => {
    const headers = { ...form, ...scope("ec2") };
    const response = await fetch(cloud.url, { method: "POST", headers, body: "Action=DescribeVpcs" });
    const text = await response.text();
    expect(text).toMatch(/^<Response><Errors><Error><Code>UnknownOperationException<\/Code>.*<RequestID>/);
    expect(text).toContain(there);
  });

  test("S3, whose XML has the error at the top", async () => {
    const response = await fetch(`${cloud.url}/bucket/key?list-type=2`, { headers: scope("s3") });
    const text = await response.text();
    expect(text).toMatch(/^<Error><Code>UnknownOperationException<\/Code><Message>s3 \(by REST\) is not served here/);
  });

  test("any other REST service, in JSON", async () => {
    const response = await fetch(`${cloud.url}/v1/apis`, { headers: scope("apigateway") });
    expect([response.status, response.headers.get("x-amzn-errortype"), await response.json()]).toEqual([
      404,
      "UnknownOperationException",
      { __type: "UnknownOperationException", message: `apigateway (by REST) ${there}` },
    ]);
  });

  test("a service asked by CBOR, in CBOR", async () => {
    const headers = { "smithy-protocol": "rpc-v2-cbor", ...scope("monitoring") };
    const path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
    const response = await fetch(cloud.url + path, { method: "POST", headers, body: new Uint8Array([0xa0]) });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.headers.get("smithy-protocol")).toBe("rpc-v2-cbor");
    const code = "UnknownOperationException";
    expect(bytes.subarray(0, 4 + 6 + 3 + code.length).toString("latin1")).toBe(
      `\xa2\x79\x00\x06__type\x79\x00${String.fromCharCode(code.length)}${code}`,
    );
    expect(bytes.toString()).toContain(there);
  });

  test("and nothing of it reaches a service", () => {
    expect(service.requests).toEqual([]);
  });
});

describe("a body of more than 6 MB", () => {
  const target = { "x-amz-target": "secretsmanager.PutSecretValue", "content-type": "application/x-amz-json-1.1" };
  const limit = 6 * 1024 * 1024;

  /** Sends chunks for as long as there is no answer; the answer, and how many bytes were sent by then. */
  const stream = (headers: Record<string, string | number>) =>
    new Promise<{ status: number | undefined; text: string; sent: number }>((resolve, reject) => {
      const chunk = Buffer.alloc(256 * 1024, "x");
      let sent = 0;
      let answered = false;
      const outgoing = request(cloud.url, { method: "POST", headers }, (answer) => {
        answered = true;
        const atAnswer = sent;
        answer.toArray().then((parts) => {
          outgoing.destroy();
          resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString(), sent: atAnswer });
        }, reject);
      });
      const write = (): void => {
        if (answered || sent > 40 * limit) return;
        sent += chunk.length;
        outgoing.write(chunk, () => setImmediate(write));
      };
      outgoing.on("error", (error) => (answered ? undefined : reject(error)));
      write();
    });

  test.each<[string, Record<string, string | number>]>([
    ["as announced", { "content-length": 50 * limit }],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ])("is refused before it has come, %s", async (_, headers) => {
    const { status, text, sent } = await stream({ ...target, ...headers });
    expect([status, JSON.parse(text)]).toEqual([
      413,
      { __type: "RequestTooLargeException", message: `Request must be smaller than ${limit} bytes.` },
    ]);
    expect(sent).toBeLessThan(40 * limit);
  });

  test("of exactly 6 MB is read", async () => {
    const response = await fetch(cloud.url, { method: "POST", headers: target, body: "x".repeat(limit) });
    expect(await response.json()).toMatchObject({ __type: "SerializationException" });
  });
});

test("the logs' own exceptions have a small message, Secrets Manager's a capital one", async () => {
  const requestHandler = catchingHandler();
  const client = new CloudWatchLogsClient({ ...cloud.clientConfig(), requestHandler });
  await client.send(new DescribeLogStreamsCommand({ logGroupName: "/none" })).catch(() => undefined);
  const ofLogs = (await send(requestHandler.request())).json();
  expect(ofLogs).toEqual({ __type: "ResourceNotFoundException", message: expect.any(String) });
  const ofSecrets = (await send(await signedRequest(cloud.clientConfig(), "missing"))).json();
  expect(ofSecrets).toEqual({ __type: "ResourceNotFoundException", Message: expect.any(String) });
});
