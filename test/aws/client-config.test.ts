import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, it, onTestFinished } from "vitest";
import { clientConfig } from "../../src/aws/client-config.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";

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
