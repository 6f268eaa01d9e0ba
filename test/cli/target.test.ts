import { describe, expect, it } from "vitest";
import type { Aws } from "../../cli/aws.ts";
import { commonOptions, Options } from "../../cli/options.ts";
import { logGroupOf, resolveTarget } from "../../cli/target.ts";

const lambdaArn = "arn:aws:lambda:us-east-1:123456789012:function:c2m-rotator";

async function groupOf(written: string | undefined, options: string[] = [], arn = lambdaArn): Promise<string> {
  const target = await resolveTarget(Options.parse(["--secret", "c2m/api-token", ...options], commonOptions), {});
  const aws = { functionConfiguration: async () => ({ logGroup: written }) } as unknown as Aws;
  return await logGroupOf(aws, target, arn);
}

describe("the log group that is the ledger", () => {
  it("is the one that the rotator writes to, which has the rotation's name", async () => {
    expect(await groupOf("/aws/lambda/c2m")).toBe("/aws/lambda/c2m");
  });

  it("is not the one that somebody has set since: what is read there would look like all there is (row 23)", async () => {
    for (const other of ["/aws/lambda/c2m-rotator", "central"]) {
      await expect(groupOf(other)).rejects.toMatchObject({
        message: `The function c2m-rotator writes to the log group ${other}, and the ledger is /aws/lambda/c2m.`,
        remedy: expect.stringMatching(/^pulumi up --refresh.*--log-group \/aws\/lambda\/c2m/),
      });
    }
    expect(await groupOf("central", ["--log-group", "/aws/lambda/c2m"])).toBe("/aws/lambda/c2m");
  });

  it("is as the function says where its name does not tell the rotation's", async () => {
    expect(await groupOf("own", [], lambdaArn.replace("c2m-rotator", "mine"))).toBe("own");
  });

  it("is asked for where the function names none", async () => {
    await expect(groupOf(undefined)).rejects.toMatchObject({ remedy: "Use --log-group NAME." });
  });
});
