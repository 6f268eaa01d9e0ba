import { afterAll, describe, expect, test } from "vitest";
import { functionFrom, startTestCloud } from "../aws/test-cloud.ts";

const cloud = await startTestCloud();
afterAll(() => cloud.stop());

let count = 0;

/** Deploys the files (index.js unless named) as a function and invokes it once. */
async function run(files: string | Record<string, string>, overrides = {}, { lambda, logs } = cloud) {
  const name = `fails-${count++}`;
  const definition = {
    ...functionFrom(name, "", overrides),
    files: typeof files === "string" ? { "index.js": files } : files,
  };
  logs.createGroup(definition.logGroup);
  lambda.createFunction(definition);
  const { functionError, payload, requestId } = await lambda.invoke(name, {});
  return {
    name,
    requestId,
    functionError,
    error: JSON.parse(payload),
    log: logs.lines(definition.logGroup).join("\n"),
  };
}

describe("a handler that fails gives its error, and its process is used again:", () => {
  test.each([
    [
      "throws",
      "exports.handler = () => { throw new RangeError('no'); }",
      { errorType: "RangeError", errorMessage: "no" },
    ],
    [
      "rejects",
      "exports.handler = async () => { throw new TypeError('no'); }",
      { errorType: "TypeError", errorMessage: "no" },
    ],
    [
      "throws what is no error",
      "exports.handler = () => { throw 'no'; }",
      { errorType: "string", errorMessage: "no", trace: [] },
    ],
    ["returns what is no JSON", "exports.handler = () => 1n", { errorType: "TypeError" }],
  ])("%s", async (_, source, error) => {
    const result = await run(`const started = Math.random(); ${source}; exports.started = () => started;`);
    expect(result).toMatchObject({ functionError: "Unhandled", error });
    expect(result.error.trace).toBeInstanceOf(Array);
    expect(result.log).toMatch(/ERROR\tInvoke Error \t\{/);
    await cloud.lambda.invoke(result.name, {});
    expect(cloud.logs.lines(`/aws/lambda/${result.name}`).filter((line) => line.includes("Init Duration")).length).toBe(
      1,
    );
  });
});

describe("a process that ends gives Lambda's own error, and the next invocation a new process:", () => {
  const crashed = (text: string) => ({
    errorType: "Runtime.ExitError",
    errorMessage: expect.stringMatching(`^RequestId: [0-9a-f-]{36} Error: ${text}$`),
  });
  test.each([
    ["process.exit(1)", "process.exit(1)", crashed("Runtime exited with error: exit status 1")],
    ["process.exit(0)", "process.exit(0)", crashed("Runtime exited without providing a reason")],
    [
      "a signal",
      "process.kill(process.pid, 'SIGKILL'); await new Promise(() => setInterval(() => {}, 1000))",
      crashed("Runtime exited with error: signal: killed"),
    ],
    [
      "an unhandled rejection",
      "Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1000))",
      { errorType: "Runtime.UnhandledPromiseRejection", errorMessage: "Error: lost" },
    ],
    [
      "an uncaught exception",
      "setImmediate(() => { throw new RangeError('lost'); }); await new Promise((r) => setTimeout(r, 1000))",
      { errorType: "RangeError", errorMessage: "lost" },
    ],
    [
      "a promise that nothing will settle",
      "await new Promise(() => {})",
      { errorType: "Runtime.NodeJsExit", errorMessage: expect.stringContaining("a Promise that was never settled") },
    ],
  ])("%s", async (_, statement, error) => {
    const result = await run(`exports.handler = async (event) => { if (event.well) return "well"; ${statement} }`);
    expect(result).toMatchObject({ functionError: "Unhandled", error });
    expect(await cloud.lambda.invoke(result.name, { well: true })).toMatchObject({ payload: '"well"' });
  });
});

describe("code that can't be loaded gives the runtime's error at each invocation:", () => {
  test.each<[string, Record<string, string>, Record<string, unknown>, Record<string, unknown>]>([
    [
      "no such file",
      { "other.js": "" },
      {},
      { errorType: "Runtime.ImportModuleError", errorMessage: "Error: Cannot find module 'index'" },
    ],
    [
      "a missing module",
      { "index.js": "require('nowhere')" },
      {},
      { errorType: "Runtime.ImportModuleError", errorMessage: expect.stringContaining("Cannot find module 'nowhere'") },
    ],
    [
      "a missing import",
      { "index.mjs": "import 'nowhere'" },
      {},
      { errorType: "Runtime.ImportModuleError", errorMessage: expect.stringContaining("nowhere") },
    ],
    [
      "a syntax error",
      { "index.js": "exports.handler = (" },
      {},
      { errorType: "Runtime.UserCodeSyntaxError", errorMessage: expect.stringContaining("SyntaxError") },
    ],
    [
      "no such export",
      { "index.js": "" },
      {},
      { errorType: "Runtime.HandlerNotFound", errorMessage: "index.handler is undefined or not exported" },
    ],
    [
      "an export that is no function",
      { "index.js": "exports.handler = 1" },
      {},
      { errorType: "Runtime.HandlerNotFound", errorMessage: "index.handler is not a function" },
    ],
    [
      "a handler without a dot",
      { "index.js": "" },
      { handler: "index" },
      { errorType: "Runtime.MalformedHandlerName", errorMessage: "Bad handler" },
    ],
    [
      "a throw at load",
      { "index.js": "throw new RangeError('settings')" },
      {},
      { errorType: "RangeError", errorMessage: "settings" },
    ],
    [
      "an exit at load",
      { "index.js": "process.exit(3)" },
      {},
      { errorType: "Runtime.ExitError", errorMessage: expect.stringContaining("exit status 3") },
    ],
    [
      "a callback handler, which Node.js 24 on Lambda refuses",
      { "index.js": "exports.handler = (event, context, callback) => callback(null, 1)" },
      {},
      { errorType: "Runtime.CallbackHandlerDeprecated" },
    ],
  ])("%s", async (_, files, overrides, error) => {
    const result = await run(files, overrides);
    expect(result).toMatchObject({ functionError: "Unhandled", error });
    expect(JSON.parse((await cloud.lambda.invoke(result.name, {})).payload)).toMatchObject(error);
  });
});

describe("a function that takes too long", () => {
  const timedOut = {
    errorType: "Sandbox.Timedout",
    errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 3.00 seconds$/),
  };

  test("on the cloud's clock is ended at its time-out, and the clock stands exactly there", async () => {
    const before = cloud.clock.now();
    const result = await run(
      "exports.handler = async () => { await require('node:timers/promises').setTimeout(60_000); }",
    );
    expect(result).toMatchObject({ functionError: "Unhandled", error: timedOut });
    expect(cloud.clock.now() - before).toBe(3000);
    expect(result.log).toContain(`${result.requestId} Task timed out after 3.00 seconds`);
    expect(result.log).toMatch(/Duration: 3000.00 ms.*Status: timeout/);
  });

  describe("while the cloud's clock stands still is ended by the real-time guard as timed out", () => {
    test.concurrent.each([
      ["in a loop", "exports.handler = async () => { for (;;); }", 3000],
      ["waiting for an answer", "exports.handler = async () => new Promise(() => setInterval(() => {}, 1000))", 3000],
      ["while it is loaded", "for (;;);", 0],
    ])("%s", async (_, source, passed) => {
      const guarded = await startTestCloud({ realTimeGuardMs: 2000 });
      const before = guarded.clock.now();
      expect((await run(source, {}, guarded)).error).toEqual(timedOut);
      expect(guarded.clock.now() - before).toBe(passed);
      await guarded.stop();
    });
  });
});

test("a result of more than 6 MB is refused", async () => {
  const { error } = await run("exports.handler = async () => 'x'.repeat(7e6)");
  expect(error).toEqual({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
  });
});
