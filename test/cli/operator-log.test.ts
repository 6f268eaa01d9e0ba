import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorLog } from "../../cli/operator-log.ts";
import { operatorStreams } from "../../src/formats/ledger.ts";

const start = Date.parse("2026-06-01T20:15:00Z");
const callerArn = "arn:aws:sts::123456789012:assumed-role/ops/alice";
const time = fc.integer({ min: start, max: start + 10_000 });

/** Logs an event at each of these times, and sends them at `end`; returns what CloudWatch got. */
async function sent(times: readonly number[], end: number) {
  let now = 0;
  const log = new OperatorLog({ now: () => now, sleep: async () => undefined });
  for (const [index, time] of times.entries()) {
    now = time;
    log.event("token.revoked", { secret: "c2m/api-token", token_id: `tok_${index}`, expires_at: undefined });
  }
  const got: { timestamp: number; token: string; said: number }[] = [];
  const writeLog = async (_: string, stream: string, lines: readonly { timestamp: number; message: string }[]) => {
    expect(stream.startsWith(operatorStreams)).toBe(true);
    for (const { timestamp, message } of lines) {
      const line = JSON.parse(message) as { timestamp: string; token_id: string };
      expect(line).toMatchObject({ by: "operator", caller_arn: callerArn });
      got.push({ timestamp, token: line.token_id, said: Date.parse(line.timestamp) });
    }
  };
  now = end;
  await log.flush({ writeLog, callerArn: async () => callerArn }, "/aws/lambda/c2m-token-rotation");
  return got;
}

describe("the log of what an operator did", () => {
  it("is in order, as CloudWatch wants it, however the clock is set meanwhile; the later reading is believed", () =>
    fc.assert(
      fc.asyncProperty(fc.array(time, { minLength: 1 }), time, async (times, end) => {
        const got = await sent(times, end);
        expect(got.map(({ token }) => token)).toEqual(times.map((_, index) => `tok_${index}`));
        const wanted = times.map((_, index) => Math.min(...times.slice(index), end));
        expect(got.map(({ timestamp }) => timestamp)).toEqual(wanted);
        expect(got.map(({ said }) => said)).toEqual(wanted);
      }),
    ));
});
