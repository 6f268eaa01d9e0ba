import { AwsError } from "../../../local-cloud/aws/service.ts";
import { clientId, clientSecret, scopes } from "./c2m-client.ts";
import type { World } from "./parts.ts";
import type { Intrusion } from "./schedule.ts";

export type OperatorAction = Extract<Intrusion, `operator-${string}`>;

/** What somebody with all permissions does to a secret by hand. What Secrets Manager refuses is left undone. */
export function act(world: World, kind: OperatorAction, secret: number): void {
  tryTo(() => perform(world, kind, secret));
  world.watch.operatorActed(world.effects.count);
}

function perform(world: World, kind: OperatorAction, secret: number): void {
  const { engine } = world;
  const { arn } = world.of(secret);
  switch (kind) {
    case "operator-put":
      put(world, secret, tokenByHand(world));
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
  }
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

/** A token that was issued by hand, in the form in which the secret holds one. */
function tokenByHand(world: World): string {
  const answer = world.c2m.answer({
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
  if (answer instanceof Promise) throw new Error("C2M answers a client secret at once.");
  const { access_token = "", token_id, expires_at } = JSON.parse(answer.body) as Record<string, string>;
  world.watch.issuedByHand(access_token);
  const { baseUrl } = world.connection;
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
