import { expect, it } from "vitest";
import type { Aws } from "../../cli/aws.ts";
import { readEvents, readLines } from "../../cli/function-log.ts";

const line = (at: number) => ({
  message: JSON.stringify({ message: "reconcile.completed", failed: 0 }),
  timestamp: at,
  logStreamName: "reconciler",
});

function read(pages: number): Promise<unknown[]> {
  const logEvents: Aws["logEvents"] = async ({ nextToken = "0" }) => {
    const page = Number(nextToken) + 1;
    return { events: [line(pages - page)], nextToken: page < pages ? String(page) : undefined };
  };
  return readEvents({ logEvents } as Aws, "/aws/lambda/own", { from: 0, names: ["reconcile.completed"] });
}

it("reads a log to its end, oldest first", async () => {
  const lines = (await read(60)) as { at: number }[];
  expect(lines.map(({ at }) => at)).toEqual(Array.from({ length: 60 }, (_, at) => at));
});

it("says so where a log does not end, and takes no part of it for all", async () => {
  await expect(read(Number.POSITIVE_INFINITY)).rejects.toThrow(
    "the log group /aws/lambda/own: it says again and again that the log goes on",
  );
});

it("asks no more than twice where CloudWatch gives the token back that it got (row 17)", async () => {
  let asked = 0;
  const logEvents: Aws["logEvents"] = async () => {
    asked += 1;
    return { events: [line(asked)], nextToken: "the same" };
  };
  const read = readLines({ logEvents } as Aws, "/aws/lambda/own", { from: 0, names: ["reconcile.completed"] });
  expect(await read).toMatchObject({ lines: [{ timestamp: 1 }, { timestamp: 2 }], isCut: true });
  expect(asked).toBe(2);
});

it("asks for no page again that it has read, where CloudWatch's tokens go in a circle (row 17)", async () => {
  let asked = 0;
  const logEvents: Aws["logEvents"] = async () => {
    asked += 1;
    return { events: [line(asked)], nextToken: String(asked % 3) };
  };
  const read = readLines({ logEvents } as Aws, "/aws/lambda/own", { from: 0, names: ["reconcile.completed"] });
  expect(await read).toMatchObject({ lines: [{}, {}, {}, {}], isCut: true });
  expect(asked).toBe(4);
});

it("takes no operator's line for the functions' own (row 10)", async () => {
  const streams = ["operators/2026-06-01/x", "operator/x", "2026/06/01/[$LATEST]operators/x", undefined];
  const events = streams.map((logStreamName, at) => ({ ...line(at), logStreamName }));
  const logEvents: Aws["logEvents"] = async () => ({ events, nextToken: undefined });
  const read = await readEvents({ logEvents } as Aws, "/aws/lambda/own", { from: 0, names: ["reconcile.completed"] });
  expect(read.map(({ at }) => at)).toEqual([2, 3]);
});
