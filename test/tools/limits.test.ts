import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import { quotas } from "../../local-cloud/quotas.ts";
import { limited } from "../../local-cloud/test/pulumi/limited.ts";
import { planOf } from "../../local-cloud/test/pulumi/planned.ts";
import { type Measure, measuresOf } from "../../tools/limits/measures.ts";
import { report } from "../../tools/limits/report.ts";
import { plan } from "../harness/program.ts";

const root = resolve(import.meta.dirname, "../..");

function limits(...args: string[]) {
  return spawnSync(process.execPath, ["tools/limits/limits.ts", ...args], { cwd: root, encoding: "utf8" });
}

// Programs run before the tests, and not within their time.
const run = limits("--tokens", "2", "--json");
const tags = JSON.stringify({ [`k${"x".repeat(127)}`]: "v" });
const withConfig = limits("--tokens", "1", "--config", `tags=${tags}`);
const manyTokens = limits("--tokens", "1000");
const refused = limits("--tokens", "1", "--config", "grace=soon");

describe("npm run limits", () => {
  const { tokens, fits, measures } = JSON.parse(run.stdout) as {
    tokens: number;
    fits: boolean;
    measures: Measure[];
  };

  it("prints each size with its quota and what is left, the worst first, and exits 0 when all fits", () => {
    expect({ status: run.status, tokens, fits }).toEqual({ status: 0, tokens: 2, fits: true });
    for (const { quota, used, most, left } of measures) {
      expect(most).toBe(quotas[quota].most);
      expect(left).toBe(most - used);
    }
    const shares = measures.map(({ used, most }) => used / most);
    expect(shares).toEqual(shares.toSorted((one, other) => other - one));
  });

  it("takes further keys of the stack's config, and shows what is used up to the last", () => {
    const { status, stdout } = withConfig;
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {6} +128 +128 +0 characters +key of a tag/m);
    expect(stdout).toContain("All fits.");
  });

  it("has room for 1,000 tokens", () => {
    expect(manyTokens).toMatchObject({ status: 0, stdout: expect.stringContaining("All fits.") });
  });

  it("marks what is over, and exits 1 where anything is, or where the program refuses by itself", () => {
    const over = measures.map((measure) => (measure.quota === "tags" ? { ...measure, used: 51, left: -1 } : measure));
    expect(report(2, over)).toMatch(/^OVER {12}51 {10}50 {10}-1 items +tags of a resource/m);
    expect(report(2, over)).toContain("1 over: AWS would refuse this program.");
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("grace") });
  });

  it("tells its options, and refuses others with status 2", () => {
    expect(limits("--help")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("npm run limits -- --tokens N"),
    });
    for (const args of [
      [],
      ["--tokens", "0"],
      ["--tokens", "many"],
      ["--token", "1"],
      ["--tokens", "1", "--config", "x"],
    ]) {
      expect(limits(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining("Usage:") });
    }
  });
});

describe("what is measured", () => {
  it.each(limited)("of %s is what the local cloud refuses by", (quota, resources) => {
    const { most } = quotas[quota];
    const usedOf = (size: number) =>
      measuresOf(planOf(...resources(size))).find((measure) => measure.quota === quota)?.used;
    expect([usedOf(most), usedOf(most + 1)]).toEqual([most, most + 1]);
  });

  let all: Plan;
  beforeAll(async () => {
    all = await plan({
      config: {
        clientId: "c2m_client",
        clientSecret: "client-secret-of-the-test",
        tokens: JSON.stringify([{ name: "c2m/api-token" }]),
        kmsKey: "create",
      },
      secretKeys: ["clientSecret"],
    });
  });

  it("is every quota", () => {
    const measured = measuresOf(all).map(({ quota }) => quota);
    expect(Object.keys(quotas).filter((name) => !measured.some((quota) => quota === name))).toEqual([]);
  });
});
