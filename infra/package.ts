/**
 * What a stack of another project imports from this package.
 *
 * @module
 */

export { alarmNames } from "../src/formats/metrics.ts";
export type { TokenRotationArgs, VpcArgs } from "./args/rotation-args.ts";
export type { TokenArgs } from "./args/token-args.ts";
export { checkStack, type DeclaredResource } from "./check-stack.ts";
export type { TokenSecret } from "./resources/token-secret.ts";
export { type RotationNodes, TokenRotation } from "./token-rotation.ts";
