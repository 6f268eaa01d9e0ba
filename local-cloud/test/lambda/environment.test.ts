import { existsSync } from "node:fs";
import { afterAll, describe, expect, test, vi } from "vitest";
import { EchoService } from "../aws/echo-service.ts";
import { accountId, functionFrom, roleArn, startTestCloud, trustPolicy } from "../aws/test-cloud.ts";

const secretsManager = new EchoService();
const cloud = await startTestCloud({ services: [secretsManager] });
afterAll(() => cloud.stop());
const { lambda } = cloud;

async function result(name: string, event: unknown = {}) {
  return JSON.parse((await lambda.invoke(name, event)).payload);
}

describe("a function's environment", () => {
  test("holds what Lambda sets, the function's own variables and the local cloud's address, and nothing else", async () => {
    lambda.createFunction(
      functionFrom("env", "exports.handler = async () => process.env", {
        environment: { STAGE: "dev" },
        memorySizeMb: 256,
        logFormat: "JSON",
      }),
    );
    const text = expect.any(String);
    expect(await result("env")).toEqual({
      STAGE: "dev",
      AWS_ENDPOINT_URL: cloud.url,
      AWS_REGION: "eu-west-1",
      AWS_DEFAULT_REGION: "eu-west-1",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: text,
      AWS_SESSION_TOKEN: text,
      AWS_LAMBDA_FUNCTION_NAME: "env",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/env",
      AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^2026\/01\/01\/\[\$LATEST\][0-9a-f]{32}$/),
      AWS_LAMBDA_LOG_FORMAT: "JSON",
      AWS_LAMBDA_LOG_LEVEL: "INFO",
      AWS_LAMBDA_RUNTIME_API: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      LAMBDA_TASK_ROOT: text,
      _HANDLER: "index.handler",
      _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=/),
      LANG: "en_US.UTF-8",
      PATH: text,
      TZ: ":UTC",
    });
  });

  test("has the function's name in its log stream's when the log group is not Lambda's default", async () => {
    lambda.createFunction(
      functionFrom("named", "exports.handler = async (e, context) => [context.logGroupName, context.logStreamName]", {
        logGroup: "ledger",
      }),
    );
    expect(await result("named")).toEqual(["ledger", expect.stringMatching(/^2026\/01\/01\/named\[\$LATEST\]/)]);
  });

  test("is Node 24, in the folder of the unpacked archive", async () => {
    const files = {
      "index.js":
        "exports.handler = async () => [process.version, process.cwd() === process.env.LAMBDA_TASK_ROOT, require('./data/settings.json')]",
      "data/settings.json": '{"a":1}',
    };
    lambda.createFunction({ ...functionFrom("code", ""), files });
    expect(await result("code")).toEqual([expect.stringMatching(/^v24\./), true, { a: 1 }]);
  });

  test("has the role's keys: calls to AWS are made as the role's session", async () => {
    lambda.createFunction(
      functionFrom(
        "caller",
        `
        const { createRequire } = require("node:module");
        const { SecretsManagerClient, DescribeSecretCommand } = createRequire(process.env.TEST_ROOT)("@aws-sdk/client-secrets-manager");
        exports.handler = async () => new SecretsManagerClient({ maxAttempts: 1 }).send(new DescribeSecretCommand({ SecretId: "token" })).catch((error) => error.message);
      `,
        { environment: { TEST_ROOT: import.meta.filename } },
      ),
    );
    expect(await result("caller")).toBe(
      `User: arn:aws:sts::${accountId}:assumed-role/fn-role/caller is not authorized to perform: secretsmanager:DescribeSecret on resource: arn:aws:secretsmanager:::secret:token because no identity-based policy allows the secretsmanager:DescribeSecret action`,
    );
    expect(secretsManager.requests).toEqual([]);
  });
});

describe("the handler's context", () => {
  test("tells function, request, memory and log", async () => {
    const definition = functionFrom(
      "context",
      "exports.handler = async (event, context) => ({ ...context, left: context.getRemainingTimeInMillis() })",
    );
    lambda.createFunction(definition);
    const { requestId, payload } = await lambda.invoke("context", {});
    expect(JSON.parse(payload)).toEqual({
      awsRequestId: requestId,
      invokedFunctionArn: definition.arn,
      functionName: "context",
      functionVersion: "$LATEST",
      memoryLimitInMB: "128",
      logGroupName: "/aws/lambda/context",
      logStreamName: expect.stringMatching(/^2026\/01\/01\/\[\$LATEST\]/),
      left: 3000,
    });
  });
});

describe("processes", () => {
  const pid = "const pid = process.pid; let calls = 0;";

  test("are reused when warm, and new after recycle, update and kill", async () => {
    const definition = functionFrom("reuse", `${pid} exports.handler = async () => [pid, ++calls]`);
    lambda.createFunction(definition);
    const [first] = await result("reuse");
    expect(await result("reuse")).toEqual([first, 2]);
    await lambda.recycle("reuse");
    const [second, calls] = await result("reuse");
    expect([second !== first, calls]).toEqual([true, 1]);
    await lambda.kill("reuse");
    expect((await result("reuse"))[1]).toBe(1);
    await lambda.updateFunction({ ...definition, files: { "index.js": "exports.handler = async () => 'new code'" } });
    expect(await result("reuse")).toBe("new code");
  });

  test("that have ended by themselves meanwhile are not used again", async () => {
    lambda.createFunction(functionFrom("mortal", "exports.handler = async () => process.pid"));
    const first = await result("mortal");
    process.kill(first, "SIGKILL");
    await vi.waitFor(() => expect(() => process.kill(first, 0)).toThrow("ESRCH"));
    await new Promise(setImmediate);
    expect(await result("mortal")).not.toBe(first);
  });

  test("are one per invocation at a time", async () => {
    // Each invocation waits until both are there.
    lambda.createFunction(
      functionFrom(
        "parallel",
        `${pid} exports.handler = async ({ url }) => { await fetch(url); return [pid, ++calls]; }`,
      ),
    );
    const { createServer } = await import("node:http");
    const waiting: (() => void)[] = [];
    const server = createServer((_, response) => {
      waiting.push(() => response.end());
      if (waiting.length === 2) for (const release of waiting) release();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const [[one, oneCalls], [other, otherCalls]] = await Promise.all([
      result("parallel", { url }),
      result("parallel", { url }),
    ]);
    expect([one !== other, oneCalls, otherCalls]).toEqual([true, 1, 1]);
    server.closeAllConnections();
    server.close();
  });

  test("that are killed in the middle end the invocation as Lambda reports it", async () => {
    const { createServer } = await import("node:http");
    const server = createServer(() => void lambda.kill("victim"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    lambda.createFunction(functionFrom("victim", "exports.handler = async ({ url }) => fetch(url)"));
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const { requestId, functionError, payload } = await lambda.invoke("victim", { url });
    expect([functionError, JSON.parse(payload)]).toEqual([
      "Unhandled",
      {
        errorType: "Runtime.ExitError",
        errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
      },
    ]);
    server.close();
  });

  test("tell their peak memory", async () => {
    lambda.createFunction(
      functionFrom("memory", "exports.handler = async ({ mb }) => { Buffer.alloc(mb * 1024 * 1024, 1); }"),
    );
    await lambda.invoke("memory", { mb: 0 });
    const small = lambda.peakMemoryMb("memory") ?? 0;
    await lambda.invoke("memory", { mb: 64 });
    expect(small).toBeGreaterThan(10);
    expect((lambda.peakMemoryMb("memory") ?? 0) - small).toBeGreaterThanOrEqual(50);
  });

  test("and their code are gone when the function is deleted or updated, or the cloud stopped", async () => {
    const other = await startTestCloud();
    const folder = async (name: string) => JSON.parse((await other.lambda.invoke(name, {})).payload);
    const definition = (name: string) => functionFrom(name, "exports.handler = async () => __dirname");
    for (const name of ["deleted", "updated", "stopped"]) other.lambda.createFunction(definition(name));
    const folders = await Promise.all([folder("deleted"), folder("updated"), folder("stopped")]);
    expect(folders.map(existsSync)).toEqual([true, true, true]);
    await other.lambda.deleteFunction("deleted");
    await other.lambda.updateFunction(definition("updated"));
    expect(folders.map(existsSync)).toEqual([false, false, true]);
    await other.stop();
    expect(folders.map(existsSync)).toEqual([false, false, false]);
  });
});

describe("a function is refused", () => {
  test("when its role can't be assumed by Lambda", () => {
    cloud.iam.createRole({
      name: "events",
      arn: `${roleArn}-events`,
      assumeRolePolicy: trustPolicy("events.amazonaws.com"),
    });
    const message = "The role defined for the function cannot be assumed by Lambda.";
    expect(() => lambda.createFunction(functionFrom("f", "", { roleArn: `${roleArn}-events` }))).toThrow(message);
    expect(() => lambda.createFunction(functionFrom("f", "", { roleArn: `${roleArn}-none` }))).toThrow(message);
  });

  test("when it sets a variable that Lambda reserves", () => {
    const environment = { AWS_REGION: "x", _HANDLER: "x", TZ: "UTC" };
    expect(() => lambda.createFunction(functionFrom("f", "", { environment }))).toThrow(
      "Reserved keys used in this request: AWS_REGION, _HANDLER",
    );
  });

  test("when there is one of that name", () => {
    expect(() => lambda.createFunction(functionFrom("env", ""))).toThrow("Function already exist: env");
  });

  test("when a file of the archive lies outside of it", () => {
    expect(() => lambda.createFunction({ ...functionFrom("f", ""), files: { "../x.js": "" } })).toThrow(
      "../x.js lies outside",
    );
  });
});
