import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { all, one } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import { currentToken, emptyCloud, stackConfig, type TestCloud } from "../../harness/stack.ts";

/** A forward proxy that knows plain HTTP, and what it was asked for. */
async function startProxy(): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    asked.push(String(incoming.url));
    const { method = "GET", headers } = incoming;
    const passedOn = request(String(incoming.url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passedOn.once("error", () => outgoing.destroy());
    incoming.pipe(passedOn);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const proxy = await startProxy();
const { config, secretKeys = [] } = stackConfig();
const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const [behindProxy, privateCa, plain] = await Promise.all([
  plan({ config: { ...config, proxy: proxy.url }, secretKeys }),
  plan({ config: { ...config, caCertificates: pem, proxy: proxy.url, noProxy: '["a.example.com"]' }, secretKeys }),
  plan({ config, secretKeys }),
]);

describe("functions behind a proxy", () => {
  let world: TestCloud;

  beforeAll(async () => {
    world = await emptyCloud();
    // The local C2M speaks plain HTTP, for which Node looks at the other variable.
    const plainHttp = JSON.stringify(behindProxy).replaceAll('"HTTPS_PROXY"', '"HTTP_PROXY"');
    await deploy(world.cloud, JSON.parse(plainHttp) as Plan);
  });

  afterAll(async () => {
    await world.cloud.stop();
    proxy.server.close();
  });

  it("reach C2M through it, and through it alone", () => {
    expect(world.cloud.c2m.isLive(String(currentToken(world.cloud).token_id))).toBe(true);
    const calls = world.cloud.c2m.counts;
    const answered = Object.values(calls).reduce((sum, { calls: count }) => sum + count, 0);
    const toC2m = proxy.asked.filter((url) => url.startsWith(world.cloud.c2mUrl));
    expect(toC2m.length).toBe(answered);
    expect(toC2m.length).toBeGreaterThan(0);
  });
});

describe("what of the network is not said", () => {
  it("is in no function's environment", () => {
    for (const { inputs } of all(plain, "Function")) {
      const { variables } = inputs.environment as { variables: Record<string, string> };
      expect(Object.keys(variables).filter((key) => /PROXY|CERTS/.test(key))).toEqual([]);
    }
  });

  it("a private authority's certificates are in the archive, where Node is told to find them", () => {
    const { inputs } = one(privateCa, "Function", "-reconciler");
    expect((inputs.code as { files: Record<string, string> }).files["ca.pem"]).toBe(pem);
    expect(inputs.environment).toMatchObject({
      variables: {
        HTTPS_PROXY: proxy.url,
        NODE_EXTRA_CA_CERTS: "/var/task/ca.pem",
        NO_PROXY: "a.example.com",
        NODE_USE_ENV_PROXY: "1",
      },
    });
  });
});
