import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import type { LocalCloud } from "../../local-cloud/cloud.ts";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import { currentToken, day, emptyCloud, secretName, stackPlan } from "../harness/stack.ts";

const main = resolve(import.meta.dirname, "../../examples/mail-service/main.ts");

describe("the example: a mail service in its own process", () => {
  let clock: VirtualClock;
  let cloud: LocalCloud;
  let service: ChildProcess;
  let url: string;
  const output: string[] = [];

  beforeAll(async () => {
    // The process lives on the machine's clock, and compares tokens' ends with it.
    clock = new VirtualClock(Date.now());
    ({ cloud } = await emptyCloud({ clock, c2m: { revocationEndsShortTokens: true } }));
    await deploy(cloud, await stackPlan({ grace: "0 hours" }));
    const { endpoint, region, credentials } = cloud.clientConfig();
    service = spawn(process.execPath, [main], {
      env: {
        PATH: process.env.PATH,
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        ...("sessionToken" in credentials && { AWS_SESSION_TOKEN: String(credentials.sessionToken) }),
        C2M_TOKEN_SECRET: secretName,
        C2M_BASE_URL: cloud.c2mUrl,
        PORT: "0",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    service.stderr?.on("data", (chunk) => output.push(String(chunk)));
    const lines = createInterface({ input: service.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => output.push(line));
    const [line] = await once(lines, "line");
    url = /http:\S+/.exec(String(line))?.[0] ?? "";
  });

  afterAll(async () => {
    const ended = once(service, "exit");
    service.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await cloud.stop();
  });

  const send = async (body: unknown) => {
    const reply = await fetch(`${url}/letters`, { method: "POST", body: JSON.stringify(body) });
    return { status: reply.status, body: await reply.json() };
  };
  let letters = 0;
  const letter = () => {
    letters += 1;
    return {
      docSourceAll: { documentIdSource: { documentId: letters } },
      recipientAddressSource: {
        singleAddress: {
          firstName: "Ada",
          lastName: "Lovelace",
          address1: "1 Main Street",
          city: "Arlington",
          state: "VA",
          zip: "22201",
          country: "US",
        },
      },
    };
  };
  const accepted = { status: 202, body: { outcome: "accepted", requestId: expect.any(String) } };

  it("sends letters", async () => {
    expect(await send(letter())).toEqual(accepted);
    expect(await send({ letter: "to nobody" })).toMatchObject({ status: 400 });
    expect(await send({ ...letter(), recipientAddressSource: { singleAddress: { firstName: "Ada" } } })).toMatchObject({
      status: 400,
      body: { outcome: "refused", error: { kind: "invalid", code: "MISSING_REQUIRED_FIELD" } },
    });
    expect(cloud.c2m.jobs.all).toHaveLength(1);
  });

  it("sends them after rotations whose revocation killed the token that it holds", async () => {
    const before = currentToken(cloud).token_id;
    await clock.advanceBy(7 * day);
    expect(currentToken(cloud).token_id).not.toBe(before);
    expect(await Promise.all(Array.from({ length: 20 }, () => send(letter())))).toEqual(Array(20).fill(accepted));
    expect(cloud.c2m.jobs.all).toHaveLength(21);
    expect(cloud.c2m.jobs.repeated).toEqual([]);
  });

  it("never sends one again whose answer was lost, and says that nobody knows", async () => {
    cloud.faults.add({ service: "c2m", operation: "submitStatic", fault: { kind: "cut", when: "after" } });
    expect(await send(letter())).toMatchObject({ status: 504, body: { outcome: "unknown" } });
    expect(cloud.c2m.jobs.all).toHaveLength(22);
    expect(cloud.c2m.jobs.repeated).toEqual([]);
  });

  it("prints no token", () => {
    expect(output.join("\n")).toContain("mail service on");
    for (const { accessToken } of cloud.c2m.tokens) expect(output.join("\n")).not.toContain(accessToken);
  });
});
