import { change } from "../changes.ts";
import { type Context, writableSecret } from "../context.ts";
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
  try {
    JSON.parse(input.ResourcePolicy);
  } catch {
    throw unrecorded(context.knobs.unrecorded.badPolicy);
  }
  context.checkPolicy(input.ResourcePolicy, input.BlockPublicPolicy ?? false);
  return setPolicy(context, input.SecretId, input.ResourcePolicy, secret);
}

export function deleteResourcePolicy(context: Context, input: Input<"DeleteResourcePolicy">): SecretName {
  return setPolicy(context, input.SecretId, undefined);
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
