import { afterAll, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { functionFrom, startTestCloud } from "../aws/test-cloud.ts";

const clock = new VirtualClock();
const cloud = await startTestCloud({ clock });
afterAll(() => cloud.stop());

/** A function that logs its start and fails until the given time; and when it was started, in seconds from now. */
function failing(name: string, untilSecond: number) {
  const start = clock.now();
  const definition = functionFrom(
    name,
    `exports.handler = async () => { if (Date.now() < ${start + untilSecond * 1000}) throw new Error("not yet"); }`,
  );
  cloud.logs.createGroup(definition.logGroup);
  cloud.lambda.createFunction(definition);
  const starts: number[] = [];
  cloud.logs.onLine(({ group, message, timestamp }) => {
    if (group === definition.logGroup && message.startsWith("START")) starts.push((timestamp - start) / 1000);
  });
  return starts;
}

test("a failed asynchronous invocation is repeated after one minute and after two more, and then given up", async () => {
  const starts = failing("always", Number.POSITIVE_INFINITY);
  expect(await cloud.lambda.invokeEvent("always", {})).toMatchObject({ functionError: "Unhandled" });
  await clock.advanceBy(24 * 3_600_000);
  expect(starts).toEqual([0, 60, 180]);
});

test("a repetition that succeeds is the last", async () => {
  const starts = failing("once", 30);
  await cloud.lambda.invokeEvent("once", {});
  await clock.advanceBy(24 * 3_600_000);
  expect(starts).toEqual([0, 60]);
});

test("a synchronous invocation is not repeated", async () => {
  const starts = failing("synchronous", 30);
  await cloud.lambda.invoke("synchronous", {});
  await clock.advanceBy(24 * 3_600_000);
  expect(starts).toEqual([0]);
});

test("a function that was deleted meanwhile is not repeated", async () => {
  const starts = failing("deleted", 30);
  await cloud.lambda.invokeEvent("deleted", {});
  await cloud.lambda.deleteFunction("deleted");
  await clock.advanceBy(24 * 3_600_000);
  expect(starts).toEqual([0]);
});
