import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, it, onTestFinished, vi } from "vitest";
import { clientConfig } from "../../src/aws/client-config.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { startProxy } from "../harness/proxy.ts";
import { startScriptedServer } from "../harness/scripted-server.ts";

it("a call that is never answered is given up, repeated, and then told as unanswered", async () => {
  let requests = 0;
  const server = createServer(() => {
    requests += 1;
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new SecretsManagerClient({
    ...clientConfig(20),
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "id", secretAccessKey: "key" },
  });
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  await expect(new SecretsManagerStore(client).describe("c2m/api-token")).rejects.toMatchObject({
    code: "store_unavailable",
  });
  expect(requests).toBe(3);
});

it("goes by the proxy where Node is told to heed one, and else by none", async () => {
  const server = await startScriptedServer();
  server.script({ status: 200, body: JSON.stringify({ ARN: "arn-by-proxy" }) });
  const proxy = await startProxy({ "secrets.invalid": Number(new URL(server.url).port) });
  onTestFinished(async () => void (await Promise.all([proxy.close(), server.close()])));
  vi.stubEnv("HTTP_PROXY", proxy.url);
  vi.stubEnv("NO_PROXY", "");
  const describe = async () => {
    const credentials = { accessKeyId: "id", secretAccessKey: "key" };
    const target = { endpoint: "http://secrets.invalid", region: "us-east-1", credentials, maxAttempts: 1 };
    const client = new SecretsManagerClient({ ...clientConfig(5_000), ...target });
    try {
      return await new SecretsManagerStore(client).describe("c2m/api-token");
    } finally {
      client.destroy();
    }
  };
  await expect(describe()).rejects.toMatchObject({ code: "store_unavailable" });
  expect(proxy.asked).toEqual([]);
  vi.stubEnv("NODE_USE_ENV_PROXY", "1");
  expect(await describe()).toMatchObject({ arn: "arn-by-proxy" });
  expect(proxy.asked).toEqual(["POST http://secrets.invalid/"]);
});
