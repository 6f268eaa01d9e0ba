import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionDefinition, LogLevel } from "../../lambda/function-definition.ts";
import { reachesLog } from "../../lambda/log-level.ts";
import { functionFrom, startTestCloud } from "../aws/test-cloud.ts";

const levels: LogLevel[] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const timestamp = "2026-01-01T00:00:00.000Z";
const withLevel = (applicationLogLevel: LogLevel, logFormat: "JSON" | "Text" = "JSON"): FunctionDefinition => ({
  ...functionFrom("f", ""),
  logFormat,
  applicationLogLevel,
});

describe("a line of a function in the JSON format", () => {
  it("reaches the log if its level is the least one or above", () => {
    fc.assert(
      fc.property(fc.constantFrom(...levels), fc.constantFrom(...levels), fc.boolean(), (least, level, isLower) => {
        const line = JSON.stringify({ level: isLower ? level.toLowerCase() : level, timestamp, message: "x" });
        expect(reachesLog(withLevel(least), line)).toBe(levels.indexOf(level) >= levels.indexOf(least));
        expect(reachesLog(withLevel(least, "Text"), line)).toBe(true);
      }),
    );
  });

  it.each([
    ["no JSON", "plain"],
    ["no object", '"text"'],
    ["without a level", JSON.stringify({ timestamp, message: "x" })],
    ["with a level that Lambda does not know", JSON.stringify({ level: "CRITICAL", timestamp })],
    ["without a timestamp", JSON.stringify({ level: "ERROR" })],
    ["with a timestamp that is none", JSON.stringify({ level: "ERROR", timestamp: "yesterday" })],
    ["with a timestamp that is a number", JSON.stringify({ level: "ERROR", timestamp: 1_767_225_600 })],
  ])("counts as INFO: %s", (_, line) => {
    expect(reachesLog(withLevel("INFO"), line)).toBe(true);
    expect(reachesLog(withLevel("WARN"), line)).toBe(false);
  });

  it("is dropped below INFO by default", () => {
    const { applicationLogLevel: _, ...byDefault } = withLevel("INFO");
    expect(reachesLog(byDefault, JSON.stringify({ level: "DEBUG", timestamp }))).toBe(false);
  });
});

describe("a deployed function", () => {
  let cloud: Awaited<ReturnType<typeof startTestCloud>>;
  beforeAll(async () => {
    cloud = await startTestCloud();
  });
  afterAll(() => cloud.stop());

  async function linesOf(settings: Partial<FunctionDefinition>): Promise<string[]> {
    const name = `f-${crypto.randomUUID()}`;
    const source = `exports.handler = async () => {
      console.debug("console-debug"); console.info("console-info"); console.error("console-error");
      require("node:fs").writeSync(1, "plain\\n");
      require("node:fs").writeSync(1, JSON.stringify({ level: "ERROR", timestamp: new Date().toISOString(), own: 1 }) + "\\n");
    }`;
    const definition = functionFrom(name, source, { logFormat: "JSON", ...settings });
    cloud.logs.createGroup(definition.logGroup);
    cloud.lambda.createFunction(definition);
    await cloud.lambda.invoke(name, {});
    return cloud.logs
      .lines(definition.logGroup)
      .map((line) => /platform\.\w+|console-\w+|plain|own/.exec(line)?.[0] ?? line);
  }

  it("writes what is INFO or above by default, and the platform's lines", async () => {
    expect(await linesOf({})).toEqual([
      "platform.start",
      "console-info",
      "console-error",
      "plain",
      "own",
      "platform.report",
    ]);
  });

  it("writes nothing below its own level, whatever way it writes", async () => {
    expect(await linesOf({ applicationLogLevel: "ERROR" })).toEqual([
      "platform.start",
      "console-error",
      "own",
      "platform.report",
    ]);
  });

  it("has nothing of the platform where that tells of warnings only and all went well", async () => {
    expect(await linesOf({ applicationLogLevel: "ERROR", systemLogLevel: "WARN" })).toEqual(["console-error", "own"]);
  });
});
