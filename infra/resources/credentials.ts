import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import {
  type AssertionArgs,
  type ClientSecretArgs,
  type CredentialsArgs,
  defaultCredentialsName,
  type OtpArgs,
} from "../args/credentials-args.ts";

/** Where the rotator finds the client's credentials. */
export interface Credentials {
  /** Name or ARN, for the settings; undefined where there are none. */
  secretId: pulumi.Input<string> | undefined;
  /** Undefined where there are none. */
  secretArn: pulumi.Output<string> | undefined;
  /** Changes when the credentials that this program stores do. */
  version: pulumi.Input<string> | undefined;
  shortTokenGrantType: string | undefined;
  /** The secret, where this program made it. */
  secret: aws.secretsmanager.Secret | undefined;
}

/** Stores the credentials, or takes those that are stored. */
export function createCredentials(
  name: string,
  { clientId, credentials }: { clientId: string; credentials: CredentialsArgs },
  secretArgs: aws.secretsmanager.SecretArgs,
  { parent, protect }: { parent: pulumi.Resource; protect: boolean },
): Credentials {
  if ("shortToken" in credentials) {
    const { grantType: shortTokenGrantType } = credentials;
    return { secretId: undefined, secretArn: undefined, version: undefined, shortTokenGrantType, secret: undefined };
  }
  if ("secretArn" in credentials) {
    const secretArn = pulumi.output(credentials.secretArn);
    return { secretId: secretArn, secretArn, version: undefined, shortTokenGrantType: undefined, secret: undefined };
  }
  const secretId = credentials.secretName ?? defaultCredentialsName;
  const secret = new aws.secretsmanager.Secret(
    `${name}-credentials`,
    {
      ...secretArgs,
      name: secretId,
      description: `Credentials of the C2M client ${clientId}, for the rotation function only`,
    },
    { parent, protect },
  );
  const { versionId: version } = new aws.secretsmanager.SecretVersion(
    `${name}-credentials`,
    {
      secretId: secret.id,
      // A secret for Pulumi also where the caller gave plain text: the SDK makes this input one.
      secretString: pulumi.jsonStringify({ client_id: clientId, ...fieldsOf(credentials) }),
    },
    { parent },
  );
  return { secretId, secretArn: secret.arn, version, shortTokenGrantType: undefined, secret };
}

// In the names of the credentials secret, which is read by src/c2m/credentials-secret.ts.
function fieldsOf(credentials: ClientSecretArgs | OtpArgs | AssertionArgs): Record<string, pulumi.Input<unknown>> {
  if ("clientSecret" in credentials) return { client_secret: credentials.clientSecret };
  if ("otpSeed" in credentials) {
    const { otpSeed, otpAlgorithm, otpDigits, otpPeriod } = credentials;
    return { otp_seed: otpSeed, otp_algorithm: otpAlgorithm, otp_digits: otpDigits, otp_period: otpPeriod };
  }
  const { privateKey, keyId, algorithm, audience } = credentials;
  return { private_key: privateKey, key_id: keyId, algorithm, audience };
}
