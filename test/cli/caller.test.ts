import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runInProcess } from "../harness/in-process-command.ts";
import { logGroup, OperatedStack } from "../harness/operated-stack.ts";

const callerArn = "arn:aws:sts::123456789012:assumed-role/operator/test";

let stack: OperatedStack;
beforeAll(async () => {
  stack = await OperatedStack.start();
  await stack.rotate();
});
afterAll(() => stack.stop());

const run = async (...args: string[]) => {
  const [command = "", ...rest] = args;
  return await runInProcess([command, ...stack.named, ...rest], { env: stack.environment(), clock: stack.clock });
};

const operatorLines = () => {
  const lines = stack.cloud.logs.lines(logGroup).map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter(({ by }) => by === "operator");
};

it("an operator's line says with whose credentials it was written, and history tells it in every form", async () => {
  expect(await run("rollback", "--grace", "1 hour")).toMatchObject({ code: 0, stderr: "" });
  expect(operatorLines().map(({ caller_arn }) => caller_arn)).toEqual([callerArn, callerArn]);
  expect(await run("history")).toMatchObject({ code: 0, stdout: expect.stringContaining(`by ${callerArn}`) });
  const page = join(mkdtempSync(join(tmpdir(), "caller-")), "history.html");
  const json = await run("history", "--json", "--report", page);
  const { secrets } = JSON.parse(json.stdout) as {
    secrets: { tokens: { happenings: { by: string; callerArn: string | null }[] }[] }[];
  };
  const happenings = secrets.flatMap(({ tokens }) => tokens.flatMap((token) => token.happenings));
  for (const { by, callerArn: told } of happenings) expect(told).toBe(by === "operator" ? callerArn : null);
  expect(happenings.some(({ by }) => by === "operator")).toBe(true);
  expect(readFileSync(page, "utf8")).toContain(`by ${callerArn}`);
  const [header = "", ...rows] = (await run("history", "--csv")).stdout.split("\r\n");
  expect(header.endsWith(',"caller_arn"')).toBe(true);
  expect(rows.filter((row) => row.endsWith(`,"${callerArn}"`)).length).toBeGreaterThan(0);
});

it("where STS does not answer the line is written without it", async () => {
  stack.cloud.faults.add({
    service: "sts",
    operation: "GetCallerIdentity",
    fault: { kind: "error", status: 403, code: "AccessDenied", message: "no" },
  });
  const before = operatorLines().length;
  expect(await run("rollback", "--grace", "1 hour")).toMatchObject({ code: 0, stderr: "" });
  const lines = operatorLines().slice(before);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).not.toHaveProperty("caller_arn");
});
