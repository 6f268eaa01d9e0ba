/**
 * What a stack of another project imports from this package.
 *
 * @module
 */

export type { Duration } from "../src/formats/duration.ts";
export type { MonitoringOptions, TokenRotationArgs } from "./args/rotation-args.ts";
export type { ScheduleExpression } from "./args/schedule.ts";
export type { TokenArgs } from "./args/token-args.ts";
export { checkStack, type DeclaredResource } from "./check-stack.ts";
export { alarmNames } from "./resources/alarms.ts";
export type {
  AssertionArgs,
  ClientSecretArgs,
  CredentialsArgs,
  ExistingCredentialsArgs,
  OtpArgs,
  ShortTokenArgs,
} from "./resources/credentials.ts";
export { LambdaFunction, type LambdaFunctionArgs, type VpcArgs } from "./resources/function.ts";
export type { FunctionName } from "./resources/functions.ts";
export type { EncryptionKey } from "./resources/key.ts";
export { Monitoring, type MonitoringArgs } from "./resources/monitoring.ts";
export type { ReplicaArgs, TokenSecret } from "./resources/token-secret.ts";
export { TokenRotation } from "./token-rotation.ts";
