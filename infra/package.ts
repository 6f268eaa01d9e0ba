/**
 * What a stack of another project imports from this package.
 *
 * @module
 */

export type { Duration } from "../src/formats/duration.ts";
export { alarmNames } from "../src/formats/metrics.ts";
export type {
  AssertionArgs,
  ClientSecretArgs,
  CredentialsArgs,
  ExistingCredentialsArgs,
  OtpArgs,
  ShortTokenArgs,
} from "./args/credentials-args.ts";
export type {
  EncryptionKey,
  MonitoringOptions,
  ReplicaArgs,
  TokenRotationArgs,
  VpcArgs,
} from "./args/rotation-args.ts";
export type { ScheduleExpression } from "./args/schedule.ts";
export type { TokenArgs } from "./args/token-args.ts";
export { checkStack, type DeclaredResource } from "./check-stack.ts";
export { LambdaFunction, type LambdaFunctionArgs } from "./resources/function.ts";
export type { FunctionName } from "./resources/functions.ts";
export { Monitoring, type MonitoringArgs } from "./resources/monitoring.ts";
export type { TokenSecret } from "./resources/token-secret.ts";
export { TokenRotation } from "./token-rotation.ts";
