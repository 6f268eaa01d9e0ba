import { CredentialsCache } from "../../lambdas/rotator/credentials-cache.ts";
import type { RotationStep } from "../../local-cloud/secrets-manager/rotation.ts";
import { runReconciler } from "../../test/harness/reconciler-run.ts";
import { clientId, clientSecret, World } from "../../test/harness/rotation-world.ts";

const hour = 3_600_000;
const credentialsName = "c2m/client-credentials";

/** Calls by operation. */
export type Calls = Record<string, number>;

/** Who made calls: a step of the rotation, or the reconciler in the two runs that revoked the old token and saw it dead. */
export type CallsBy = Record<RotationStep | "reconcile", { secretsManager: Calls; c2m: Calls }>;

/**
 * Runs one rotation on the engines and counts.
 *
 * @param options.cold the function's process is new, so it reads the client's credentials
 * @param options.graceSeconds 0: finishSecret revokes; else the reconciler does
 * @param options.processPerStep each step has a process of its own, which has not seen testSecret prove the token
 */
export async function callsOfRotation(options: {
  cold: boolean;
  graceSeconds: number;
  processPerStep?: boolean;
}): Promise<CallsBy> {
  const world: World = new World({
    settings: { graceSeconds: options.graceSeconds },
    credentials: () => cache.get(credentialsName),
  });
  const cache = new CredentialsCache({ ...noPrevious, readCurrent: (id) => world.store.readCurrent(id) }, world.clock);
  world.engine.createSecret(
    {
      Name: credentialsName,
      ClientRequestToken: "credentials-00000000-0000-4000-8000",
      SecretString: JSON.stringify({ client_id: clientId, client_secret: clientSecret }),
    },
    world.administrator,
  );
  await world.bootstrap();
  await world.enableRotation();
  if (options.cold) cache.drop(credentialsName);
  else await cache.get(credentialsName);

  const counts: Partial<CallsBy> = {};
  const count = async (by: keyof CallsBy, run: () => Promise<unknown>) => {
    const from = world.calls.calls.length;
    await run();
    counts[by] = { secretsManager: world.countCalls("secretsmanager", from), c2m: world.countCalls("c2m", from) };
  };
  const { invoke } = world;
  world.invoke = (event) => {
    if (options.processPerStep) world.newProcess();
    return count(event.Step, () => invoke(event));
  };
  await world.rotate();
  await world.clock.advanceBy(options.graceSeconds * 1_000 + hour);
  // It revokes in one run and sees the token dead in the next.
  await count("reconcile", async () => {
    await runReconciler(world);
    await world.clock.advanceBy(hour);
    await runReconciler(world);
  });
  return counts as CallsBy;
}

const noPrevious = { readPrevious: async () => undefined };

/** All calls of some, as one number. */
export function total(...calls: Calls[]): number {
  return calls.flatMap((one) => Object.values(one)).reduce((sum, number) => sum + number, 0);
}
