import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ledgerFault } from "../../src/aws/function-log.ts";
import { metricNames } from "../../src/formats/metrics.ts";

const module = new URL("../../src/aws/function-log.ts", import.meta.url).href;

/** What a process with this environment writes that runs `body` with a `log`. */
async function lines(body: string, env: Record<string, string> = {}): Promise<Record<string, unknown>[]> {
  const script = `const { functionLog } = await import(${JSON.stringify(module)}); const log = functionLog(); ${body}`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    env: { PATH: process.env.PATH, ROTATION_NAME: "my-rotation", ...env },
  });
  expect(stderr).toBe("");
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

const issued = `log.event("token.issued", { secret: "arn", version_id: "v", attempt_id: "a", token_id: "tok_1", expires_at: undefined, client_id: "c" });`;

describe("the function's log", () => {
  it("writes each event as one JSON line with the event's name as message, and leaves out what is not known", async () => {
    expect(await lines(issued)).toEqual([
      {
        level: "INFO",
        message: "token.issued",
        timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/),
        service: "my-rotation",
        secret: "arn",
        version_id: "v",
        attempt_id: "a",
        token_id: "tok_1",
        client_id: "c",
      },
    ]);
  });

  it.each([
    { POWERTOOLS_LOG_LEVEL: "ERROR" },
    { LOG_LEVEL: "SILENT" },
    { AWS_LAMBDA_LOG_LEVEL: "ERROR" },
    { AWS_LAMBDA_LOG_LEVEL: "WARN", POWERTOOLS_LOG_LEVEL: "ERROR" },
    { AWS_LAMBDA_LOG_LEVEL: "FATAL" },
    { POWERTOOLS_DEV: "true" },
    { NODE_ENV: "production", NO_COLOR: "1" },
  ])("writes the ledger, each event on one line, whatever the environment says: %j (row 23)", async (env) => {
    expect((await lines(issued, env)).map(({ message, level }) => [message, level])).toEqual([
      ["token.issued", "INFO"],
    ]);
  });

  it.each([
    [{}, undefined],
    [{ AWS_LAMBDA_LOG_FORMAT: "JSON", AWS_LAMBDA_LOG_LEVEL: "INFO" }, undefined],
    [{ AWS_LAMBDA_LOG_FORMAT: "JSON", AWS_LAMBDA_LOG_LEVEL: "DEBUG" }, undefined],
    [{ AWS_LAMBDA_LOG_FORMAT: "JSON", AWS_LAMBDA_LOG_LEVEL: "WARN" }, "AWS_LAMBDA_LOG_LEVEL"],
    [{ AWS_LAMBDA_LOG_FORMAT: "JSON", AWS_LAMBDA_LOG_LEVEL: "ERROR" }, "AWS_LAMBDA_LOG_LEVEL"],
    [{ AWS_LAMBDA_LOG_LEVEL: "fatal" }, "AWS_LAMBDA_LOG_LEVEL"],
    [{ AWS_LAMBDA_LOG_FORMAT: "Text", AWS_LAMBDA_LOG_LEVEL: "ERROR" }, undefined],
    [{ ROTATION_NAME: "c2m", AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/c2m" }, undefined],
    [{ ROTATION_NAME: "c2m", AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/c2m-rotator" }, "AWS_LAMBDA_LOG_GROUP_NAME"],
    [{ ROTATION_NAME: "c2m", AWS_LAMBDA_LOG_GROUP_NAME: "central" }, "AWS_LAMBDA_LOG_GROUP_NAME"],
    [{ AWS_LAMBDA_LOG_GROUP_NAME: "central" }, undefined],
  ])("knows whether its lines reach the ledger: %j (row 23)", (env, variable) => {
    const fault = ledgerFault(env);
    expect(fault?.what.split(":")[0]).toBe(variable);
    if (fault) expect(fault.remedy).toMatch(/^Set the function's (application log level to INFO|log group to \/aws)/);
  });

  it("adds counts up and keeps each number of seconds", async () => {
    const { revoked, lifetimeGranted } = metricNames;
    const body = `log.metric("${revoked}"); log.metric("${revoked}", 2); log.metric("${lifetimeGranted}", 60); log.metric("${lifetimeGranted}", 90); log.publishMetrics();`;
    expect(await lines(body)).toMatchObject([{ [revoked]: 3, [lifetimeGranted]: [60, 90] }]);
  });

  it("writes metrics in CloudWatch's embedded format: one line, counted together, dimension service", async () => {
    const { promoted, stepFailed, secondsToExpiry } = metricNames;
    const body = `log.metric("${promoted}"); log.metric("${stepFailed}", 3); log.metric("${secondsToExpiry}", 60); log.publishMetrics();`;
    expect(await lines(body)).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number),
          CloudWatchMetrics: [
            {
              Namespace: "C2mTokenRotation",
              Dimensions: [["service"]],
              Metrics: [
                { Name: promoted, Unit: "Count" },
                { Name: stepFailed, Unit: "Count" },
                { Name: secondsToExpiry, Unit: "Seconds" },
              ],
            },
          ],
        },
        service: "my-rotation",
        [promoted]: 1,
        [stepFailed]: 3,
        [secondsToExpiry]: 60,
      },
    ]);
  });

  it("writes no metrics where none were counted, and none twice", async () => {
    expect(await lines("log.publishMetrics();")).toEqual([]);
    const once = `log.metric("${metricNames.promoted}"); log.publishMetrics(); log.publishMetrics();`;
    expect(await lines(once)).toHaveLength(1);
  });
});
