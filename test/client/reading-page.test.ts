import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import type { LocalCloud } from "../../local-cloud/cloud.ts";
import type { CloudEvent } from "../../local-cloud/events/bus.ts";
import { parsePattern } from "../../local-cloud/events/pattern.ts";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import { day, emptyCloud, secretName, stackPlan } from "../harness/stack.ts";

const root = resolve(import.meta.dirname, "../..");
const page = readFileSync(resolve(root, "docs/reading-the-secret.md"), "utf8");

/** The page's blocks of code in one language, in order. */
function blocks(language: string): string[] {
  const fences = new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\`$`, "gms");
  return [...page.matchAll(fences)].map(([, , code = ""]) => code);
}

describe("the page on reading the secret, in a local cloud", () => {
  let clock: VirtualClock;
  let cloud: LocalCloud;

  beforeAll(async () => {
    clock = new VirtualClock(Date.now());
    ({ cloud } = await emptyCloud({ clock }));
    await deploy(cloud, await stackPlan());
    await clock.advanceBy(7 * day);
  });
  afterAll(() => cloud.stop());

  it("has a sender for Node that works as it stands there, but for where C2M is", async () => {
    const [code = ""] = blocks("ts");
    const here = code
      .replace('"c2m-token-rotation/client"', JSON.stringify(resolve(root, "client/index.ts")))
      .replace("createTokenSource({", `createTokenSource({ baseUrl: ${JSON.stringify(cloud.c2mUrl)},`);
    expect(secretName).toBe("c2m/api-token");
    const folder = mkdtempSync(join(root, "test/client/page-"));
    const file = join(folder, "sender.ts");
    writeFileSync(file, here);
    const { endpoint, region, credentials } = cloud.clientConfig();
    const sender = spawn(process.execPath, [file], {
      env: {
        PATH: process.env.PATH,
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [output, [status]] = await Promise.all([text(sender.stdout), once(sender, "exit")]);
    rmSync(folder, { recursive: true });
    expect([output, status]).toEqual(["C2M took it: request 1\n", 0]);
    expect(cloud.c2m.jobs.all).toHaveLength(1);
  });

  it("shows the event of a promotion as the local cloud sends it, and a rule that it fits", () => {
    const promoted = cloud.bus.events.findLast((event) => event["detail-type"] === "Secret Label Updated");
    const shown = blocks("json").map((code) => JSON.parse(code.startsWith('"') ? `{${code}}` : code) as object);
    const event = shown.find((one) => "resources" in one) as CloudEvent;
    const shape = (value: unknown): unknown =>
      typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]))
        : typeof value;
    expect(shape(event)).toEqual(shape(promoted));
    const [pattern] = shown.filter((one) => Array.isArray((one as { source?: unknown }).source));
    const fits = parsePattern(JSON.stringify(pattern));
    expect(fits(event)).toBe(true);
    expect(cloud.bus.events.filter(fits).length).toBeGreaterThanOrEqual(2);
    expect(cloud.bus.events.filter((one) => !fits(one)).length).toBeGreaterThan(0);
  });
});
