import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { loopbackTls } from "../../../local-cloud/test/loopback-tls.ts";
import { all, one } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import { type HttpProxy, startProxy } from "../../harness/proxy.ts";
import { currentToken, emptyCloud, hour, stackConfig, type TestCloud } from "../../harness/stack.ts";

// Names and ports at which nothing listens: behind the proxy only.
const [c2mHost, awsHost] = ["localhost:1", "localhost:2"];
const anyProxy = "http://127.0.0.1:9";
const { config, secretKeys = [] } = stackConfig({ schedule: "rate(4 hours)" });
const behind = { ...config, baseUrl: `https://${c2mHost}/v2`, proxy: anyProxy };
const trusting = { ...behind, caCertificates: loopbackTls.cert };
const [program, untrusting, withEndpoints, withNoProxy, plain] = await Promise.all([
  plan({ config: trusting, secretKeys }),
  plan({ config: { ...behind, noProxy: '["127.0.0.1"]' }, secretKeys }),
  plan({ config: { ...trusting, noProxy: '["127.0.0.1"]' }, secretKeys }),
  plan({ config: { ...trusting, noProxy: '["a.example.com",".amazonaws.com"]' }, secretKeys }),
  plan({ config, secretKeys }),
]);

/** Speaks TLS, with a certificate of a private authority, and passes on to a port without. */
async function startTls(port: number): Promise<Server> {
  const server = createServer(loopbackTls, (socket) => {
    const target = connect(port, "127.0.0.1");
    socket.pipe(target).pipe(socket);
    for (const end of [socket, target] as Socket[]) {
      end.on("error", () => end.destroy()).on("close", () => [socket, target].map((one) => one.destroy()));
    }
  });
  // A client that trusts no private authority breaks off.
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describe("functions behind a proxy, where C2M and AWS have certificates of a private authority", () => {
  let world: TestCloud;
  let proxy: HttpProxy;
  let servers: Server[];

  beforeEach(async () => {
    world = await emptyCloud();
    const { c2mUrl, awsUrl } = world.cloud;
    servers = await Promise.all([c2mUrl, awsUrl].map((url) => startTls(Number(new URL(url).port))));
    const [c2m, aws] = servers.map((server) => (server.address() as AddressInfo).port) as [number, number];
    proxy = await startProxy({ [c2mHost]: c2m, [awsHost]: aws });
  });

  afterEach(async () => {
    await world.cloud.stop();
    await proxy.close();
    for (const server of servers) server.close();
  });

  /** The program's, by this proxy; AWS is at `endpoint` for its functions. */
  function placed(declared: Plan, endpoint: string): Plan {
    const { resources, ...rest } = JSON.parse(JSON.stringify(declared).replaceAll(anyProxy, proxy.url)) as Plan;
    for (const { inputs, outputs } of all({ resources, ...rest }, "Function")) {
      for (const { environment } of [inputs, outputs] as { environment: { variables: object } }[]) {
        Object.assign(environment.variables, { AWS_ENDPOINT_URL: endpoint });
      }
    }
    return { resources, ...rest };
  }

  it("rotate, revoke and reconcile with nothing but the proxy, and the authority in the archive", async () => {
    await deploy(world.cloud, placed(program, `https://${awsHost}`));
    const first = String(currentToken(world.cloud).token_id);
    expect(world.cloud.c2m.isLive(first)).toBe(true);
    await world.clock.advanceBy(7 * hour);
    expect(currentToken(world.cloud).token_id).not.toBe(first);
    expect(world.cloud.c2m.isLive(first)).toBe(false);
    expect(world.cloud.metrics.alarming()).toEqual([]);
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${c2mHost}`, `CONNECT ${awsHost}`]));
  });

  it("reach AWS without the proxy where noProxy says so", async () => {
    await deploy(world.cloud, placed(withEndpoints, world.cloud.awsUrl));
    expect(world.cloud.c2m.isLive(String(currentToken(world.cloud).token_id))).toBe(true);
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${c2mHost}`]));
  });

  it("fail at `up` with the reason where they trust public authorities only", async () => {
    const failure = await deploy(world.cloud, placed(untrusting, world.cloud.awsUrl)).catch(String);
    expect(failure).toMatch(/certificate/i);
    expect(world.cloud.c2m.tokens).toEqual([]);
  });
});

describe("what is said of the network", () => {
  const variablesOf = (declared: Plan) =>
    all(declared, "Function").map(({ inputs }) => (inputs.environment as { variables: object }).variables);

  it("is in no function's environment where nothing is", () => {
    for (const variables of variablesOf(plain)) {
      expect(Object.keys(variables).filter((key) => /PROXY|CERTS/.test(key))).toEqual([]);
    }
  });

  it("is in both functions' environment, and the certificates are in the archive, where Node is told to find them", () => {
    for (const variables of variablesOf(withNoProxy)) {
      expect(variables).toMatchObject({
        HTTPS_PROXY: anyProxy,
        NODE_EXTRA_CA_CERTS: "/var/task/ca.pem",
        NO_PROXY: "a.example.com,.amazonaws.com",
        NODE_USE_ENV_PROXY: "1",
      });
    }
    const { inputs } = one(withNoProxy, "Function", "-reconciler");
    expect((inputs.code as { files: Record<string, string> }).files["ca.pem"]).toBe(loopbackTls.cert);
  });
});
