import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alarmNames } from "../../src/formats/metrics.ts";
import { hour, OperatedStack, secretName } from "../harness/operated-stack.ts";

describe("an operator who looks", () => {
  let stack: OperatedStack;

  beforeAll(async () => {
    stack = await OperatedStack.start({ ageMs: 8 * 24 * hour });
    await stack.rotate();
  });
  afterAll(() => stack.stop());

  it("sees with status each labelled version, its token's id and life, the schedule and the grace that is left", async () => {
    const { code, stdout } = await stack.on("status", "--grace", "1 hour");
    expect(stdout).toMatch(/^c2m\/api-token {2}in grace$/m);
    expect(stdout).toMatch(new RegExp(`current +${stack.tokenIdAt("AWSCURRENT")} .*expires in 5\\d d`));
    expect(stdout).toMatch(new RegExp(`previous +${stack.tokenIdAt("AWSPREVIOUS")} .*in grace for 59 min`));
    expect(stdout).toMatch(/rotation {2}rate\(7 days\); last \d+ s ago; next by .* \(in \d d/);
    expect(code).toBe(0);
  });

  it("gets one JSON object from status --json", async () => {
    const { stdout } = await stack.on("status", "--json");
    const { tokens } = JSON.parse(stdout);
    expect(tokens).toEqual([
      expect.objectContaining({
        name: secretName,
        problems: [],
        current: expect.objectContaining({
          holds: "token",
          tokenId: stack.tokenIdAt("AWSCURRENT"),
          stages: ["AWSCURRENT"],
        }),
        previous: expect.objectContaining({ tokenId: stack.tokenIdAt("AWSPREVIOUS") }),
        pending: null,
      }),
    ]);
  });

  it("hears from verify that the token works, which scopes it has and until when", async () => {
    const { code, stdout } = await stack.on("verify");
    expect(stdout).toContain("c2m/api-token  works");
    expect(stdout).toContain("jobs:submit tokens:revoke");
    expect(stdout).toMatch(/expires {2}20\d\d-.* UTC \(in \d+ d/);
    expect(code).toBe(0);
  });

  it("gets a line for each of doctor's checks, all of them ok", async () => {
    const { code, stdout } = await stack.on("doctor");
    expect(stdout.match(/^ {2}ok {5}/gm)).toHaveLength(12 + alarmNames.length);
    expect(stdout).not.toContain("wrong");
    expect(code).toBe(0);
  });

  it("is offered the names of the rotated secrets, and not those of others", async () => {
    expect((await stack.ops("completion", "--names")).stdout).toBe(`${secretName}\n`);
  });

  it("reads the names from the Pulumi stack, where one is given", async () => {
    const PATH = await stack.pulumiPath();
    const { code, stdout, stderr } = await stack.start(["status", "--stack", "production"], { PATH }).ended;
    expect(stderr).toBe("");
    expect(stdout).toContain("in grace for 59 min");
    expect(code).toBe(0);
    const wrong = await stack.start(["verify", "--stack", "production", "--secret", "other"], { PATH }).ended;
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining(`no token "other"; it has ${secretName}`) });
  });

  it("is told to install Pulumi where --stack is used without it, and of a stack that is not one of ours", async () => {
    const missing = await stack.ops("status", "--stack", "production");
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("no `pulumi` on the PATH") });
    const PATH = await stack.pulumiPath({ other: 1 });
    const foreign = await stack.start(["status", "--stack", "production"], { PATH }).ended;
    expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining("has no output tokenSecretArns") });
  });

  it("sees the secret's state without the log, where that may not be read", async () => {
    stack.allowAllBut("logs:FilterLogEvents");
    try {
      const { code, stdout, stderr } = await stack.on("status");
      expect(stderr).toContain("the functions' log can't be read");
      expect(stdout).toContain(stack.tokenIdAt("AWSCURRENT"));
      expect(code).toBe(0);
    } finally {
      stack.allowAllBut();
    }
  });

  it("never sends a token to a C2M that only the secret's value names", async () => {
    const before = stack.cloud.calls.calls.length;
    const { code, stderr } = await stack.ops("verify", "--secret", secretName);
    expect(code).toBe(3);
    expect(stderr).toContain("another C2M than https://api.click2mail.com/v2: it is sent nowhere");
    expect(stack.cloud.calls.calls.slice(before).filter(({ service }) => service === "c2m")).toEqual([]);
  });

  it("hears from verify that a revoked token does not work", async () => {
    const { c2mUrl, secretsManager } = stack.cloud;
    const value = JSON.parse(secretsManager.engine.getSecretValue({ SecretId: secretName }).SecretString ?? "{}");
    await fetch(`${c2mUrl}/auth/tokens/${value.token_id}/revoke`, {
      method: "POST",
      headers: { authorization: `Bearer ${value.access_token}` },
    });
    const { code, stdout } = await stack.on("verify", "--timeout", "2");
    expect(stdout).toContain("does not work");
    expect(code).toBe(1);
  });
});
