import { readConfig } from "./config.ts";
import { TokenRotation } from "./token-rotation.ts";

const rotation = new TokenRotation("c2m-token-rotation", readConfig());

/** The ARN of each token secret, by name: what apps read. */
export const tokenSecretArns = Object.fromEntries(
  Object.entries(rotation.tokenSecrets).map(([name, secret]) => [name, secret.arn]),
);
export const credentialsSecretArn = rotation.credentialsSecret.arn;
export const rotatorName = rotation.rotator.function.name;
export const reconcilerName = rotation.reconciler.function.name;
