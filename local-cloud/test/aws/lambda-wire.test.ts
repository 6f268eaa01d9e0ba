import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  ListFunctionsCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, describe, expect, test } from "vitest";
import { accountId, functionFrom, policy, roleCaller, startTestCloud, trustPolicy } from "./test-cloud.ts";

const cloud = await startTestCloud();
afterAll(() => cloud.stop());
const { lambda, lambdaClient } = cloud;

const echo = functionFrom(
  "echo",
  `exports.handler = async (event) => {
     if (event.fail) throw new RangeError(event.fail);
     console.log("said", event);
     return event;
   };`,
);
lambda.createFunction(echo);
cloud.logs.createGroup(echo.logGroup);

async function invoke(input: Partial<InvokeCommandInput> = {}, client = lambdaClient) {
  const output = await client.send(new InvokeCommand({ FunctionName: "echo", Payload: '{"a":"é"}', ...input }));
  return { ...output, text: output.Payload?.transformToString() };
}

describe("Invoke", () => {
  test("answers 200 with the handler's result, the version that ran, and no error", async () => {
    const output = await invoke();
    expect(output).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST", text: '{"a":"é"}' });
    expect([output.FunctionError, output.LogResult]).toEqual([undefined, undefined]);
  });

  test("answers 200 and Unhandled when the handler throws", async () => {
    const { StatusCode, FunctionError, text } = await invoke({ Payload: '{"fail":"no"}' });
    expect([StatusCode, FunctionError, JSON.parse(text ?? "")]).toEqual([
      200,
      "Unhandled",
      { errorType: "RangeError", errorMessage: "no", trace: expect.arrayContaining(["RangeError: no"]) },
    ]);
  });

  test.each([
    ["name", "echo"],
    ["name and version", "echo:$LATEST"],
    ["ARN", echo.arn],
    ["ARN and version", `${echo.arn}:$LATEST`],
    ["partial ARN", `${accountId}:function:echo`],
  ])("finds the function by %s", async (_, FunctionName) => {
    expect((await invoke({ FunctionName })).StatusCode).toBe(200);
  });

  test("takes a missing payload for an empty object", async () => {
    expect((await lambdaClient.send(new InvokeCommand({ FunctionName: "echo" }))).Payload?.transformToString()).toBe(
      "{}",
    );
  });

  test("gives the end of the log, in base64, when it is asked to", async () => {
    const { LogResult = "" } = await invoke({ LogType: "Tail" });
    const lines = Buffer.from(LogResult, "base64").toString().trimEnd().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST$/),
      expect.stringMatching(/^2026-01-01T00:00:00.000Z\t[0-9a-f-]{36}\tINFO\tsaid \{ a: 'é' \}$/),
      expect.stringMatching(/^END RequestId: [0-9a-f-]{36}$/),
      expect.stringMatching(
        /^REPORT RequestId: .*\tDuration: 0.00 ms\t.*\tMemory Size: 128 MB\tMax Memory Used: \d+ MB/,
      ),
    ]);
  });

  test("with Event answers 202 at once and runs the function afterwards", async () => {
    const { StatusCode, text } = await invoke({ InvocationType: "Event", Payload: '{"later":true}' });
    expect([StatusCode, text]).toEqual([202, undefined]);
    await lambda.idle();
    expect(cloud.logs.lines(echo.logGroup).join("\n")).toContain("said { later: true }");
  });

  test("with DryRun answers 204 and runs nothing", async () => {
    const before = cloud.logs.lines(echo.logGroup).length;
    expect((await invoke({ InvocationType: "DryRun" })).StatusCode).toBe(204);
    expect(cloud.logs.lines(echo.logGroup).length).toBe(before);
  });

  test("is recorded in the call log as lambda's", async () => {
    await invoke();
    expect(cloud.calls.calls.at(-1)).toMatchObject({ service: "lambda", operation: "Invoke", status: 200 });
  });

  test("strikes an ordered fault in Lambda's error shape", async () => {
    cloud.faults.add({
      service: "lambda",
      operation: "Invoke",
      fault: { kind: "error", status: 429, code: "TooManyRequestsException", message: "Rate Exceeded." },
    });
    await expect(invoke()).rejects.toMatchObject({
      name: "TooManyRequestsException",
      message: "Rate Exceeded.",
      $metadata: { httpStatusCode: 429 },
    });
  });
});

describe("Invoke is refused", () => {
  test.each<[string, Partial<InvokeCommandInput>, string, number, string]>([
    [
      "for a function that isn't there",
      { FunctionName: "none" },
      "ResourceNotFoundException",
      404,
      `Function not found: arn:aws:lambda:eu-west-1:${accountId}:function:none`,
    ],
    [
      "for another version",
      { Qualifier: "7" },
      "ResourceNotFoundException",
      404,
      "Function echo has no version or alias 7",
    ],
    [
      "with a payload that is not JSON",
      { Payload: "{" },
      "InvalidRequestContentException",
      400,
      "Could not parse request body into json",
    ],
    [
      "with more than 6 MB",
      { Payload: JSON.stringify("x".repeat(6_291_456)) },
      "RequestTooLargeException",
      413,
      "6291456 bytes",
    ],
  ])("%s", async (_, input, name, httpStatusCode, message) => {
    await expect(invoke(input)).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode },
      message: expect.stringContaining(message),
    });
  });

  test("with 403 to a role without lambda:InvokeFunction, and allowed by a permission on the function alone", async () => {
    const caller = roleCaller("invoker");
    const arn = `arn:aws:iam::${accountId}:role/invoker`;
    cloud.iam.createRole({ name: "invoker", arn, assumeRolePolicy: trustPolicy("ec2.amazonaws.com") });
    const client = new LambdaClient(cloud.clientConfig(caller));
    await expect(invoke({}, client)).rejects.toMatchObject({
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 403 },
      message: `User: ${caller.arn} is not authorized to perform: lambda:InvokeFunction on resource: ${echo.arn} because no identity-based policy allows the lambda:InvokeFunction action`,
    });
    lambda.addPermission("echo", { statementId: "invoker", action: "lambda:InvokeFunction", principal: arn });
    expect((await invoke({}, client)).StatusCode).toBe(200);
    lambda.removePermission("echo", "invoker");
    await expect(invoke({}, client)).rejects.toMatchObject({ name: "AccessDeniedException" });
    cloud.iam.putRolePolicy(
      "invoker",
      "invoke",
      policy({ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: echo.arn }),
    );
    expect((await invoke({}, client)).StatusCode).toBe(200);
  });
});

describe("looking at functions", () => {
  const configuration = {
    FunctionName: "echo",
    FunctionArn: echo.arn,
    Timeout: 3,
    MemorySize: 128,
    Handler: "index.handler",
    State: "Active",
  };

  test("GetFunction, GetFunctionConfiguration and ListFunctions show the configuration", async () => {
    expect((await lambdaClient.send(new GetFunctionCommand({ FunctionName: "echo" }))).Configuration).toMatchObject(
      configuration,
    );
    expect(await lambdaClient.send(new GetFunctionConfigurationCommand({ FunctionName: "echo" }))).toMatchObject(
      configuration,
    );
    expect((await lambdaClient.send(new ListFunctionsCommand({}))).Functions).toMatchObject([configuration]);
  });

  test("GetPolicy shows the permissions, as AWS writes them", async () => {
    const permission = {
      statementId: "rotation",
      action: "lambda:InvokeFunction",
      principal: "secretsmanager.amazonaws.com",
      sourceAccount: accountId,
      sourceArn: "arn:aws:x:y:z:t",
    };
    await expect(lambdaClient.send(new GetPolicyCommand({ FunctionName: "echo" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    lambda.addPermission("echo", permission);
    const { Policy = "" } = await lambdaClient.send(new GetPolicyCommand({ FunctionName: "echo" }));
    expect(JSON.parse(Policy)).toEqual({
      Version: "2012-10-17",
      Id: "default",
      Statement: [
        {
          Sid: "rotation",
          Effect: "Allow",
          Principal: { Service: "secretsmanager.amazonaws.com" },
          Action: "lambda:InvokeFunction",
          Resource: echo.arn,
          Condition: {
            StringEquals: { "AWS:SourceAccount": accountId },
            ArnLike: { "AWS:SourceArn": "arn:aws:x:y:z:t" },
          },
        },
      ],
    });
    expect(() => lambda.addPermission("echo", permission)).toThrow(
      "The statement id (rotation) provided already exists.",
    );
    lambda.removePermission("echo", "rotation");
    expect(() => lambda.removePermission("echo", "rotation")).toThrow("Statement rotation is not found");
  });
});
