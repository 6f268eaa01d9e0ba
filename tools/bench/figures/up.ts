import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import { plan } from "../../../test/harness/program.ts";
import { clientId, day, emptyCloud, scopes, stackConfig } from "../../../test/harness/stack.ts";
import type { Figure } from "../figure.ts";

/**
 * How long `pulumi up` waits for C2M, which takes 10 calls a minute: on the local cloud's clock, on which nothing else takes
 * time. What AWS and the provider take comes on top, and can't be measured here.
 */
export const upTimes: Figure[] = [
  ...[1, 100, 1_000].map((tokens) => figure(`up-${tokens}`, tokens, "first")),
  figure("up-1000-again", 1_000, "credentials"),
];

function figure(name: string, tokens: number, of: "first" | "credentials"): Figure {
  const number = tokens.toLocaleString("en");
  const what =
    of === "first"
      ? `\`up\` with ${number} new token${tokens === 1 ? "" : "s"}, by C2M's limit`
      : `\`up\` with another client secret, ${number} tokens`;
  return {
    name,
    what,
    unit: "min",
    rounds: 1,
    prepare: async () => ({ sample: () => minutes(tokens, of), close: async () => undefined }),
  };
}

async function minutes(tokens: number, of: "first" | "credentials"): Promise<number> {
  const { config, secretKeys = [] } = stackConfig();
  const names = JSON.stringify(Array.from({ length: tokens }, (_, index) => ({ name: `mail/token-${index}` })));
  const declared = (clientSecret: string) =>
    plan({ config: { ...config, clientSecret, credentialsSecretName: "credentials/c2m", tokens: names }, secretKeys });
  // On the cloud's clock a reconciler that waits for C2M would keep an update waiting that at AWS goes on beside it.
  const { cloud, clock } = await emptyCloud({ runRulesEveryMs: day });
  try {
    const first = await declared(config.clientSecret ?? "");
    let start = clock.now();
    const deployment = await deploy(cloud, first);
    if (of === "credentials") {
      cloud.c2m.registerClient({ clientId, clientSecret: "the-next-secret", scopes });
      const next = await declared("the-next-secret");
      await clock.advanceBy(60_000);
      start = clock.now();
      await deployment.update(next);
    }
    return (clock.now() - start) / 60_000;
  } finally {
    await cloud.stop();
  }
}
