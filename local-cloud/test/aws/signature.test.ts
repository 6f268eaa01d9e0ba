import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { EchoService } from "./echo-service.ts";
import { catchingHandler, type SignedRequest, send, signedRequest } from "./signed-request.ts";
import { policy, roleArn, roleCaller, startTestCloud, trustPolicy } from "./test-cloud.ts";

// The SDK here signs with the machine's time, so this cloud starts there.
const clock = new VirtualClock(Date.now());
const service = new EchoService();
const cloud = await startTestCloud({ clock, services: [service], door: { allowedSkewMs: 15 * 60_000 } });
afterAll(() => cloud.stop());

cloud.iam.createRole({ name: "reader", arn: roleArn, assumeRolePolicy: trustPolicy("lambda.amazonaws.com") });
cloud.iam.putRolePolicy("reader", "all", policy({ Effect: "Allow", Action: "secretsmanager:*", Resource: "*" }));
const role = roleCaller("reader");

const mismatch = "The request signature we calculated does not match the signature you provided.";

async function refusalOf(change: (request: SignedRequest) => SignedRequest) {
  const answer = await send(change(await signedRequest(cloud.clientConfig(role))));
  return { status: answer.status, code: answer.json().__type, message: answer.json().message };
}

const withHeaders = (headers: Record<string, string>) => (request: SignedRequest) => ({
  ...request,
  headers: { ...request.headers, ...headers },
});

test("a request as the SDK signs it passes", async () => {
  expect((await send(await signedRequest(cloud.clientConfig(role)))).status).toBe(200);
});

test("region and caller come from the signature", async () => {
  await send(await signedRequest({ ...cloud.clientConfig(role), region: "us-east-2" }));
  expect(service.requests.at(-1)).toMatchObject({ region: "us-east-2", caller: role });
});

describe("is refused and not handled:", () => {
  test.each<[string, (request: SignedRequest) => SignedRequest, string, string]>([
    [
      "a changed body",
      (request) => ({ ...request, body: '{"SecretId":"other"}' }),
      "InvalidSignatureException",
      mismatch,
    ],
    [
      "another operation",
      withHeaders({ "x-amz-target": "secretsmanager.DeleteSecret" }),
      "InvalidSignatureException",
      mismatch,
    ],
    [
      "a query that was not signed",
      (request) => ({ ...request, url: `${request.url}?a=b` }),
      "InvalidSignatureException",
      mismatch,
    ],
    ["another path", (request) => ({ ...request, url: `${request.url}other` }), "InvalidSignatureException", mismatch],
    [
      "another session token",
      withHeaders({ "x-amz-security-token": "other" }),
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    ],
    [
      "no signature",
      ({ headers: { authorization: _, ...headers }, ...request }) => ({ ...request, headers }),
      "MissingAuthenticationTokenException",
      "Missing Authentication Token",
    ],
    [
      "another scheme",
      withHeaders({ authorization: "Bearer token" }),
      "IncompleteSignatureException",
      "Authorization must be AWS4-HMAC-SHA256",
    ],
    ["a time that is none", withHeaders({ "x-amz-date": "yesterday" }), "IncompleteSignatureException", "X-Amz-Date"],
  ])("%s", async (_, change, code, message) => {
    const before = service.requests.length;
    expect(await refusalOf(change)).toEqual({ status: 400, code, message: expect.stringContaining(message) });
    expect(service.requests.length).toBe(before);
  });

  test("a key that nobody has", async () => {
    const credentials = { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "x" };
    const answer = await send(await signedRequest({ ...cloud.clientConfig(), credentials }));
    expect(answer.json().__type).toBe("UnrecognizedClientException");
  });

  test("a key that was revoked", async () => {
    const config = cloud.clientConfig(role);
    const request = await signedRequest(config);
    cloud.identities.revoke(config.credentials.accessKeyId);
    expect((await send(request)).json().__type).toBe("UnrecognizedClientException");
  });

  test("a key with a wrong secret", async () => {
    const config = cloud.clientConfig(role);
    const request = await signedRequest({
      ...config,
      credentials: { ...config.credentials, secretAccessKey: "wrong" },
    });
    expect((await send(request)).json()).toMatchObject({
      __type: "InvalidSignatureException",
      message: expect.stringContaining(mismatch),
    });
  });

  test("a temporary key without its session token", async () => {
    const config = cloud.clientConfig(role);
    const { sessionToken: _, ...credentials } = config.credentials;
    expect((await send(await signedRequest({ ...config, credentials }))).json().__type).toBe(
      "UnrecognizedClientException",
    );
  });

  test("a signature that was made for another service", async () => {
    const requestHandler = catchingHandler();
    const client = new LambdaClient({ ...cloud.clientConfig(role), requestHandler });
    await client.send(new InvokeCommand({ FunctionName: "x", Payload: "{}" })).catch(() => undefined);
    const answer = await send(
      withHeaders({ "x-amz-target": "secretsmanager.DescribeSecret" })(requestHandler.request()),
    );
    expect(answer.json().message).toBe("Credential should be scoped to correct service: 'secretsmanager'.");
  });
});

describe("the cloud's clock", () => {
  test("refuses a signature that is more than 15 minutes old", async () => {
    const request = await signedRequest(cloud.clientConfig(role));
    await clock.advanceBy(14 * 60_000);
    expect((await send(request)).status).toBe(200);
    await clock.advanceBy(2 * 60_000);
    expect((await send(request)).json()).toMatchObject({
      __type: "InvalidSignatureException",
      message: expect.stringMatching(/^Signature expired: \d{8}T\d{6}Z is now earlier than/),
    });
  });

  test("is told in the Date header, by which the SDK mends its own and repeats the call", async () => {
    await clock.advanceBy(24 * 3_600_000);
    const client = new SecretsManagerClient({ ...cloud.clientConfig(role), maxAttempts: 3 });
    expect(await client.send(new DescribeSecretCommand({ SecretId: "token" }))).toMatchObject({ Name: "token" });
    const statuses = cloud.calls.calls.slice(-2).map(({ status, error }) => [status, error]);
    expect(statuses).toEqual([
      [400, "InvalidSignatureException"],
      [200, undefined],
    ]);
  });

  test("refuses a signature from more than 15 minutes ahead", async () => {
    const door = { allowedSkewMs: 15 * 60_000 };
    const behind = await startTestCloud({
      clock: new VirtualClock(Date.now() - 16 * 60_000),
      services: [service],
      door,
    });
    const answer = await send(await signedRequest(behind.clientConfig()));
    expect(answer.json().message).toMatch(/^Signature not yet current: \d{8}T\d{6}Z is still later than/);
    await behind.stop();
  });
});
