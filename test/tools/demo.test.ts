import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import { checkPromise } from "../../tools/demo/check-promise.ts";
import type { Moment } from "../../tools/demo/timeline.ts";
import { watchTokens } from "../../tools/demo/timeline.ts";
import { currentToken, emptyCloud, secretName, stackPlan } from "../harness/stack.ts";

function demo(...options: string[]) {
  const file = resolve(import.meta.dirname, "../../tools/demo/demo.ts");
  return spawnSync(process.execPath, [file, ...options], { encoding: "utf8" });
}

describe("npm run demo", () => {
  it("--json prints one object with the figures and nothing else, and exits with 0", () => {
    const { stdout, stderr, status } = demo("--json", "--weeks", "1");
    expect(JSON.parse(stdout)).toMatchObject({
      rotations: 1,
      // The first of them proved the credentials.
      tokensIssued: 3,
      tokensRevoked: 2,
      tokensLive: 1,
      appRequests: expect.any(Number),
      appFailures: 0,
      lettersSent: expect.any(Number),
      lettersDouble: 0,
      lettersLost: 0,
      awsCallsPerRotation: 8,
      c2mCallsPerRotation: 4,
      violations: [],
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  }, 120_000);

  it.each([
    ["--weeks", "0"],
    ["--weeks", "soon"],
    ["--report", "/no/such/folder/out.html"],
    ["--colour", ""],
  ])("refuses %s %s with its usage and exits with 2", (...options) => {
    const { stdout, stderr, status } = demo(...options.filter((option) => option !== ""));
    expect(stderr).toContain("Usage: npm run demo");
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

describe("the demo's check of the promise", () => {
  async function deployed() {
    const { cloud } = await emptyCloud();
    const timeline: Moment[] = [];
    const log: string[] = [];
    cloud.logs.onLine(({ message }) => log.push(message));
    watchTokens(cloud, (moment) => timeline.push(moment));
    await deploy(cloud, await stackPlan());
    const seen = {
      secretName,
      app: { requests: 1, failures: 0 },
      letters: { lettersDouble: 0, lettersLost: 0 },
      timeline,
      log,
      secrets: ["a-client-secret"],
    };
    return { cloud, seen, current: String(currentToken(cloud).token_id) };
  }

  it("finds nothing after a deployment", async () => {
    const { cloud, seen } = await deployed();
    expect(checkPromise(cloud, seen)).toEqual([]);
    await cloud.stop();
  });

  it("finds a failed request, a dead current token, a token outside the log, and a secret in it", async () => {
    const { cloud, seen, current } = await deployed();
    const token = cloud.c2m.byId(current);
    if (token) token.revokedAt = token.refusedFrom = cloud.clock.now();
    const problems = checkPromise(cloud, {
      ...seen,
      app: { requests: 1, failures: 1 },
      letters: { lettersDouble: 2, lettersLost: 3 },
      timeline: [
        { at: 0, what: "promoted", tokenId: current },
        { at: 1, what: "revoked", tokenId: current },
      ],
      log: [...seen.log, "oops a-client-secret"],
    });
    expect(problems).toEqual([
      expect.stringContaining("I1 no outage: 1 app requests failed"),
      "2 letters were sent twice",
      "3 letters were lost",
      expect.stringContaining("was revoked while it was AWSCURRENT"),
      expect.stringContaining("the current token does not work"),
      // Of the token that proved the credentials, and of the first.
      expect.stringContaining("I3 nothing lost"),
      expect.stringContaining("I3 nothing lost"),
      expect.stringContaining("I5 nothing leaks"),
    ]);
    await cloud.stop();
  });
});
