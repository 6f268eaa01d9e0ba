import type { Caller } from "../aws/service.ts";
import { functionNameOf } from "./arn.ts";

/** The steps in their order, spelled as on the wire. */
export const rotationSteps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type RotationStep = (typeof rotationSteps)[number];

/** What the rotation function is called with. */
export interface RotationEvent {
  Step: RotationStep;
  /** The secret's full ARN. */
  SecretId: string;
  /** The id of the version to be made. */
  ClientRequestToken: string;
  /** Secret; proves to PutSecretValue that the value comes from this rotation. */
  RotationToken: string;
}

/** The way from Secrets Manager to Lambda. */
export interface RotationInvoker {
  /** Whether the function is there and its policy lets Secrets Manager call it for this secret. */
  mayInvoke(functionArn: string, secretArn: string): boolean;
  /** Calls the function and waits for its end. Rejects, or returns an error, when the step failed. */
  invoke(functionArn: string, secretArn: string, event: RotationEvent): Promise<{ error?: string }>;
  /** Whether a caller is the function itself; default: a role's session named as the function, as Lambda names it. */
  isFunction?(functionArn: string, caller: Caller): boolean;
}

/** Whether a caller is the rotation function itself. */
export function isRotationFunction(rotator: RotationInvoker, functionArn: string, caller: Caller): boolean {
  if (rotator.isFunction) return rotator.isFunction(functionArn, caller);
  return caller.kind === "role" && caller.arn.split("/").at(-1) === functionNameOf(functionArn);
}
