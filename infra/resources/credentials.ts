import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "./context.ts";
import { createSecretPolicy, secretArgsOf } from "./token-secret.ts";

/** Where the rotator finds the client's credentials. */
export interface StoredCredentials {
  /** Name or ARN, for the settings; undefined where there are none. */
  secretId: pulumi.Input<string> | undefined;
  /** Undefined where there are none. */
  secretArn: pulumi.Output<string> | undefined;
  /** Changes when the credentials that this program stores do. */
  version: pulumi.Input<string> | undefined;
}

/** Stores the credentials, or takes those that are stored. */
export function createCredentials({ plan, child, secretKeyId }: StackContext): StoredCredentials {
  const { name, clientId, baseUrl, credentials } = plan;
  if (credentials.kind === "shortToken") return { secretId: undefined, secretArn: undefined, version: undefined };
  if (credentials.kind === "existing") {
    return { secretId: credentials.secretArn, secretArn: credentials.secretArn, version: undefined };
  }
  const secret = new aws.secretsmanager.Secret(
    `${name}-credentials`,
    {
      ...secretArgsOf(plan, secretKeyId),
      name: credentials.secretName,
      description: pulumi.interpolate`Credentials of the C2M client ${clientId}, for the rotation function only`,
    },
    { ...child, protect: plan.protect },
  );
  createSecretPolicy(`${name}-credentials`, secret, undefined, child);
  const { versionId: version } = new aws.secretsmanager.SecretVersion(
    `${name}-credentials`,
    {
      secretId: secret.id,
      // A secret for Pulumi also where the caller gave plain text: the SDK makes this input one.
      secretString: pulumi.jsonStringify({ client_id: clientId, base_url: baseUrl, ...credentials.fields }),
    },
    // The rotator goes on with the credentials before these where C2M refuses these. The provider would take the label
    // AWSPREVIOUS off a version that it deletes, where a refresh has seen the label on it.
    { ...child, retainOnDelete: true },
  );
  return { secretId: credentials.secretName, secretArn: secret.arn, version };
}
