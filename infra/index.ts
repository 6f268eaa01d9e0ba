import { readConfig } from "./args/config.ts";
import { TokenRotation } from "./token-rotation.ts";

const { name, args } = readConfig();
const rotation = new TokenRotation(name, args);

export const {
  tokenSecretArns,
  credentialsSecretArn,
  rotatorName,
  reconcilerName,
  logGroupName,
  kmsKeyArn,
  baseUrl,
  graceSeconds,
  sandbox,
  alarmTopicArn,
  rotationTopicArn,
  dashboardName,
  readCommands,
  rotateNowCommands,
} = rotation;
