import { get, type RequestOptions } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { C2mEngine } from "../../c2m/engine.ts";
import { startC2mServer } from "../../c2m/server.ts";
import { VirtualClock } from "../../clock.ts";
import { loopbackTls } from "../loopback-tls.ts";

const engine = () => new C2mEngine({ clock: new VirtualClock() });

test("serves https with the key and certificate that it is given", async () => {
  const server = await startC2mServer({ engine: engine(), tls: loopbackTls });
  onTestFinished(() => server.close());
  const options: RequestOptions = { ca: loopbackTls.cert, agent: false };
  const status = await new Promise((resolve, reject) => {
    get(`${server.url}/account`, options, (response) => resolve(response.resume().statusCode)).once("error", reject);
  });
  expect(server.url).toMatch(/^https:/);
  expect(status).toBe(401);
});

test("rejects when the port is taken", async () => {
  const first = await startC2mServer({ engine: engine() });
  onTestFinished(() => first.close());
  const port = Number(new URL(first.url).port);
  await expect(startC2mServer({ engine: engine(), port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("is gone once closed, also for a caller who keeps the connection open", async () => {
  const server = await startC2mServer({ engine: engine() });
  await (await fetch(`${server.url}/account`)).text();
  await server.close();
  await expect(fetch(`${server.url}/account`)).rejects.toThrow();
});

test("answers 500 to a bug of its own, so that it shows", async () => {
  const broken = engine();
  broken.answer = () => {
    throw new TypeError("a bug");
  };
  const server = await startC2mServer({ engine: broken });
  onTestFinished(() => server.close());
  const response = await fetch(`${server.url}/account`);
  expect([response.status, await response.text()]).toEqual([500, "TypeError: a bug"]);
});
