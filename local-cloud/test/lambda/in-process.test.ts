import { afterAll, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { functionFrom, startTestCloud } from "../aws/test-cloud.ts";

const clock = new VirtualClock("2027-01-01");
const cloud = await startTestCloud({ clock, mode: "in-process" });
afterAll(() => cloud.stop());

async function run(name: string, source: string, overrides = {}) {
  const definition = functionFrom(name, source, overrides);
  cloud.logs.createGroup(definition.logGroup);
  cloud.lambda.createFunction(definition);
  const { payload, functionError } = await cloud.lambda.invoke(name, { a: 1 });
  return { result: JSON.parse(payload), functionError, lines: cloud.logs.lines(definition.logGroup) };
}

test("a function runs in this process with its own environment, and leaves this one's as it was", async () => {
  const before = { env: { ...process.env }, log: console.log, write: process.stdout.write, now: Date.now, Date };
  const { result } = await run(
    "here",
    "exports.handler = async (event) => [process.pid, event, process.env.STAGE, process.env.VITEST]",
    { environment: { STAGE: "dev" } },
  );
  expect(result).toEqual([process.pid, { a: 1 }, "dev", null]);
  expect({ env: { ...process.env }, log: console.log, write: process.stdout.write, now: Date.now, Date }).toEqual(
    before,
  );
});

test("it follows the cloud's time", async () => {
  const before = clock.now();
  const { result } = await run(
    "time",
    "exports.handler = async () => { await require('node:timers/promises').setTimeout(1000); return [Date.now(), new Date().toJSON()]; }",
  );
  expect(result).toEqual([before + 1000, new Date(before + 1000).toJSON()]);
});

test("its console, its output and what it writes to the descriptor go to its log", async () => {
  const { lines } = await run(
    "log",
    "exports.handler = async () => { console.log('one'); process.stdout.write('two\\n'); require('node:fs').writeSync(1, 'three\\n'); process.stderr.write('four\\n'); }",
  );
  expect(lines.slice(1, -2).map((line) => line.split("\t").at(-1))).toEqual(["one", "two", "three", "four"]);
});

test("it fails as in a process, and is a new module after an update", async () => {
  const { result, functionError } = await run("fails", "exports.handler = async () => { throw new RangeError('no'); }");
  expect([functionError, result]).toMatchObject(["Unhandled", { errorType: "RangeError", errorMessage: "no" }]);
  await cloud.lambda.updateFunction(functionFrom("fails", "throw new TypeError('at load')"));
  expect(JSON.parse((await cloud.lambda.invoke("fails", {})).payload)).toMatchObject({
    errorType: "TypeError",
    errorMessage: "at load",
  });
});

test("it is a new module after a cold start", async () => {
  cloud.lambda.createFunction(functionFrom("cold", "let calls = 0; exports.handler = async () => ++calls"));
  const calls = async () => (await cloud.lambda.invoke("cold", {})).payload;
  expect([await calls(), await calls()]).toEqual(["1", "2"]);
  await cloud.lambda.recycle("cold");
  expect(await calls()).toBe("1");
});

test("a time-out stops waiting for it", async () => {
  const { result } = await run(
    "slow",
    "exports.handler = async () => require('node:timers/promises').setTimeout(60_000)",
  );
  expect(result).toMatchObject({ errorType: "Sandbox.Timedout" });
});

test("functions that are invoked at once run one after the other", async () => {
  const source =
    "let inside = 0; exports.handler = async () => { const others = inside++; await new Promise(setImmediate); inside--; return others; }";
  cloud.lambda.createFunction(functionFrom("turns", source));
  const results = await Promise.all([1, 2, 3].map(() => cloud.lambda.invoke("turns", {})));
  expect(results.map(({ payload }) => payload)).toEqual(["0", "0", "0"]);
});
