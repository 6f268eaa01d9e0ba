import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lifeEvents, readLine, writerOf } from "../../cli/history/lines.ts";
import { tokenLives } from "../../cli/history/lives.ts";
import { asCsv } from "../../cli/history/record.ts";
import { eventsPattern } from "../../src/aws/cloudwatch-ledger.ts";
import { hour, logGroup, OperatedStack } from "../harness/operated-stack.ts";

const day = 24 * hour;

interface Told {
  tokens: { tokenId: string; fate: string; labels: string[]; happenings: Happening[]; gaps: { kind: string }[] }[];
  gaps: { kind: string; until: string }[];
}
interface Happening {
  what: string;
  by: string;
  function: string | null;
  stream: string;
}

describe("an operator who is asked for proof of the rotation", () => {
  let stack: OperatedStack;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "history-"));
    stack = await OperatedStack.start({
      ageMs: 15 * day,
      token: { grace: "1 hour" },
      history: async ({ clock, cloud }) => {
        const issued = cloud.faults.add({
          service: "c2m",
          operation: "issueLongTermToken",
          fault: { kind: "cut", when: "after" },
          times: 1,
        });
        await clock.advanceBy(8 * day);
        issued();
      },
    });
    await stack.rotate();
  });
  afterAll(() => stack.stop());

  async function told(...args: string[]): Promise<Told> {
    const { code, stdout, stderr } = await stack.on("history", "--json", ...args);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { secrets, unknowable } = JSON.parse(stdout);
    expect(unknowable.length).toBeGreaterThan(3);
    expect(secrets).toHaveLength(1);
    return secrets[0];
  }

  /** As whoever may write to the log group. */
  async function write(logStreamName: string, messages: readonly string[]): Promise<void> {
    const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } =
      stack.environment();
    const logs = new CloudWatchLogsClient({
      endpoint: String(AWS_ENDPOINT_URL),
      region: String(AWS_REGION),
      credentials: {
        accessKeyId: String(AWS_ACCESS_KEY_ID),
        secretAccessKey: String(AWS_SECRET_ACCESS_KEY),
        sessionToken: String(AWS_SESSION_TOKEN),
      },
    });
    const logEvents = messages.map((message) => ({ message, timestamp: stack.clock.now() }));
    await logs.send(new CreateLogStreamCommand({ logGroupName: logGroup, logStreamName }));
    await logs.send(new PutLogEventsCommand({ logGroupName: logGroup, logStreamName, logEvents }));
    logs.destroy();
  }

  it("gets the life of every token that C2M has issued, with the function's run that each thing was done by", async () => {
    const { tokens } = await told();
    const known = tokens.map(({ tokenId }) => tokenId).filter(Boolean);
    const longTokens = stack.cloud.c2m.tokens.filter(({ kind }) => kind === "long").map(({ id }) => id);
    expect(longTokens.length - known.length).toBe(1);
    expect(longTokens).toEqual(expect.arrayContaining(known));
    const current = tokens.find(({ fate }) => fate === "current");
    expect(current).toMatchObject({ tokenId: stack.tokenIdAt("AWSCURRENT"), labels: ["AWSCURRENT"], gaps: [] });
    expect(current?.happenings.map(({ what }) => what)).toEqual([
      "issue call",
      "issued",
      "stored",
      "proven",
      "promoted",
    ]);
    for (const { by, function: name, stream } of current?.happenings ?? []) {
      expect([by, name]).toEqual(["function", "c2m-token-rotation-rotator"]);
      expect(stream).toMatch(/^\d{4}\/\d\d\/\d\d\/c2m-token-rotation-rotator\[/);
    }
    const previous = tokens.find(({ tokenId }) => tokenId === stack.tokenIdAt("AWSPREVIOUS"));
    expect(previous?.happenings.at(-1)).toMatchObject({ what: "superseded" });
    const replaced = tokens.filter(({ happenings }) => happenings.some(({ what }) => what === "superseded"));
    const dead = replaced.find(({ fate }) => fate === "revoked" || fate === "seen dead");
    const revoked = dead?.happenings.find(({ what }) => what === "revoked");
    expect(revoked).toMatchObject({ by: "function", function: "c2m-token-rotation-reconciler" });
  });

  it("is told of the call that got no answer, with the time after which it can hide no token", async () => {
    const { tokens } = await told();
    const suspect = tokens.find(({ fate }) => fate === "suspect");
    expect(suspect).toMatchObject({ tokenId: null, gaps: [{ kind: "suspect", until: expect.stringMatching(/^20/) }] });
    expect(suspect?.happenings.map(({ what }) => what)).toEqual(["issue call", "issue call not answered"]);
  });

  it("reads the same at the terminal, in a shorter period with what is before it named", async () => {
    const all = await stack.on("history");
    expect(all.stdout).toMatch(/tok_lt_\w+ {2}current \(AWSCURRENT\); expires 20/);
    expect(all.stdout).toMatch(/gap: suspect {2}No line tells .* Until 20.* UTC\./);
    expect(all.stdout).toContain("What no history can tell");
    const { tokens } = await told("--since", "1h");
    const previous = tokens.find(({ tokenId }) => tokenId === stack.tokenIdAt("AWSPREVIOUS"));
    expect(previous?.gaps.map(({ kind }) => kind)).toContain("before the period");
    expect(previous?.gaps.map(({ kind }) => kind)).not.toContain("issue not recorded");
  });

  it("names lines that are not there, and an operator's word as an operator's", async () => {
    const id = stack.tokenIdAt("AWSCURRENT");
    const { secrets } = JSON.parse((await stack.on("history", "--json")).stdout);
    const line = JSON.stringify({ message: "token.revoked", secret: secrets[0].arn, token_id: "tok_claimed" });
    await write("operators/2026-01-01/somebody", [line, `{ "message": "token.issued", "secret": 1 }`]);
    const { tokens, gaps } = await told();
    expect(gaps).toEqual([{ kind: "unreadable lines", text: expect.any(String), until: expect.any(String) }]);
    const claimed = tokens.find(({ tokenId }) => tokenId === "tok_claimed");
    expect(claimed?.happenings).toMatchObject([{ what: "revoked", by: "operator" }]);
    expect(claimed?.gaps.map(({ kind }) => kind)).toEqual(["said by an operator", "issue not recorded"]);
    expect(tokens.find(({ tokenId }) => tokenId === id)?.fate).toBe("current");
  });

  it("writes a page without a token in it, and CSV with a line for each thing that happened", async () => {
    const file = join(folder, "history.html");
    const { code, stdout } = await stack.on("history", "--report", file);
    expect([code, stdout]).toEqual([0, `Written to ${file}.\n`]);
    const page = await readFile(file, "utf8");
    expect(page).toContain(String(stack.tokenIdAt("AWSCURRENT")));
    expect(page).toContain("may have been issued");
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
    const csv = await stack.on("history", "--csv");
    const rows = csv.stdout.split("\r\n");
    expect(rows[0]).toMatch(/^"secret","token_id",/);
    expect(rows.filter((row) => row.includes(`"${stack.tokenIdAt("AWSCURRENT")}"`)).length).toBe(5);
    const json = await stack.on("history", "--json");
    const said = [page, csv.stdout, json.stdout, (await stack.on("history")).stdout].join("");
    for (const secret of stack.secrets()) expect(said).not.toContain(secret);
  });

  it("hears of what is wrong with the options and the file, and of what may not be read", async () => {
    expect(await stack.on("history", "--json", "--csv")).toMatchObject({ code: 2 });
    expect(await stack.on("history", "--since", "long ago")).toMatchObject({ code: 2 });
    expect(await stack.on("history", "--since", "2999-01-01")).toMatchObject({ code: 2 });
    const nowhere = await stack.on("history", "--report", join(folder, "none", "x.html"));
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining("can't be written (ENOENT)") });
    stack.allowAllBut("logs:FilterLogEvents");
    try {
      expect(await stack.on("history")).toMatchObject({ code: 4 });
    } finally {
      stack.allowAllBut();
    }
  });

  it("is told the log's part of a secret that is gone", async () => {
    const gone = await stack.ops("history", "--secret", "c2m/gone", "--log-group", logGroup, "--json");
    const { secrets } = JSON.parse(gone.stdout);
    expect(secrets[0]).toMatchObject({
      name: "c2m/gone",
      tokens: [],
      gaps: [{ kind: "unreadable lines" }, { kind: "values hidden" }],
    });
    expect(await stack.ops("history", "--secret", "c2m/gone")).toMatchObject({ code: 1 });
  });
});

describe("the history's lines", () => {
  it("are asked for with a pattern that CloudWatch takes", () => {
    // "Length Constraints: Minimum length of 0. Maximum length of 1024." (FilterLogEvents, filterPattern)
    expect(eventsPattern(lifeEvents).length).toBeLessThanOrEqual(1_024);
  });

  it("tell by their stream who wrote them", () => {
    expect(writerOf("2026/01/01/some-rotator[$LATEST]0a")).toEqual({ kind: "function", name: "some-rotator" });
    expect(writerOf("2026/01/01/[$LATEST]0a")).toEqual({ kind: "function", name: "" });
    expect(writerOf("operator/2026-01-01/x").kind).toBe("operator");
    expect(writerOf("operators/2026-01-01/x").kind).toBe("operator");
    expect(writerOf(undefined).kind).toBe("unknown");
  });

  it("can't become formulas or more than one cell of a spreadsheet", () => {
    const evil = ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(1)", " =1", "\uff1d1", '"\r\n=1', "\t=1", "a,b"];
    const lines = evil.map((token_id, at) => {
      const line = readLine(
        JSON.stringify({ message: "token.issued", secret: "s", version_id: "v", attempt_id: `${at}`, token_id }),
        at,
        undefined,
      );
      if (line === undefined || line === "unreadable") throw new Error("It should be read.");
      return line;
    });
    const lives = tokenLives({ now: 100, from: 0, versions: [], lines, graceMs: undefined });
    const csv = asCsv({ from: 0, to: 100, secrets: [{ name: "s", arn: "s", lives, gaps: [] }] });
    const rows = csv.trimEnd().split("\r\n");
    expect(rows).toHaveLength(1 + 2 * evil.length);
    for (const row of rows) {
      const cells = row.match(/"(?:[^"]|"")*"/g) ?? [];
      expect(cells.join(",")).toBe(row);
      expect(cells).toHaveLength(18);
      for (const cell of cells) expect(cell).not.toMatch(/^"\s*[=+\-@\uff1d\t\r]/u);
    }
  });
});
