import { describe, expect, it } from "vitest";
import { type Line, readLine } from "../../cli/history/lines.ts";
import { tokenLives } from "../../cli/history/lives.ts";
import { historyPage } from "../../cli/history/page.ts";
import { show } from "../../cli/history/told.ts";
import { Terminal } from "../../cli/terminal.ts";
import { proofOfCredentials } from "../../src/formats/ledger.ts";

const rotator = "2026/01/01/rotator[$LATEST]0a";
const expires_at = "2026-03-01T00:00:00Z";
const now = Date.parse("2026-02-01T00:00:00Z");

/** A line a minute. */
function lives(...said: [event: string, fields?: object, stream?: string][]) {
  const lines = said.map(([message, fields = {}, stream = rotator], index): Line => {
    const about = { secret: "s", version_id: "v", attempt_id: "a", token_id: "tok", expires_at };
    const line = readLine(JSON.stringify({ message, ...about, ...fields }), index * 60_000, stream);
    if (line === undefined || line === "unreadable") throw new Error(`${message} should be read.`);
    return line;
  });
  return tokenLives({ now, from: 0, versions: [], lines, graceMs: undefined });
}

const kinds = (of: ReturnType<typeof lives>) => of.map(({ fate, gaps }) => [fate, ...gaps.map(({ kind }) => kind)]);

describe("what happened at the same time", () => {
  /** All in one millisecond. */
  const atOnce = (...events: string[]) => {
    const lines = events.map((message): Line => {
      const about = { secret: "s", version_id: "v", attempt_id: "a", token_id: "tok", expires_at };
      const line = readLine(JSON.stringify({ message, ...about }), 1_000, rotator);
      if (line === undefined || line === "unreadable") throw new Error(`${message} should be read.`);
      return line;
    });
    const [life] = tokenLives({ now, from: 0, versions: [], lines, graceMs: undefined });
    return life?.happenings.map(({ what }) => what);
  };

  it("is told in the order of the protocol, and what is no beginning of a life stays where it is", () => {
    expect(atOnce("token.issued", "token.stored", "token.promoted", "token.proven")).toEqual([
      ...["issued", "stored", "proven", "promoted"],
    ]);
    expect(atOnce("token.issued", "token.rejected", "token.proven", "token.stored")).toEqual([
      ...["issued", "rejected", "stored", "proven"],
    ]);
  });
});

describe("the history of a secret", () => {
  const history = (lines: Line[], graceMs?: number) => ({
    from: 0,
    to: now,
    secrets: [{ name: "s", arn: "s", lives: tokenLives({ now, from: 0, versions: [], lines, graceMs }), gaps: [] }],
  });
  const line = (at: number, fields: object): Line => {
    const about = { secret: "s", attempt_id: "a", token_id: "tok", expires_at };
    const read = readLine(JSON.stringify({ ...about, ...fields }), at, rotator);
    if (read === undefined || read === "unreadable") throw new Error("It should be read.");
    return read;
  };

  it("is drawn from the first thing that happened on", () => {
    const issued = line(now - 86_400_000, { message: "token.issued", version_id: "v" });
    expect(historyPage(history([issued]))).toMatch(/class="axis"[^>]*><span>2026-01-31 00:00:00</);
    expect(historyPage(history([]))).not.toContain("Invalid");
    expect(historyPage(history([line(now, { message: "token.issued", version_id: "v" })]))).not.toContain("NaN");
  });

  it("says of a token that it proved the client's credentials", () => {
    const issued = line(0, { message: "token.issued", version_id: proofOfCredentials });
    const told: string[] = [];
    const sink = { write: (text: string) => told.push(text) };
    const terminal = new Terminal({
      ...{ stdout: sink, stderr: sink, isInteractive: false, colours: false, json: false },
      ask: async () => "",
    });
    show(terminal, history([issued]));
    expect(told.join("")).toContain("tok  proved the client's credentials; issued");
    expect(historyPage(history([issued]))).toContain("proved the client&#39;s credentials; issued");
    expect(historyPage(history([line(0, { message: "token.issued", version_id: "v" })]))).not.toContain("proved the");
  });
});

describe("a token's fate", () => {
  it("is not hidden by a line that says its issue was refused: an operator's, or one after its outcome (row 10)", () => {
    const issued: [string] = ["token.issued"];
    const started: [string, object] = ["token.issue.started", { latest_expires_at: expires_at }];
    const refused = (stream: string): [string, object, string] => ["token.issue.refused", {}, stream];
    expect(kinds(lives(started, refused(rotator)))).toEqual([]);
    expect(kinds(lives(started, refused("operators/x")))).toEqual([["suspect", "suspect"]]);
    for (const by of [rotator, "operators/x"]) {
      expect(kinds(lives(started, issued, refused(by)))).toEqual([["unsettled", "no end recorded"]]);
    }
  });

  it("is dead when it was seen dead, and open again when it was seen alive after its revocation", () => {
    const revoked: [string] = ["token.revoked"];
    expect(kinds(lives(["token.issued"], revoked))).toEqual([["revoked"]]);
    expect(kinds(lives(["token.issued"], revoked, ["token.dead"]))).toEqual([["seen dead"]]);
    const alive = lives(["token.issued"], revoked, ["token.alive"]);
    expect(kinds(alive)).toEqual([["unsettled", "seen alive", "no end recorded"]]);
    expect(alive[0]?.gaps.every(({ until }) => until === Date.parse(expires_at))).toBe(true);
    expect(kinds(lives(["token.issued"], revoked, ["token.alive"], revoked, ["token.dead"]))).toEqual([["seen dead"]]);
  });

  it("is half open when one of two ids is revoked", () => {
    const issued: [string, object] = ["token.issued", { header_token_id: "other" }];
    expect(kinds(lives(issued, ["token.revoked"]))).toEqual([["unsettled", "half revoked", "no end recorded"]]);
    expect(kinds(lives(issued, ["token.revoked"], ["token.revoked", { token_id: "other" }]))).toEqual([["revoked"]]);
  });

  it("is doubted where anything before C2M could have answered, or nobody could look", () => {
    expect(kinds(lives(["token.issued"], ["token.revoked", { claimed: true }]))).toEqual([
      ["revoked", "not seen dead"],
    ]);
    const unseen = lives(["token.issued"], ["token.revoked"], ["token.death.unseen", { reason: "no text" }]);
    expect(kinds(unseen)).toEqual([["revoked", "not seen dead"]]);
  });

  it("is an operator's word where no function says it", () => {
    const said = lives(["token.issued"], ["token.revoked", {}, "operators/2026-01-01/x"]);
    expect(kinds(said)).toEqual([["revoked", "said by an operator"]]);
  });

  it("follows a token that is replaced, comes back and is replaced again", () => {
    const stored = (version_id: string, token_id: string): [string, object][] => [
      ["token.issued", { version_id, token_id, attempt_id: version_id }],
      ["token.stored", { version_id, token_id }],
      ["token.proven", { version_id, token_id }],
    ];
    const promoted = (version_id: string, superseded_version_id?: string): [string, object] => [
      "token.promoted",
      { version_id, superseded_version_id },
    ];
    const back = [promoted("v1"), ...stored("v2", "tok_2"), promoted("v2", "v1"), promoted("v1", "v2")];
    const [one, two] = lives(...stored("v1", "tok_1"), ...back);
    expect(one?.reigns.map(({ to }) => to === undefined)).toEqual([false, true]);
    expect(two?.reigns.map(({ to }) => to === undefined)).toEqual([false]);
    expect(one?.happenings.map(({ what }) => what).slice(3)).toEqual(["promoted", "superseded", "promoted"]);
    expect(two?.fate).toBe("superseded");
  });

  it("names a proof and an issue that no line tells of", () => {
    const [life] = lives(["token.stored"], ["token.promoted"]);
    expect(life?.gaps.map(({ kind }) => kind)).toEqual(["no end recorded", "issue not recorded", "proof not recorded"]);
  });
});
