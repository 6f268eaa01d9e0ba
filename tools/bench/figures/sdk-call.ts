import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { VirtualClock } from "../../../local-cloud/clock.ts";
import { LocalCloud } from "../../../local-cloud/cloud.ts";
import { type Figure, median } from "../figure.ts";

const calls = 300;

/** What a call costs in a test: the SDK, HTTP on loopback, signature and permission checks, and the engine, in one process. */
export const sdkCall: Figure = {
  name: "sdk-call",
  what: "GetSecretValue through the SDK on loopback",
  unit: "ms",
  aim: 2,
  async prepare() {
    const cloud = await LocalCloud.start({ clock: new VirtualClock() });
    const client = new SecretsManagerClient(cloud.clientConfig());
    await client.send(new CreateSecretCommand({ Name: "bench", SecretString: "value" }));
    return {
      async sample() {
        const times: number[] = [];
        for (let call = 0; call < calls; call++) {
          const start = performance.now();
          await client.send(new GetSecretValueCommand({ SecretId: "bench" }));
          times.push(performance.now() - start);
        }
        return median(times);
      },
      async close() {
        client.destroy();
        await cloud.stop();
      },
    };
  },
};
