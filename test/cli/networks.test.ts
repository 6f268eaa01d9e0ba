import { createHash } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectSdk } from "../../cli/aws-sdk.ts";
import { failureOf } from "../../cli/failure.ts";
import { loopbackTls } from "../../local-cloud/test/loopback-tls.ts";
import { hour, logGroup, OperatedStack, secretName, startOps } from "../harness/operated-stack.ts";

const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
const servers: (Server & { closeAllConnections?(): void })[] = [];
const sockets: Socket[] = [];
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) {
    server.closeAllConnections?.();
    server.close();
  }
});

/** Has a server listen until the end of the tests. */
async function port(server: Server): Promise<number> {
  servers.push(server);
  server.on("connection", (socket) => sockets.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** An AWS that gives every request the same answer. */
const answering = (listener: RequestListener) => port(createHttpServer(listener));

/** Has what comes in by one connection go to a port, and back. */
function pipe(incoming: Socket, to: number): void {
  const onward = connect(to, "127.0.0.1");
  sockets.push(onward.on("error", () => incoming.destroy()));
  incoming.on("error", () => onward.destroy());
  incoming.pipe(onward).pipe(incoming);
}

async function folder(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "c2m-tokens-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o755 });
  }
  return root;
}

const status = ["status", "--secret", secretName];

describe("an AWS that can't be used", () => {
  it("because it takes connections and never answers is given up, and told with what was tried", async () => {
    const silent = await port(createServer());
    const env = { ...keys, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: `http://127.0.0.1:${silent}` };
    for (const name of Object.keys(env)) process.env[name] = env[name as keyof typeof env];
    const aws = connectSdk(undefined, { env, timeoutMs: 50 });
    const failure = failureOf(await aws.describeSecret("a").catch((error: unknown) => error));
    aws.close();
    for (const name of Object.keys(env)) delete process.env[name];
    expect(failure).toMatchObject({ exitCode: 4, remedy: expect.stringContaining("HTTPS_PROXY") });
    expect(failure.message).toMatch(/^127\.0\.0\.1 did not answer in time \(ETIMEDOUT\)\. It was tried 3 times\.$/);
  });

  it("ends the process, too: with 4", async () => {
    const silent = await port(createServer());
    const AWS_ENDPOINT_URL = `http://127.0.0.1:${silent}`;
    const env = { ...keys, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL, AWS_MAX_ATTEMPTS: "1" };
    const { code, stderr } = await startOps(status, env).ended;
    expect([code, stderr]).toEqual([4, expect.stringContaining("did not answer in time")]);
  });

  it("because something else answers is told as that", async () => {
    const page = await answering((_, response) => response.end("<html>Welcome to the hotel</html>"));
    const env = { ...keys, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: `http://127.0.0.1:${page}` };
    const { code, stderr } = await startOps(status, { ...env, AWS_MAX_ATTEMPTS: "1" }).ended;
    expect([code, stderr]).toEqual([4, expect.stringContaining("What answers (HTTP 200) is not AWS.")]);
    expect(stderr).not.toContain("hotel");
  });

  it.each([
    ["ExpiredTokenException", "The session has expired", "aws sso login"],
    ["UnrecognizedClientException", "The credentials are not valid at this endpoint", "Check the access key"],
  ])("because it says %s is told with what mends it", async (name, said, remedy) => {
    const refusing = await answering((_, response) =>
      response
        .writeHead(400, { "content-type": "application/x-amz-json-1.1" })
        .end(JSON.stringify({ __type: name, message: "no" })),
    );
    const env = { ...keys, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: `http://127.0.0.1:${refusing}` };
    const { code, stderr } = await startOps(status, env).ended;
    expect(stderr).toContain(said);
    expect(stderr).toContain(remedy);
    expect(code).toBe(4);
  });
});

describe("credentials", () => {
  const config = `[profile work]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = operator
region = us-east-1
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
[profile legacy]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = operator
region = us-east-1
[profile admin]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
region = us-east-1
[profile base]
aws_access_key_id = a
aws_secret_access_key = b
[profile vault]
credential_process = /bin/sh -c "echo hunter2 >&2; exit 1"
region = us-east-1
`;
  const cache = (name: string, expiresAt: string) => ({
    [`.aws/sso/cache/${createHash("sha1").update(name).digest("hex")}.json`]: JSON.stringify({
      accessToken: "hunter2",
      expiresAt,
      startUrl: "https://corp.awsapps.com/start",
      region: "us-east-1",
    }),
  });

  it.each([
    ["work", "2020-01-01T00:00:00Z", "The SSO session", "→ aws sso login --profile work"],
    ["legacy", "2020-01-01T00:00:00Z", "The SSO session", "→ aws sso login --profile legacy"],
    ["legacy", undefined, "The SSO session", "→ aws sso login --profile legacy"],
    ["work", undefined, "The SSO session", "→ aws sso login --profile work"],
    ["admin", undefined, "needs a code (MFA)", "aws configure export-credentials --profile admin --format env"],
    ["vault", undefined, 'The profile "vault" gives no AWS credentials', "aws sts get-caller-identity --profile vault"],
    ["absent", undefined, 'The profile "absent" gives no AWS credentials', "list-profiles"],
  ])("of the profile %s (%s) are told with the command that mends them", async (profile, expiresAt, said, remedy) => {
    const tokens =
      expiresAt === undefined
        ? {}
        : { ...cache("corp", expiresAt), ...cache("https://corp.awsapps.com/start", expiresAt) };
    const HOME = await folder({ ".aws/config": config, ...tokens });
    const env = { HOME, AWS_PROFILE: profile, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    const { code, stderr } = await startOps(status, env).ended;
    expect(stderr).toContain(said);
    expect(stderr).toContain(remedy);
    expect(stderr).not.toContain("hunter2");
    expect(code).toBe(4);
  });

  it("that AWS SSO itself refuses lead to a new login; nothing there can hang a command", async () => {
    const portal = await answering((_, response) =>
      response
        .writeHead(401, { "content-type": "application/json", "x-amzn-errortype": "UnauthorizedException" })
        .end(JSON.stringify({ message: "Session token not found or invalid" })),
    );
    const later = "2099-01-01T00:00:00Z";
    const HOME = await folder({ ".aws/config": config, ...cache("https://corp.awsapps.com/start", later) });
    const env = { HOME, AWS_PROFILE: "legacy", AWS_REGION: "us-east-1" };
    const refused = await startOps(status, { ...env, AWS_ENDPOINT_URL: `http://127.0.0.1:${portal}` }).ended;
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining("→ aws sso login --profile legacy") });
    const AWS_ENDPOINT_URL = `http://127.0.0.1:${await port(createServer())}`;
    const hung = await startOps(status, { ...env, AWS_ENDPOINT_URL, AWS_MAX_ATTEMPTS: "1" }).ended;
    expect(hung).toMatchObject({ code: 4, stderr: expect.stringContaining("did not answer in time") });
  });
});

describe("a stack in the local cloud", () => {
  let stack: OperatedStack;
  beforeAll(async () => {
    stack = await OperatedStack.start();
    await stack.rotate();
  });
  afterAll(() => stack.stop());

  it("is found by what `npm run local` has the newcomer export", async () => {
    const { AWS_REGION, ...rest } = stack.environment();
    const env = { ...rest, AWS_DEFAULT_REGION: AWS_REGION ?? "", C2M_BASE_URL: stack.cloud.c2mUrl };
    expect(await startOps(["verify", "--secret", secretName], env).ended).toMatchObject({ code: 0, stderr: "" });
    expect(await startOps(["doctor", "--secret", secretName], env).ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("is reached by a proxy, and trusted by a private CA: AWS_CA_BUNDLE", async () => {
    const cloud = Number(new URL(stack.cloud.awsUrl).port);
    const inspected = await port(createTlsServer(loopbackTls, (socket) => pipe(socket, cloud)));
    const tunnels: string[] = [];
    const proxy = createHttpServer();
    proxy.on("connect", ({ url = "" }, socket: Socket) => {
      tunnels.push(url);
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      pipe(socket, inspected);
    });
    // Nothing is at the endpoint itself.
    const there = { ...stack.environment(), AWS_ENDPOINT_URL: "https://localhost:1" };
    const env = { ...there, HTTPS_PROXY: `http://127.0.0.1:${await port(proxy)}` };
    const AWS_CA_BUNDLE = join(await folder({ "ca.pem": loopbackTls.cert }), "ca.pem");
    const [trusted, untrusted, direct, missing] = await Promise.all([
      startOps(status, { ...env, AWS_CA_BUNDLE }).ended,
      startOps(status, env).ended,
      startOps(status, { ...there, AWS_CA_BUNDLE }).ended,
      startOps(status, { ...env, AWS_CA_BUNDLE: "/nonexistent/ca.pem" }).ended,
    ]);
    expect(trusted).toMatchObject({ stdout: expect.stringContaining("current"), code: 0 });
    expect(tunnels).toContain("localhost:1");
    expect([untrusted.code, untrusted.stderr]).toEqual([
      4,
      expect.stringMatching(/not trusted[\s\S]*NODE_EXTRA_CA_CERTS/),
    ]);
    expect(direct).toMatchObject({ code: 4, stderr: expect.stringContaining("ECONNREFUSED") });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("AWS_CA_BUNDLE names a file") });
  });

  it("keeps its log in order where the operator's clock is 3 hours ahead, and the operator is told", async () => {
    const { stderr, code } = await stack.start(["rollback", ...stack.named, "--grace", "1 hour"], {
      CLOCK_AHEAD_MS: String(3 * hour),
    }).ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/warning: this machine's clock is (3 h|2 h 59 min).* ahead of AWS's/);
    const written = stack.cloud.logs.lines(logGroup).filter((line) => line.includes('"by":"operator"'));
    expect(written.length).toBeGreaterThan(0);
    for (const line of written) {
      const { timestamp } = JSON.parse(line) as { timestamp: string };
      expect(Math.abs(Date.parse(timestamp) - stack.clock.now())).toBeLessThan(hour / 2);
    }
  });

  it("shows what somebody has hidden in a value, and obeys none of it", async () => {
    const { engine } = stack.cloud.secretsManager;
    const { SecretString = "{}" } = engine.getSecretValue({ SecretId: secretName });
    const id = "\u001b]0;owned\u0007tok\u001b[31m\nok     all is well\u202e";
    const value = JSON.stringify({ ...JSON.parse(SecretString), token_id: id, scopes: [id] });
    const ClientRequestToken = crypto.randomUUID();
    engine.putSecretValue({ SecretId: secretName, SecretString: value, ClientRequestToken }, stack.cloud.administrator);
    for (const command of ["status", "verify", "doctor"]) {
      const { stdout, stderr } = await stack.start([command, ...stack.named], { FORCE_COLOR: "1" }).ended;
      expect(stdout).toContain("\\u001b]0;owned\\u0007tok\\u001b[31m\\u000aok     all is well\\u202e");
      const plain = (stdout + stderr).replaceAll(/\p{Cc}\[\d+m/gu, "");
      expect(plain).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]|^ok {5}all/mu);
      const json = await stack.start([command, ...stack.named, "--json"]).ended;
      expect(json.stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
      expect(() => JSON.parse(json.stdout)).not.toThrow();
    }
  });

  describe("and a `pulumi` that says more than its outputs", () => {
    const fake = async (script: string) => `${await folder({ pulumi: `#!/bin/sh\n${script}\n` })}:/usr/bin:/bin`;
    // As JSON: it has times, and not how long ago they are.
    const status = ["status", "--stack", "production", "--json"];
    const run = async (script: string) => stack.start(status, { PATH: await fake(script) }).ended;

    it("is understood", async () => {
      const PATH = await stack.pulumiPath();
      const { stdout } = await stack.start(status, { PATH }).ended;
      expect(JSON.parse(stdout)).toMatchObject({ tokens: [{ name: secretName }] });
      const real = PATH.split(":")[0];
      const warning = "echo 'warning: a new version of Pulumi is available {not json}'; echo '{ either'; echo";
      const noisy = await run(`${warning}; ${real}/pulumi "$@"; echo; echo 'thank you {really}.'`);
      expect(noisy).toMatchObject({ stdout, code: 0 });
    });

    it("has its whole error told", async () => {
      const script = "echo 'warning: plugin is old' >&2; echo 'error: failed to decrypt: bad key' >&2; exit 255";
      const { code, stderr } = await run(script);
      expect(stderr).toContain("failed (255): warning: plugin is old\nerror: failed to decrypt: bad key\n");
      expect(stderr).not.toContain("pulumi login");
      expect(code).toBe(1);
      expect((await run("echo 'error: run `pulumi login` first' >&2; exit 255")).stderr).toContain(
        "\n→ pulumi login\n",
      );
      expect((await run("echo hello")).stderr).toContain("printed no JSON: hello");
    });
  });
});
