import { expect, it } from "vitest";
import { followRotation } from "../../cli/acting/follow-rotation.ts";
import type { Call } from "../../cli/command.ts";
import { gather } from "../../cli/history/gather.ts";
import { Options } from "../../cli/options.ts";
import type { Target } from "../../cli/target.ts";
import type { TokenView } from "../../cli/token-view.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

const now = Date.parse("2026-06-01T12:00:00Z");
const promotedAt = now - 7_000;
const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf";

/** A secret whose version "new" was promoted seven seconds ago and replaced "old". */
function setting(lines: { message: string; timestamp: number }[], args: string[] = []) {
  const stages = new Map([
    ["new", ["AWSCURRENT"]],
    ["old", ["AWSPREVIOUS"]],
  ]);
  const read = async (_: string, versionId: string) => {
    const value = { access_token: versionId, token_id: versionId, expires_at: "2026-07-01T00:00:00Z", client_id: "c" };
    return { versionId, stages: [], value: new Sensitive(JSON.stringify(value)) };
  };
  const aws = {
    describeSecret: async () => ({ arn, name: "s", stages, deletedAt: undefined }),
    store: { read, listVersions: async () => [...stages.keys()].map((versionId) => ({ versionId, createdAt: now })) },
    logEvents: async () => ({ events: lines.map((line) => ({ ...line, logStreamName: "x" })), nextToken: undefined }),
    logRetention: async () => undefined,
  };
  const call = {
    clock: { now: () => now, sleep: async () => undefined },
    terminal: { line: () => undefined, warn: () => undefined, paint: (_: string, text: string) => text },
    options: Options.parse(args, { grace: { type: "string", help: "" } }),
    aws: async () => aws,
  } as unknown as Call;
  const target = {
    secrets: [arn],
    functions: { logGroup: "log" },
    graceSecondsOf: () => undefined,
  } as unknown as Target;
  return { call, target };
}

const line = (event: string, fields: object) => ({
  message: JSON.stringify({ message: event, secret: arn, ...fields }),
  timestamp: promotedAt,
});
const promoted = line("token.promoted", { version_id: "new", superseded_version_id: "old" });

it("a rotation that was followed tells when it was promoted by the log, and else only when that was seen", async () => {
  const follow = async (lines: Parameters<typeof setting>[0]) => {
    const { call, target } = setting(lines);
    const before = { name: "s", arn } as TokenView;
    return await followRotation(call, target, before, "new", { timeoutMs: 1_000, intervalMs: 1 });
  };
  const told = await follow([promoted]);
  expect([await told.promotedAt(), told.seenCurrentAt]).toEqual([promotedAt, now]);
  const lines: Parameters<typeof setting>[0] = [];
  const late = await follow(lines);
  expect([await late.promotedAt(), late.seenCurrentAt]).toEqual([undefined, now]);
  lines.push(promoted);
  expect(await late.promotedAt()).toBe(promotedAt);
});

it("a history without a stack takes the grace from --grace", async () => {
  const fateOfOld = async (args: string[]) => {
    const { call, target } = setting([promoted], args);
    const { secrets } = await gather(call, target, () => 0);
    return secrets[0]?.lives.find(({ tokenId }) => tokenId === "old")?.fate;
  };
  expect(await fateOfOld([])).toBe("superseded");
  expect(await fateOfOld(["--grace", "1 hour"])).toBe("in grace");
  expect(await fateOfOld(["--grace", "5"])).toBe("superseded");
});
