import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalProcess } from "../../tools/local/local-process.ts";
import { secretName } from "../../tools/local/program.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/handler-harness.md"), "utf8");

/** The page's blocks of a language, as they are written. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text = ""]) => text);
}

describe("docs/handler-harness.md", () => {
  let local: LocalProcess;
  let exported: Record<string, string>;

  beforeAll(async () => {
    local = LocalProcess.start("--every", "1 day");
    exported = await local.ready();
  });

  afterAll(() => local.stop());

  it("shows the test file as it is", () => {
    expect(blocks("ts")).toEqual([readFileSync(join(root, "test/lambdas/rotator-by-hand.test.ts"), "utf8")]);
  });

  it("runs the imported handler with the commands that it shows", async () => {
    const { AWS_ENDPOINT_URL: endpoint = "", AWS_REGION: region = "" } = exported;
    const credentials = {
      accessKeyId: exported.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: exported.AWS_SECRET_ACCESS_KEY ?? "",
    };
    const aws = new SecretsManagerClient({ endpoint, region, credentials });
    const { ARN: arn = "" } = await aws.send(new DescribeSecretCommand({ SecretId: secretName }));
    aws.destroy();
    const script = blocks("sh").find((block) => block.includes("lambdas/rotator/handler.ts")) ?? "";
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...exported, arn };
    const { stdout } = await promisify(execFile)("sh", ["-eu", "-c", script], { cwd: root, env });
    expect(stdout).toMatch(/outcome: '(proven|works)'/);
  });
});
