import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { describe, expect, it } from "vitest";
import { CloudWatchLedger } from "../../src/aws/cloudwatch-ledger.ts";
import { ledgerEvents } from "../../src/formats/ledger.ts";
import { failureOf } from "../harness/rotation-world.ts";

const dead = (token_id: string, at = 5) => ({
  message: JSON.stringify({ message: "token.dead", secret: "s", token_id }),
  timestamp: at,
  logStreamName: "function",
});

/** A ledger whose pages are these, the last one for ever. */
function ledgerOf(...pages: object[]) {
  const asked: unknown[] = [];
  const send = async ({ input }: { input: { nextToken?: string } }) => {
    asked.push(input.nextToken);
    return pages.length > 1 ? pages.shift() : pages[0];
  };
  return { ledger: new CloudWatchLedger({ send } as unknown as CloudWatchLogsClient, "/log"), asked };
}

describe("a ledger's pages (row 17)", () => {
  it.each(["", null, undefined])("end where the token is %j", async (nextToken) => {
    const { ledger, asked } = ledgerOf({ events: [dead("tok")], nextToken });
    expect(await ledger.read(0)).toMatchObject({ entries: [{ fields: { token_id: "tok" } }], unreadable: 0 });
    expect(asked).toEqual([undefined]);
  });

  it("are read on where one of them is empty", async () => {
    const { ledger } = ledgerOf({ events: [], nextToken: "1" }, { nextToken: "2" }, { events: [dead("tok")] });
    expect((await ledger.read(0)).entries).toHaveLength(1);
  });

  it("end where CloudWatch gives a token back that it got before, which is told", async () => {
    const pages = ["1", "2", "3", "2"].map((nextToken) => ({ events: [dead(nextToken)], nextToken }));
    const { ledger, asked } = ledgerOf(...pages);
    expect(await ledger.read(0)).toMatchObject({ entries: [{}, {}, {}, {}], unreadable: 1 });
    expect(asked).toEqual([undefined, "1", "2", "3"]);
  });

  it("end where CloudWatch gives the token back that it got, which is told", async () => {
    const { ledger, asked } = ledgerOf(
      { events: [dead("tok")], nextToken: "1" },
      { events: [dead("tok2")], nextToken: "1" },
    );
    expect(await ledger.read(0)).toMatchObject({ entries: [{}, {}], unreadable: 1 });
    expect(asked).toEqual([undefined, "1"]);
  });

  it("that never end are no ledger", async () => {
    let page = 0;
    const send = async () => ({ nextToken: String(page++) });
    const ledger = new CloudWatchLedger({ send } as unknown as CloudWatchLogsClient, "/log");
    const error = await failureOf(ledger.read(0));
    expect(error).toMatchObject({ code: "ledger_unavailable", name: "RetryableError" });
    expect(error.message).toBe("The log group is too large to be read in one run.");
    expect(page).toBe(1_000);
  });

  it("are read in the order of time, whatever order they come in", async () => {
    const { ledger } = ledgerOf({ events: [dead("c", 3), dead("a", 1)], nextToken: "1" }, { events: [dead("b", 2)] });
    const { entries } = await ledger.read(0);
    expect(entries.map(({ at }) => at)).toEqual([1, 2, 3]);
  });
});

describe("a read of the ledger", () => {
  it("asks for the ledger's events alone, from a time on that there is", async () => {
    const asked: { startTime: number; filterPattern: string; logGroupName: string }[] = [];
    const send = async ({ input }: { input: (typeof asked)[0] }) => {
      asked.push(input);
      return {};
    };
    const ledger = new CloudWatchLedger({ send } as unknown as CloudWatchLogsClient, "/log");
    await ledger.read(1_700);
    await ledger.read(-5);
    expect(asked.map(({ startTime }) => startTime)).toEqual([1_700, 0]);
    const names = ledgerEvents.map((name) => `$.message = "${name}"`);
    expect(asked[0]).toMatchObject({ logGroupName: "/log", filterPattern: `{ ${names.join(" || ")} }` });
  });

  it("that fails may succeed later, and tells the cause without AWS's own text", async () => {
    const denied = Object.assign(new Error("hunter2"), { name: "AccessDeniedException" });
    const send = () => Promise.reject(denied);
    const error = await failureOf(new CloudWatchLedger({ send } as unknown as CloudWatchLogsClient, "/log").read(0));
    expect(error).toMatchObject({ name: "RetryableError", code: "ledger_unavailable" });
    expect(error.message).toMatch(/^FilterLogEvents: the log could not be read\. .*AccessDeniedException.* Allow it/);
    expect(error.message).not.toContain("hunter2");
  });
});

describe("a line of the ledger that is none (row 17)", () => {
  it.each([
    ["null", "null"],
    ["a number", "17"],
    ["a text", '"token.dead"'],
    ["a list", '[{"message":"token.dead"}]'],
    ["nothing", ""],
    ["behind a byte order mark", `\ufeff${dead("tok").message}`],
    ["cut off", dead("tok").message.slice(0, -2)],
    ["of an endless depth", `{"message":"token.dead","secret":${"[".repeat(100_000)}`],
    ["without a secret", '{"message":"token.dead","token_id":"tok"}'],
    ["with null for its secret", '{"message":"token.dead","secret":null}'],
    ["with an object for its secret", '{"message":"token.dead","secret":{}}'],
  ])("is skipped and counted: %s", async (_, message) => {
    const { ledger } = ledgerOf({ events: [{ ...dead("tok"), message }, dead("tok2")] });
    expect(await ledger.read(0)).toMatchObject({ entries: [{ fields: { token_id: "tok2" } }], unreadable: 1 });
  });

  it.each([
    ["a message that is null", '{"message":null}'],
    ["a message that is an object", '{"message":{"message":"token.dead"}}'],
    ["the name of a thing that all objects have", '{"message":"constructor"}'],
  ])("is somebody else's: %s", async (_, message) => {
    const { ledger } = ledgerOf({ events: [{ ...dead("tok"), message }] });
    expect(await ledger.read(0)).toEqual({ entries: [], unreadable: 0 });
  });

  it("with a key twice is read as its last one", async () => {
    const message =
      '{"message":"token.dead","secret":"other","secret":"s","token_id":"tok","__proto__":{"token_id":"x"}}';
    const { ledger } = ledgerOf({ events: [{ ...dead("tok"), message }] });
    expect(await ledger.read(0)).toMatchObject({
      entries: [{ fields: { secret: "s", token_id: "tok" } }],
      unreadable: 0,
    });
  });

  it("without a time is skipped and counted", async () => {
    const { ledger } = ledgerOf({ events: [{ message: dead("tok").message }] });
    expect(await ledger.read(0)).toEqual({ entries: [], unreadable: 1 });
  });
});
