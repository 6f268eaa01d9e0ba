import { AwsError } from "../../aws/service.ts";
import { change } from "../changes.ts";
import { type Context, liveSecret, writableSecret } from "../context.ts";
import { unrecorded } from "../errors.ts";
import type { Input } from "../shapes.ts";

interface SecretName {
  ARN: string;
  Name: string;
}

export function getResourcePolicy(
  context: Context,
  input: Input<"GetResourcePolicy">,
): SecretName & { ResourcePolicy?: string } {
  const secret = writableSecret(context, input.SecretId);
  const { policy } = secret.state;
  return { ARN: secret.arn, Name: secret.name, ...(policy === undefined ? {} : { ResourcePolicy: policy }) };
}

/** Stores the policy as it is, where IAM lets it pass. */
export function putResourcePolicy(context: Context, input: Input<"PutResourcePolicy">): SecretName {
  const secret = writableSecret(context, input.SecretId);
  checkPolicy(context, input.ResourcePolicy, input.BlockPublicPolicy ?? false);
  return setPolicy(context, input.SecretId, input.ResourcePolicy, secret);
}

export function deleteResourcePolicy(context: Context, input: Input<"DeleteResourcePolicy">): SecretName {
  return setPolicy(context, input.SecretId, undefined);
}

export interface PolicyValidation {
  PolicyValidationPassed: boolean;
  ValidationErrors: { CheckName: string; ErrorMessage: string }[];
}

/**
 * Judges a policy without storing it: one that lets everybody in does not pass. One that is no policy, or a secret that is not
 * there, is refused.
 */
export function validateResourcePolicy(context: Context, input: Input<"ValidateResourcePolicy">): PolicyValidation {
  if (input.SecretId !== undefined) liveSecret(context, input.SecretId);
  try {
    checkPolicy(context, input.ResourcePolicy, true);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "PublicPolicyException") throw error;
    // AWS's names of its checks are not documented.
    const failed = { CheckName: "BlockPublicPolicy", ErrorMessage: error.message };
    return { PolicyValidationPassed: false, ValidationErrors: [failed] };
  }
  return { PolicyValidationPassed: true, ValidationErrors: [] };
}

function checkPolicy(context: Context, policy: string, blockPublicPolicy: boolean): void {
  try {
    JSON.parse(policy);
  } catch {
    throw unrecorded(context.knobs.unrecorded.badPolicy);
  }
  context.checkPolicy(policy, blockPublicPolicy);
}

function setPolicy(
  context: Context,
  secretId: string,
  policy: string | undefined,
  secret = writableSecret(context, secretId),
): SecretName {
  change(context, secret, "policy", (state) => {
    state.policy = policy;
    return undefined;
  });
  return { ARN: secret.arn, Name: secret.name };
}
