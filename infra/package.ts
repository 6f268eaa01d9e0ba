/**
 * What a stack of another project imports from this package.
 *
 * @module
 */
export { alarmNames } from "./alarms.ts";
export { checkStack, type DeclaredResource } from "./check-stack.ts";
export type {
  AssertionArgs,
  ClientSecretArgs,
  CredentialsArgs,
  ExistingCredentialsArgs,
  OtpArgs,
  ShortTokenArgs,
} from "./credentials.ts";
export type { Duration } from "./duration.ts";
export type { EncryptionKey } from "./encryption.ts";
export type { FunctionName } from "./functions.ts";
export { LambdaFunction, type LambdaFunctionArgs, type VpcArgs } from "./lambda-function.ts";
export { Monitoring, type MonitoringArgs } from "./monitoring.ts";
export type { ScheduleExpression } from "./schedule.ts";
export type { TokenArgs } from "./token-args.ts";
export { TokenRotation } from "./token-rotation.ts";
export type { MonitoringOptions, TokenRotationArgs } from "./token-rotation-args.ts";
export type { ReplicaArgs, TokenSecret } from "./token-secret.ts";
