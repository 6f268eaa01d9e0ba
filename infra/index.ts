import * as pulumi from "@pulumi/pulumi";
import { parseDuration } from "../src/formats/duration.ts";
import { readConfig } from "./args/config.ts";
import { rotationDefaults } from "./args/rotation-args.ts";
import { tokenDefaults } from "./args/token-args.ts";
import { TokenRotation } from "./token-rotation.ts";

const { name, args } = readConfig();
const rotation = new TokenRotation(name, args);
const secrets = Object.values(rotation.tokenSecrets);
const perSecret = (text: (secret: { name: string; arn: pulumi.Output<string> }) => pulumi.Output<string>) =>
  Object.fromEntries(secrets.map((secret) => [secret.name, text(secret)]));

/** The ARN of each token secret, by name: what apps read. */
export const tokenSecretArns = perSecret(({ arn }) => arn);
/** Undefined for the mechanism that stores none. */
export const credentialsSecretArn = rotation.credentialsSecretArn;
export const rotatorName = rotation.rotator.function.name;
export const reconcilerName = rotation.reconciler.function.name;
export const logGroupName = rotation.logGroup.name;
/** The C2M API, without `/auth`: where an operator may send a token. */
export const baseUrl = args.baseUrl ?? rotationDefaults.baseUrl;
/** How long a superseded token stays alive, by the secret's name. */
export const graceSeconds = Object.fromEntries(
  args.tokens.map((token) => [token.name, parseDuration(token.grace ?? tokenDefaults.grace)]),
);
/** Undefined without monitoring, as are the others of it. */
export const alarmTopicArn = rotation.monitoring?.alarmTopic.arn;
/** Publishes whenever a token secret has a new current value. */
export const rotationTopicArn = rotation.monitoring?.rotationTopic.arn;
export const dashboardName = rotation.monitoring?.dashboard.dashboardName;

/** The command that prints a token secret's value. */
export const readCommands = perSecret(
  ({ arn }) =>
    pulumi.interpolate`aws secretsmanager get-secret-value --secret-id ${arn} --query SecretString --output text`,
);
/** The command that rotates a token at once. */
export const rotateNowCommands = perSecret(
  ({ arn }) => pulumi.interpolate`aws secretsmanager rotate-secret --secret-id ${arn}`,
);
