import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { handler as Handler } from "../../lambdas/reconciler/handler.ts";
import { RealClock } from "../../local-cloud/clock.ts";
import { LocalCloud } from "../../local-cloud/cloud.ts";
import type { SettingsFile } from "../../src/formats/settings.ts";

describe("the reconciler's handler", () => {
  let cloud: LocalCloud;
  let folder: string;
  let handler: typeof Handler;

  beforeAll(async () => {
    const clock = new RealClock((error) => {
      throw error;
    });
    cloud = await LocalCloud.start({ clock });
    cloud.logs.createGroup("/aws/lambda/reconciler");
    folder = mkdtempSync(join(tmpdir(), "reconciler-"));
    const settings: SettingsFile = { rotatorTimeoutSeconds: 60, paused: true, tokens: {} };
    writeFileSync(join(folder, "tokens.json"), JSON.stringify(settings));
    const { endpoint, region, credentials } = cloud.clientConfig();
    vi.stubEnv("LAMBDA_TASK_ROOT", folder);
    vi.stubEnv("AWS_ENDPOINT_URL", endpoint);
    vi.stubEnv("AWS_REGION", region);
    vi.stubEnv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/reconciler");
    vi.stubEnv("AWS_ACCESS_KEY_ID", credentials.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey);
    // It reads its environment when it is loaded.
    ({ handler } = await import("../../lambdas/reconciler/handler.ts"));
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    // The SDK looks where to go at its first call.
    await run({});
  });

  afterAll(async () => {
    await cloud.stop();
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });

  const run = (event: unknown) => handler(event, { getRemainingTimeInMillis: () => 60_000 });

  it.each([
    [{}, "recent"],
    [{ scope: "recent" }, "recent"],
    [{ scope: "all" }, "all"],
    [{ graceSeconds: 0 }, "all"],
    [{ time: "2026-01-01T03:00:00Z", "detail-type": "Scheduled Event" }, "recent"],
  ])("looks at what its rule says, whatever the hour: %j (row 19)", async (event, scope) => {
    expect(await run(event)).toMatchObject({ scope, paused: true, secrets: [] });
  });

  it("fails after all that it did where Lambda drops its lines and its figures", async () => {
    vi.stubEnv("AWS_LAMBDA_LOG_LEVEL", "ERROR");
    const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await expect(run({})).rejects.toMatchObject({ code: "ledger_dropped" });
    expect(String(written.mock.calls)).toContain("reconcile.completed");
    vi.stubEnv("AWS_LAMBDA_LOG_LEVEL", "INFO");
    await run({});
  });

  it("fails where its lines and the ledger that it reads are in another log group than the rotation's (row 23)", async () => {
    vi.stubEnv("ROTATION_NAME", "c2m");
    vi.stubEnv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/c2m-reconciler");
    await expect(run({})).rejects.toMatchObject({
      code: "ledger_dropped",
      message: expect.stringContaining("/aws/lambda/c2m:"),
    });
    vi.stubEnv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/c2m");
    expect(await run({})).toMatchObject({ secrets: [] });
  });

  it("refuses a secret that is not listed, and names it", async () => {
    await expect(run({ secrets: ["c2m/unknown"] })).rejects.toMatchObject({
      code: "secret_not_listed",
      message: expect.stringContaining('"c2m/unknown"'),
    });
  });
});
