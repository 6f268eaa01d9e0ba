import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { connectSdk } from "../../cli/aws-sdk.ts";
import { run } from "../../cli/cli.ts";
import type { Call } from "../../cli/command.ts";
import { Options } from "../../cli/options.ts";
import { protocolFor } from "../../cli/protocol.ts";
import { resolveTarget } from "../../cli/target.ts";
import type { TokenView } from "../../cli/token-view.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

/** Runs a command line in this process. */
async function inProcess(args: string[], env: Record<string, string> = {}) {
  let [stdout, stderr] = ["", ""];
  const code = await run(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: {},
    env,
    clock: { now: () => Date.now(), sleep: async () => undefined },
    ask: async () => "",
    connect: (region) => connectSdk(region, { env, now: () => Date.now() }),
    signal: new AbortController().signal,
    again: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

describe("help", () => {
  it("is asked for in each way that people know", async () => {
    const general = await inProcess(["--help"]);
    for (const args of [["-h"], ["help"], ["help", "--help"]]) expect(await inProcess(args)).toEqual(general);
    const ofRotate = await inProcess(["rotate", "--help"]);
    expect(ofRotate).toMatchObject({ code: 0, stdout: expect.stringContaining("c2m-tokens rotate: ") });
    for (const args of [
      ["rotate", "-h"],
      ["help", "rotate"],
      ["-h", "rotate"],
    ])
      expect(await inProcess(args)).toEqual(ofRotate);
  });
});

describe("a command line that can't be understood", () => {
  it.each([
    [["rotat"], "Did you mean rotate?", "`c2m-tokens --help`"],
    [["help", "statsu"], "Did you mean status?", "`c2m-tokens --help`"],
    [["rotate", "--dryrun"], "no option --dryrun; did you mean --dry-run?", "`c2m-tokens rotate --help`"],
    [["status", "--stak=x"], "no option --stak; did you mean --stack?", "`c2m-tokens status --help`"],
    [["verify", "-x"], "no option -x.", "`c2m-tokens verify --help`"],
    [["history"], "Which secret?", "`c2m-tokens history --help`"],
  ])("%j says what was likely meant, and where to read on", async (args, meant, help) => {
    const { code, stderr } = await inProcess(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(meant)]);
    expect(stderr).toContain(help);
  });

  it("is told nothing near where nothing is", async () => {
    for (const args of [["frobnicate"], ["rotate", "--frobnicate"]])
      expect((await inProcess(args)).stderr).not.toMatch(/did you mean/i);
  });
});

it("what AWS does not find is named, with its region", async () => {
  const server = createServer((_, response) => {
    response.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify({ __type: "ResourceNotFoundException", message: "can't find it" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const env = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
  };
  const saved = { ...process.env };
  Object.assign(process.env, env);
  try {
    const { code, stderr } = await inProcess(["status", "--secret", "c2m/tpyo", "--region", "eu-west-3"], env);
    expect([code, stderr]).toEqual([1, expect.stringContaining("AWS does not find c2m/tpyo in eu-west-3")]);
  } finally {
    for (const name of Object.keys(env)) {
      if (saved[name] === undefined) delete process.env[name];
      else process.env[name] = saved[name];
    }
    server.close();
  }
});

describe("the C2M that a token is sent to", () => {
  const call = { clock: { now: () => 0 } } as unknown as Call;

  async function connect(args: string[], env: Record<string, string>, stored?: string) {
    const specs = Object.fromEntries(
      ["stack", "base-url", "rotator", "reconciler", "log-group"].map((name) => [
        name,
        { type: "string" as const, help: "" },
      ]),
    );
    const options = Options.parse(["--secret", "s", ...args], {
      ...specs,
      secret: { type: "string", multiple: true, help: "" },
    });
    const value = { access_token: "the-token", expires_at: "2030-01-01T00:00:00Z", client_id: "c", base_url: stored };
    const held = parseValue(new Sensitive(JSON.stringify(value)));
    const view = { arn: "s", current: { versionId: "v", stages: [], held } } as unknown as TokenView;
    return protocolFor(call, {} as never, await resolveTarget(options, env), view, 0);
  }

  it.each([
    [["--base-url", "ftp://x"], {}, /^--base-url must start with https/],
    [[], { C2M_BASE_URL: "https://c2m.test/v2/auth" }, /^C2M_BASE_URL must end before "\/auth"/],
  ])("%j %j is told by the name of what says it", async (args, env, rule) => {
    await expect(connect(args, env)).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(rule) });
  });

  it("is another than the secret's: both are told, and how to name it, unless it could hold a password", async () => {
    await expect(connect([], {}, "https://c2m.test/v2/")).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /another C2M than https:\/\/api\.click2mail.* base_url is https:\/\/c2m\.test\/v2\./,
      ),
      remedy: expect.stringMatching(/--base-url URL, or in C2M_BASE_URL/),
    });
    const wrong = connect([], {}, "https://user:hunter2@c2m.test/v2");
    await expect(wrong).rejects.toMatchObject({ exitCode: 3, message: expect.not.stringContaining("hunter2") });
  });
});
