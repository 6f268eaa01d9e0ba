import { exec } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LocalProcess } from "../../tools/local/local-process.ts";
import { client, secretName } from "../../tools/local/program.ts";
import { readState } from "../../tools/local/state-file.ts";

const folder = mkdtempSync(join(tmpdir(), "local-state-"));
afterAll(() => rmSync(folder, { recursive: true }));

function sdk(exported: Record<string, string>): SecretsManagerClient {
  const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = exported;
  return new SecretsManagerClient({
    endpoint: AWS_ENDPOINT_URL ?? "",
    region: AWS_REGION ?? "",
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID ?? "", secretAccessKey: AWS_SECRET_ACCESS_KEY ?? "" },
  });
}

async function token(aws: SecretsManagerClient): Promise<{ token_id: string; access_token: string }> {
  const { SecretString } = await aws.send(new GetSecretValueCommand({ SecretId: secretName }));
  return JSON.parse(SecretString ?? "null");
}

/** Whether a process runs that answers to this id. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("npm run local", () => {
  const stateFile = join(folder, "state.json");
  let local: LocalProcess;
  let aws: SecretsManagerClient;
  let exported: Record<string, string>;

  beforeAll(async () => {
    local = LocalProcess.start("--every", "4 seconds", "--state", stateFile);
    exported = await local.ready();
    aws = sdk(exported);
  });

  afterAll(async () => {
    aws.destroy();
    await local.stop("SIGKILL");
  });

  it("prints what an SDK needs to read the secret, whose token C2M accepts", async () => {
    expect(Object.keys(exported)).toEqual(
      expect.arrayContaining(["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
    );
    const { access_token } = await token(aws);
    const answer = await fetch(`${local.c2mUrl}/account`, { headers: { authorization: `Bearer ${access_token}` } });
    expect(answer.status).toBe(200);
  });

  it("has a second C2M that does not know the token", async () => {
    const { access_token } = await token(aws);
    const stage = await local.line(/^A second C2M/);
    const answer = await fetch(`${/http\S+(?=\.$)/.exec(stage)}/account`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect([answer.status, await answer.json()]).toMatchObject([401, { code: "invalid_token" }]);
  });

  it("rotates by itself at the pace that was asked for, and revokes what was superseded", async () => {
    const { token_id: first } = await token(aws);
    await local.line(new RegExp(`rotation +${secretName} +succeeded`), local.lines.length);
    await local.line(/ revoked +tok_lt_/);
    expect((await token(aws)).token_id).not.toBe(first);
  });

  it("shows a line for each thing that happens to a token", async () => {
    const promoted = await local.line(/ promoted +tok_lt_/);
    const tokenId = /tok_lt_\w+/.exec(promoted)?.[0];
    const told = local.lines.filter((line) => line.includes(` ${tokenId} `)).map((line) => line.split(/ +/)[1]);
    expect(told.slice(0, 3)).toEqual(["issued", "stored", "promoted"]);
  });

  it("takes a letter, and says so when it is sent again", async () => {
    const { access_token } = await token(aws);
    const letter = {
      docSourceAll: { documentIdSource: { documentId: 1 } },
      recipientAddressSource: { addressId: 1 },
    };
    for (let request = 1; request <= 2; request++) {
      const answer = await fetch(`${local.c2mUrl}/static`, {
        method: "POST",
        headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
        body: JSON.stringify(letter),
      });
      expect(await answer.json()).toMatchObject({ status: "accepted", requestId: request });
    }
    await local.line(/ accepted +tok_lt_\w+ +POST \/static, request 1$/);
    await local.line(/ accepted +tok_lt_\w+ +POST \/static, request 2: the same letter as request 1, mailed again$/);
  });

  it("shows who is refused", async () => {
    const stranger = sdk({ ...exported, AWS_SECRET_ACCESS_KEY: "wrong" });
    await expect(stranger.send(new GetSecretValueCommand({ SecretId: secretName }))).rejects.toThrow("signature");
    stranger.destroy();
    await local.line(/ refused .* secretsmanager GetSecretValue: /);
  });

  it("has written the state to a file that only its owner can read", () => {
    expect(statSync(stateFile).mode & 0o777).toBe(0o600);
  });

  it("on Ctrl-C ends with status 0, its processes with it, and without a word on stderr", async () => {
    await aws.send(new CreateSecretCommand({ Name: "app/other", SecretString: "of the app" }));
    const children = await local.children();
    expect(children.length).toBeGreaterThan(0);
    expect(await local.stop("SIGINT")).toMatchObject({ status: 0, stderr: "" });
    expect(children.filter(isAlive)).toEqual([]);
  });

  it("has shown no secret", async () => {
    const text = (await local.exit).stdout;
    const tokens = readState(stateFile)?.cloud.c2m.tokens ?? [];
    expect(tokens.length).toBeGreaterThan(3);
    for (const secret of [client.clientSecret, ...tokens.map(({ accessToken }) => accessToken)]) {
      expect(text.includes(secret), "a secret in the output").toBe(false);
    }
  });

  describe("with the state of an earlier run", () => {
    let second: LocalProcess;
    let later: SecretsManagerClient;
    /** The current token when the first one ended. */
    let left: { token_id: string } | undefined;

    beforeAll(async () => {
      const secrets = readState(stateFile)?.cloud.secrets["us-east-1"] ?? [];
      const { versions } = secrets.find(({ name }) => name === secretName)?.state ?? { versions: [] };
      const value = versions.find(({ stages }) => stages.includes("AWSCURRENT"))?.value;
      left = value && "text" in value ? JSON.parse(value.text) : undefined;
      // At the same C2M: at another address it would be another one, whose token replaces this one.
      const { port } = new URL(local.c2mUrl);
      second = LocalProcess.start("--every", "1 day", "--state", stateFile, "--c2m-port", port);
      later = sdk(await second.ready());
    });

    afterAll(async () => {
      later.destroy();
      await second.stop("SIGKILL");
    });

    it("has the secrets that were there, with a token that still works", async () => {
      const found = await token(later);
      expect(found.token_id).toBe(left?.token_id);
      const answer = await fetch(`${second.c2mUrl}/account`, {
        headers: { authorization: `Bearer ${found.access_token}` },
      });
      expect(answer.status).toBe(200);
      const other = await later.send(new GetSecretValueCommand({ SecretId: "app/other" }));
      expect(other.SecretString).toBe("of the app");
    });

    it("still rotates", async () => {
      const before = await token(later);
      await later.send(new RotateSecretCommand({ SecretId: secretName }));
      await second.line(new RegExp(`rotation +${secretName} +succeeded`));
      expect((await token(later)).token_id).not.toBe(before.token_id);
    });

    it("on SIGTERM ends with status 0", async () => {
      expect(await second.stop("SIGTERM")).toMatchObject({ status: 0, stderr: "" });
    });
  });
});

describe("npm run local ends, its ports free and its state saved,", () => {
  it.each<[what: string, end: (local: LocalProcess) => Promise<unknown>]>([
    ["when npm is told to end", (local) => local.stop("SIGTERM")],
    ["when npm is killed", (local) => local.stop("SIGKILL")],
    ["when npm alone hears that the terminal is closed", (local) => local.stop("SIGHUP")],
    ["when the terminal is closed", (local) => local.hangUp()],
  ])("%s", async (what, end) => {
    const state = join(folder, `${what}.json`);
    const local = LocalProcess.startByNpm("--every", "1 day", "--state", state);
    const { AWS_ENDPOINT_URL = "" } = await local.ready();
    await end(local);
    await expect(fetch(AWS_ENDPOINT_URL)).rejects.toThrow();
    await expect(fetch(local.c2mUrl)).rejects.toThrow();
    expect(readState(state)?.cloud.secrets["us-east-1"]?.map(({ name }) => name)).toContain(secretName);
  });

  it("when nobody reads any more what it prints", async () => {
    const state = join(folder, "unread.json");
    const local = LocalProcess.start("--every", "2 seconds", "--state", state);
    await local.ready();
    expect(await local.stopReading()).toMatchObject({ status: 0 });
    expect(readState(state)).toBeDefined();
  });
});

describe("npm run local, killed", () => {
  it("has lost nothing that the state file held, and writes what changes into it by itself", async () => {
    const state = join(folder, "killed.json");
    const first = LocalProcess.start("--every", "1 day", "--state", state);
    const client = sdk(await first.ready());
    await client.send(new CreateSecretCommand({ Name: "app/kept", SecretString: "of the app" }));
    client.destroy();
    const isKept = () => readState(state)?.cloud.secrets["us-east-1"]?.some(({ name }) => name === "app/kept");
    await vi.waitUntil(isKept, { timeout: 25_000 });
    await first.stop("SIGKILL");
    const second = LocalProcess.start("--every", "1 day", "--state", state);
    const later = sdk(await second.ready());
    const { SecretString } = await later.send(new GetSecretValueCommand({ SecretId: "app/kept" }));
    expect(SecretString).toBe("of the app");
    expect((await token(later)).token_id).toMatch(/^tok_lt_/);
    later.destroy();
    await second.stop();
  });
});

describe("npm run local at rest", () => {
  let local: LocalProcess;
  let exported: Record<string, string>;

  beforeAll(async () => {
    local = LocalProcess.start("--every", "1 day", "--c2m", "revocationDelayMs=300000");
    exported = await local.ready();
  });

  afterAll(() => local.stop("SIGKILL"));

  it("has printed what the command line needs, and commands to try, which work as printed", async () => {
    expect(exported.C2M_BASE_URL).toBe(local.c2mUrl);
    const commands = local.lines.filter((line) => line.startsWith("  npm run ops -- "));
    expect(commands).toHaveLength(2);
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...exported };
    for (const command of commands) {
      const { stdout } = await promisify(exec)(command, { env });
      expect(stdout).toMatch(new RegExp(`^${secretName} +(ok|works)`, "m"));
    }
  });

  it("has printed how a letter is sent, which works as printed", async () => {
    const client = sdk(exported);
    const { access_token } = await token(client);
    client.destroy();
    const command = local.lines.find((line) => line.includes("curl -i $C2M_BASE_URL/static"));
    const env = { PATH: process.env.PATH, ...exported, TOKEN: access_token };
    const { stdout } = await promisify(exec)(String(command), { env });
    expect(stdout).toMatch(/^HTTP\/1\.1 200 .*"status":"accepted"/s);
  });

  it("has a revoked token accepted for as long as C2M's knob says", async () => {
    const client = sdk(exported);
    const { token_id, access_token } = await token(client);
    client.destroy();
    const headers = { authorization: `Bearer ${access_token}` };
    const revoked = await fetch(`${local.c2mUrl}/auth/tokens/${token_id}/revoke`, { method: "POST", headers });
    const used = await fetch(`${local.c2mUrl}/account`, { headers });
    expect([revoked.status, used.status]).toEqual([204, 200]);
  });
});

describe("npm run local refuses, with status 2 and a clear message,", () => {
  let taken: Server;
  let port: string;

  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    port = String((taken.address() as AddressInfo).port);
  });

  afterAll(() => taken.close());

  it.each(["--aws-port", "--c2m-port"])("a port in use for %s", async (flag) => {
    const { status, stderr } = await LocalProcess.start(flag, port).exit;
    expect(stderr).toBe(`The port ${port} is in use. Choose others with --aws-port and --c2m-port.\n`);
    expect(status).toBe(2);
  });

  it("a wrong flag, with the help", async () => {
    const { status, stderr } = await LocalProcess.start("--evry", "1 minute").exit;
    expect(stderr).toMatch(/--evry.*Usage: npm run local/s);
    expect(status).toBe(2);
  });

  it("a state file that is not its own, and leaves it as it is", async () => {
    const file = join(folder, "foreign.json");
    writeFileSync(file, '{"name": "c2m-token-rotation"}');
    const { status, stderr } = await LocalProcess.start("--state", file).exit;
    expect(stderr).toContain(`The file ${file} is not a state of the local cloud`);
    expect(status).toBe(2);
    expect(readFileSync(file, "utf8")).toBe('{"name": "c2m-token-rotation"}');
  });
});

describe("npm run local -- --help", () => {
  it("prints each flag and its default", async () => {
    const { status, stdout } = await LocalProcess.start("--help").exit;
    for (const text of ["--aws-port", "4566", "--c2m-port", "4567", "--every", "1 minute", "--state", "--c2m KNOB"]) {
      expect(stdout).toContain(text);
    }
    expect(status).toBe(0);
  });
});
