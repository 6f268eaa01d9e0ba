import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loopbackTls } from "../../local-cloud/test/loopback-tls.ts";
import { issued, json } from "../harness/client-under-test.ts";
import { type HttpProxy, startProxy } from "../harness/proxy.ts";
import { type ScriptedServer, startScriptedServer } from "../harness/scripted-server.ts";

/** Nothing listens there: C2M and AWS are behind the proxy. */
const c2mHost = "127.0.0.1:59999";
const awsHost = "secrets.example:80";

let c2m: ScriptedServer;
let aws: ScriptedServer;
let proxy: HttpProxy;
const ca = join(mkdtempSync(join(tmpdir(), "proxy-")), "ca.pem");
writeFileSync(ca, loopbackTls.cert);

beforeEach(async () => {
  c2m = await startScriptedServer({ tls: true });
  aws = await startScriptedServer();
  const port = ({ url }: ScriptedServer) => Number(new URL(url).port);
  proxy = await startProxy({ [c2mHost]: port(c2m), "secrets.example": port(aws) });
  hold(`https://${c2mHost}/v2`);
  c2m.script(
    json(201, { ...issued, expires_at: "2099-01-01T00:00:00Z" }),
    json(200, { status: "accepted", requestId: 7 }),
  );
});
afterEach(() => Promise.all([proxy.close(), c2m.close(), aws.close()]));

/** Has the secret hold a token of the C2M at `baseUrl`. */
function hold(baseUrl: string): void {
  const value = { access_token: "long", expires_at: "2099-01-01T00:00:00Z", client_id: "c", base_url: baseUrl };
  const headers = { "content-type": "application/x-amz-json-1.1" };
  aws.script({ ...json(200, { SecretString: JSON.stringify(value), VersionId: "v" }), headers });
}

async function run(environment: Record<string, string>): Promise<unknown> {
  const app = spawn(process.execPath, [resolve(import.meta.dirname, "proxied-app.ts")], {
    env: {
      PATH: process.env.PATH,
      NODE_EXTRA_CA_CERTS: ca,
      AWS_ENDPOINT_URL: `http://${awsHost}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_MAX_ATTEMPTS: "1",
      C2M_BASE_URL: `https://${c2mHost}/v2`,
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await Promise.all([text(app.stdout), once(app, "exit")]);
  return JSON.parse(output);
}

describe("an app whose network has a proxy", () => {
  it("reaches Secrets Manager and C2M through it: the secret, the exchange and the letter", async () => {
    const sent = await run({ NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url });
    expect(sent).toEqual({ outcome: "accepted", requestId: "7" });
    expect(proxy.asked).toContain(`CONNECT ${c2mHost}`);
    expect(proxy.asked.filter((asked) => asked.includes("secrets.example"))).toHaveLength(1);
    expect(c2m.requests.map(({ path }) => path)).toEqual(["/v2/auth/tokens/short", "/v2/static"]);
  });

  it("keeps to NO_PROXY", async () => {
    const baseUrl = `${c2m.url}/v2`;
    hold(baseUrl);
    const proxies = { NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" };
    expect(await run({ ...proxies, C2M_BASE_URL: baseUrl })).toEqual({ outcome: "accepted", requestId: "7" });
    expect(proxy.asked.filter((asked) => asked.startsWith("CONNECT"))).toEqual([]);
    expect(proxy.asked).toHaveLength(1);
  });

  it("is not sent through it unless Node is told to, as fetch is not", async () => {
    expect(await run({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url })).toMatchObject({ code: "secret_unavailable" });
    expect(proxy.asked).toEqual([]);
  });
});
