import type { TokenSettings } from "../../../src/formats/settings.ts";
import { clientId, clientSecret, mostScopes, otherClientId, otherClientSecret } from "./c2m-client.ts";
import type { Up } from "./moves.ts";
import { decommission, supplyToken, tryTo } from "./operator.ts";
import type { ClientCredentials, World } from "./parts.ts";
import { kept, turnRotationOn } from "./settle.ts";

const hour = 3_600_000;

/** `pulumi up` with another config: the functions' settings change, and where base URL or client do, the bootstrap runs. */
export async function pulumiUp(world: World, kind: Up, secret: number): Promise<void> {
  switch (kind) {
    case "up-base-url":
    case "up-base-url-only":
      return await moveToOtherC2m(world, kind === "up-base-url");
    case "up-client":
      store(world, { ...otherClientAt(world), clientId: otherClientId });
      change(world, { clientId: otherClientId });
      return await supplyAndBootstrap(world);
    case "up-credentials": {
      const secret = `${clientSecret}-new`;
      for (const engine of world.c2ms.engines)
        engine.registerClient({ clientId, clientSecret: secret, scopes: mostScopes });
      if (world.credentials.clientId === clientId) store(world, { ...world.credentials, clientSecret: secret });
      return await bootstrapAll(world);
    }
    case "up-wrong-credentials": {
      const right = world.rightCredentials;
      const wrong = { ...right, clientSecret: "a-wrong-client-secret" };
      put(world, wrong);
      world.watch.leaks.confide("a-wrong-client-secret");
      world.wrongUntil = world.clock.now() + hour;
      world.appoint({ kind: "credentials righted", at: world.wrongUntil, wrong, right });
      return await bootstrapAll(world);
    }
    case "up-lifetime":
      return change(world, { lifetimeSeconds: 30 * 86_400 });
    case "up-scopes":
      return change(world, ({ scopes }) => ({ scopes: [...new Set([...scopes, "jobs:read"])] }));
    case "up-grace":
      return change(world, (settings) => ({ graceSeconds: settings.graceSeconds === 0 ? 3_600 : 0 }));
    case "up-paused":
      world.paused = true;
      world.wrongUntil = world.clock.now() + hour;
      world.appoint({ kind: "freeze ends", at: world.wrongUntil });
      return;
    case "up-adds":
      return await deployNew(world, world.addSecret());
    case "up-removes":
      if (!listed(world).includes(secret)) return;
      tryTo(() => world.engine.cancelRotateSecret({ SecretId: world.of(secret).arn }));
      world.unlisted.add(secret);
      world.wrongUntil = world.clock.now() + hour;
      world.appoint({ kind: "listed again", at: world.wrongUntil, index: secret });
      return;
    case "up-renames":
      if (!listed(world).includes(secret)) return;
      await deployNew(world, world.addSecret());
      return await decommission(world, secret);
    case "up-made-again":
      if (world.unlisted.has(secret) || !tryTo(() => world.makeAgain(secret))) return;
      world.decommissioned.delete(secret);
      world.toDecommission.delete(secret);
      return await deployNew(world, secret);
    case "up-retires":
      if (!listed(world).includes(secret)) return;
      world.watch.happened.deployed(world.effects.count);
      tryTo(() => world.engine.cancelRotateSecret({ SecretId: world.of(secret).arn }));
      world.of(secret).settings = { ...world.of(secret).settings, retire: true };
  }
}

/** Whoever deploys tries again, unless the secret is gone by then. */
function deployLater(world: World, index: number): void {
  if (!world.decommissioned.has(index)) world.toDeploy.add(index);
}

/** A secret that is new gets its first token, and then its rotation, at the latest by whoever deploys once more. */
async function deployNew(world: World, index: number): Promise<void> {
  supplyToken(world, index);
  const { kind } = await world.functions.bootstrap(index);
  if (kind !== "succeeded") return deployLater(world, index);
  // Not awaited: what this comes between may be a rotation itself.
  if (!world.of(index).settings.retire && listed(world).includes(index)) turnRotationOn(world, index);
}

/** From the stage to the production, say: the same client there, with a secret of its own. */
async function moveToOtherC2m(world: World, listed: boolean): Promise<void> {
  const { baseUrl } = world.connection;
  const other = world.addC2m(`${new URL(baseUrl).origin.replace("//", "//other-")}/v2`);
  store(world, { clientId, clientSecret: otherC2mSecret, baseUrl: other.baseUrl });
  other.engine.registerClient({ clientId, clientSecret: otherC2mSecret, scopes: mostScopes });
  world.watch.confide(otherC2mSecret, other.baseUrl);
  change(world, { clientId, baseUrl: other.baseUrl, ...(listed ? { formerBaseUrls: [baseUrl] } : {}) });
  await supplyAndBootstrap(world);
}

async function supplyAndBootstrap(world: World): Promise<void> {
  for (const index of listed(world)) supplyToken(world, index);
  await bootstrapAll(world);
}

/** Indices of the secrets that are in the settings. */
function listed(world: World): number[] {
  return kept(world).filter((index) => !world.unlisted.has(index));
}

const otherC2mSecret = "cs-7d1e-other-c2m-secret-04c9";

function change(
  world: World,
  change: Partial<TokenSettings> | ((settings: TokenSettings) => Partial<TokenSettings>),
): void {
  world.watch.happened.deployed(world.effects.count);
  for (const secret of world.secrets) {
    const changes = typeof change === "function" ? change(secret.settings) : change;
    secret.settings = { ...secret.settings, ...changes };
  }
}

/** The other client has a secret of its own at each C2M. */
function otherClientAt(world: World): Pick<ClientCredentials, "clientSecret" | "baseUrl"> {
  const { baseUrl } = world.credentials;
  if (baseUrl === world.connection.baseUrl) return { clientSecret: otherClientSecret, baseUrl };
  const secret = `${otherClientSecret}-there`;
  world.c2ms.at(baseUrl)?.registerClient({ clientId: otherClientId, clientSecret: secret, scopes: mostScopes });
  world.watch.confide(secret, baseUrl);
  return { clientSecret: secret, baseUrl };
}

/** Deploys credentials that work. */
function store(world: World, credentials: ClientCredentials): void {
  world.rightCredentials = credentials;
  put(world, credentials);
}

function put(world: World, credentials: ClientCredentials): void {
  world.credentialsBefore = world.credentials;
  world.credentials = credentials;
}

/** First issues of several tokens are chained; one that fails is tried again by whoever deploys. */
async function bootstrapAll(world: World): Promise<void> {
  for (const index of listed(world)) {
    const { kind } = await world.functions.bootstrap(index);
    if (kind !== "succeeded") deployLater(world, index);
  }
  // One that fails fails the deployment, and breaks nothing.
  await world.functions.proveCredentials();
}
