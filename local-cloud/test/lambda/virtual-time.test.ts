import { afterAll, describe, expect, test } from "vitest";
import { RealClock, VirtualClock } from "../../clock.ts";
import { functionFrom, startTestCloud } from "../aws/test-cloud.ts";

const clock = new VirtualClock("2027-02-03T04:05:06.789Z");
const cloud = await startTestCloud({ clock });
afterAll(() => cloud.stop());

let count = 0;

/** The result of a handler's body, in CommonJS unless other files are given. */
async function evaluate(body: string, files?: Record<string, string>) {
  const name = `time-${count++}`;
  const source = functionFrom(name, `exports.handler = async (event, context) => { ${body} }`);
  cloud.lambda.createFunction({ ...source, files: files ?? source.files, timeoutSeconds: 900 });
  return JSON.parse((await cloud.lambda.invoke(name, {})).payload);
}

describe("in a function, the cloud's time is shown by", () => {
  test.each([
    ["Date.now()", "Date.now()"],
    ["new Date()", "new Date().getTime()"],
    ["Date()", "Date.parse(Date() + '') + 789"],
    ["a subclass of Date", "new (class extends Date {})().getTime()"],
    ["Reflect.construct", "Reflect.construct(Date, []).getTime()"],
    ["the constructor of a date", "new (new Date(0).constructor)().getTime()"],
  ])("%s", async (_, expression) => {
    expect(await evaluate(`return ${expression}`)).toBe(clock.now());
  });

  test("and dates that are given stay as they are", async () => {
    const body =
      "return [new Date(5).getTime(), new Date('2020-01-01').getTime(), new Date(2020, 0).getFullYear(), Date.UTC(1970), new Date() instanceof Date]";
    expect(await evaluate(body)).toEqual([5, Date.parse("2020-01-01"), 2020, 0, true]);
  });

  test("a warm process too, when time has passed meanwhile", async () => {
    cloud.lambda.createFunction(functionFrom("warm", "exports.handler = async () => [process.pid, Date.now()]"));
    const [first] = JSON.parse((await cloud.lambda.invoke("warm", {})).payload);
    await clock.advanceBy(3_600_000);
    expect(JSON.parse((await cloud.lambda.invoke("warm", {})).payload)).toEqual([first, clock.now()]);
  });

  test("getRemainingTimeInMillis, which falls as the function sleeps", async () => {
    const body =
      "const before = context.getRemainingTimeInMillis(); await require('timers/promises').setTimeout(90_000); return [before, context.getRemainingTimeInMillis()]";
    expect(await evaluate(body)).toEqual([900_000, 810_000]);
  });
});

describe("a function that sleeps with node:timers/promises lets the cloud's time pass", () => {
  const measure =
    "const before = Date.now(); const value = await setTimeout(600_000, 'value'); return [value, Date.now() - before];";
  const sleepers: [string, string | undefined, Record<string, string> | undefined][] = [
    ["require", `const { setTimeout } = require("node:timers/promises"); ${measure}`, undefined],
    ["require without the node: prefix", `const { setTimeout } = require("timers/promises"); ${measure}`, undefined],
    ["timers.promises", `const { setTimeout } = require("node:timers").promises; ${measure}`, undefined],
    [
      "import",
      undefined,
      {
        "index.mjs": `import { setTimeout } from "node:timers/promises"; export const handler = async () => { ${measure} }`,
      },
    ],
    [
      "import in a module package",
      undefined,
      {
        "package.json": '{"type":"module"}',
        "index.js": `import * as timers from "timers/promises"; export const handler = async () => { const { setTimeout } = timers; ${measure} }`,
      },
    ],
  ];

  test.each(sleepers)("loaded by %s", async (_, body, files) => {
    const before = clock.now();
    expect(await evaluate(body ?? "", files)).toEqual(["value", 600_000]);
    expect(clock.now() - before).toBe(600_000);
  });

  test("and what falls due meanwhile happens first", async () => {
    const happened: number[] = [];
    clock.at(clock.now() + 1000, () => void happened.push(clock.now()));
    const due = clock.now() + 1000;
    await evaluate("await require('node:timers/promises').setTimeout(2000)");
    expect(happened).toEqual([due]);
  });

  test("but not by the global setTimeout, which stays real", async () => {
    const before = clock.now();
    expect(
      await evaluate(
        "const before = Date.now(); await new Promise((r) => setTimeout(r, 5)); return Date.now() - before",
      ),
    ).toBe(0);
    expect(clock.now()).toBe(before);
  });

  test("but not when its signal has fired", async () => {
    const before = clock.now();
    const body =
      "const signal = AbortSignal.abort(new Error('stop')); return require('node:timers/promises').setTimeout(5000, 1, { signal }).catch(({ name, code, cause }) => [name, code, cause.message])";
    expect(await evaluate(body)).toEqual(["AbortError", "ABORT_ERR", "stop"]);
    expect(clock.now()).toBe(before);
  });

  test("and rejects when its signal fires meanwhile", async () => {
    const body =
      "const aborter = new AbortController(); const asleep = require('node:timers/promises').setTimeout(5000, 1, aborter); aborter.abort(); return asleep.catch(({ name }) => name)";
    expect(await evaluate(body)).toBe("AbortError");
  });
});

test("log lines carry the time at which they were written, not at which they were read", async () => {
  cloud.logs.createGroup("/aws/lambda/lines");
  const sleep = "await require('node:timers/promises').setTimeout(1000)";
  cloud.lambda.createFunction(
    functionFrom(
      "lines",
      `exports.handler = async () => { process.stdout.write("one\\n"); ${sleep}; process.stdout.write("two\\n"); }`,
    ),
  );
  const start = clock.now();
  const times: [string, number][] = [];
  cloud.logs.onLine(({ message, timestamp }) => void times.push([message.trim(), timestamp - start]));
  await cloud.lambda.invoke("lines", {});
  expect(times.filter(([message]) => ["one", "two"].includes(message))).toEqual([
    ["one", 0],
    ["two", 1000],
  ]);
});

test("on the machine's clock, a function has the machine's time and its time-out is real", async () => {
  const errors: unknown[] = [];
  const realClock = new RealClock((error) => errors.push(error));
  const real = await startTestCloud({ clock: realClock });
  real.lambda.createFunction(
    functionFrom("now", "exports.handler = async () => [Date.now(), process.execArgv.join()]"),
  );
  const before = Date.now();
  const [now, flags] = JSON.parse((await real.lambda.invoke("now", {})).payload);
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
  expect(flags).not.toContain("virtual-time");
  real.lambda.createFunction({
    ...functionFrom("loop", "exports.handler = async () => { for (;;); }"),
    timeoutSeconds: 1,
  });
  expect(JSON.parse((await real.lambda.invoke("loop", {})).payload)).toMatchObject({ errorType: "Sandbox.Timedout" });
  expect(errors).toEqual([]);
  await real.stop();
  realClock.stop();
});
