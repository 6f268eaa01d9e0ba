import { AwsError } from "../../../local-cloud/aws/service.ts";
import { type EventName, type Events, formatLine, operatorStreams } from "../../../src/formats/ledger.ts";
import type { HandEvent } from "./moves.ts";
import type { World } from "./parts.ts";
import { tokenTextOf } from "./stored-text.ts";

const dayMs = 24 * 3_600_000;

/** What somebody with all permissions does by hand. What Secrets Manager refuses is left undone. */
export function act(world: World, kind: HandEvent, secret: number): void {
  tryTo(() => perform(world, kind, secret));
  if (movesLabels.has(kind)) world.watch.operatorActed(world.effects.count);
}

const movesLabels = new Set<HandEvent>(["operator-put", "operator-put-text", "operator-back", "operator-unpend"]);

function perform(world: World, kind: HandEvent, secret: number): void {
  const { engine } = world;
  const { arn } = world.of(secret);
  switch (kind) {
    case "operator-put":
      put(world, secret, tokenByHand(world, secret));
      return;
    case "operator-put-text":
      put(world, secret, "a-text-put-by-hand");
      return;
    case "operator-back": {
      const [from, to] = [world.holder(secret, "AWSCURRENT"), world.holder(secret, "AWSPREVIOUS")];
      if (from === undefined || to === undefined) return;
      engine.updateSecretVersionStage({
        SecretId: arn,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: to,
        RemoveFromVersionId: from,
      });
      return;
    }
    case "operator-unpend": {
      const from = world.holder(secret, "AWSPENDING");
      if (from === undefined) return;
      engine.updateSecretVersionStage({ SecretId: arn, VersionStage: "AWSPENDING", RemoveFromVersionId: from });
      return;
    }
    case "operator-cancel":
      engine.cancelRotateSecret({ SecretId: arn });
      return;
    case "operator-rotate":
      // Not awaited: the rotation may be the very one that this happens in.
      rotateSecret(world, secret, world.id());
      return;
    case "operator-line":
      writeLines(world, arn);
      return;
    case "operator-tag":
      engine.tagResource({ SecretId: arn, Tags: [{ Key: "cost-centre", Value: "42" }] });
      return;
    case "c2m-revokes-current":
      revokeAtC2m(world, (text) => text === currentText(world, secret));
      return;
    case "c2m-revokes-all":
      revokeAtC2m(world, () => true);
      return;
    case "versions-gone":
      for (const [id, { stages, createdDate }] of world.secret(secret).state.versions) {
        // AWS keeps those of the last 24 hours.
        if (stages.size === 0 && createdDate < world.clock.now() - dayMs)
          world.secret(secret).state.versions.delete(id);
      }
      return;
  }
}

/** What the role of an operator lets them write: lines in an operator's stream. */
function writeLines(world: World, secret: string): void {
  const now = world.clock.now();
  const write = <Name extends EventName>(event: Name, fields: Events[Name], at = now) =>
    world.ledger.put(`${operatorStreams}somebody`, at, formatLine(event, fields, at), now);
  for (const { id: token_id, kind } of world.c2ms.tokens) {
    if (kind !== "long") continue;
    const fields = { secret, token_id, expires_at: undefined };
    write("token.revoked", fields);
    write("token.dead", fields);
    write("token.unrevocable", { ...fields, reason: "says an operator" });
  }
  for (const { event, fields } of [...world.ledger.lines]) {
    if (event !== "token.issue.started") continue;
    const { version_id, attempt_id } = fields as Record<"version_id" | "attempt_id", string>;
    write("token.issue.refused", { secret, version_id, attempt_id, code: "refused" });
    write("token.promoted", { secret, version_id, superseded_version_id: undefined }, now - 12 * 3_600_000);
  }
}

/** By support, or by somebody who has the client's credentials too: C2M itself makes no difference. */
function revokeAtC2m(world: World, which: (accessToken: string) => boolean): void {
  for (const engine of world.c2ms.engines) {
    for (const token of engine.liveLongTokens()) {
      if (!which(token.accessToken)) continue;
      token.revokedAt = world.clock.now();
      token.refusedFrom = world.clock.now() + engine.knobs.revocationDelayMs;
      world.watch.revokedBySomebody(token.id, world.effects.count);
    }
  }
}

function currentText(world: World, index: number): string | undefined {
  const id = world.holder(index, "AWSCURRENT");
  return id === undefined ? undefined : tokenTextOf(world.secret(index).state.versions.get(id)?.value);
}

/** Asks for a rotation, which then runs on its own. @throws AwsError while another is unfinished, or rotation is off */
export function rotateSecret(world: World, secret: number, versionId: string): void {
  world.engine.rotateSecret({ SecretId: world.of(secret).arn, ClientRequestToken: versionId });
}

/** Whether Secrets Manager let somebody do it. */
export function tryTo(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

function put(world: World, secret: number, value: string): void {
  world.engine.putSecretValue(
    { SecretId: world.of(secret).arn, ClientRequestToken: world.id(), SecretString: value },
    world.administrator,
  );
}

/**
 * Once begun, whoever does it goes on until the secret is gone, and then takes it out of the config. Where the command is
 * refused for the secret's replicas, they go before the next try.
 */
export async function decommission(world: World, index: number): Promise<void> {
  world.toDecommission.add(index);
  await world.functions.command("decommission", index);
  if (world.secret(index).state.deletion === undefined) {
    if (world.secret(index).state.replicas.length > 0) world.watch.happened.replicasGoneAt = world.clock.now();
    world.secret(index).state.replicas = [];
    return;
  }
  world.toDecommission.delete(index);
  world.toDeploy.delete(index);
  world.decommissioned.add(index);
}

/** What is in the secrets before anything else, where that is a token of C2M's. */
export function putFirstValues(world: World): void {
  const { initialValue } = world.scenario;
  for (const { index } of world.secrets) {
    if (initialValue === "token") put(world, index, tokenByHand(world, index));
    if (initialValue === "plain-token") put(world, index, textOf(tokenByHand(world, index)));
  }
  world.watch.operatorActed(0);
}

/**
 * Where the current token itself authenticates and is dead, or belongs to another C2M, somebody has to supply one; support
 * issues it.
 */
export function supplyToken(world: World, secret: number): void {
  if (world.scenario.shortToken) act(world, "operator-put", secret);
}

function textOf(value: string): string {
  const { access_token } = JSON.parse(value) as { access_token: string };
  return access_token;
}

/** A token that was issued by hand, in the form in which the secret holds one. */
function tokenByHand(world: World, secret: number): string {
  const { baseUrl, scopes } = world.of(secret).settings;
  const { clientId, clientSecret } = world.rightCredentials;
  const answer = world.c2ms.at(baseUrl)?.answer({
    method: "POST",
    path: "/auth/tokens/long",
    headers: { "x-client-id": clientId, "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scopes,
      ttl_seconds: 60 * 86_400,
    }),
  });
  if (!answer || answer instanceof Promise) throw new Error("C2M answers a client secret at once.");
  if (answer.status >= 300) throw new AwsError("InvalidRequestException", "C2M gave no token to store.");
  const { access_token = "", token_id, expires_at } = JSON.parse(answer.body) as Record<string, string>;
  world.watch.happened.byHand.add(access_token);
  const issued_at = new Date(world.clock.now()).toISOString();
  return JSON.stringify({
    access_token,
    token_id,
    expires_at,
    client_id: clientId,
    scopes,
    issued_at,
    base_url: baseUrl,
  });
}
