import type { AwsCredentialIdentityProvider } from "@aws-sdk/types";

/**
 * Credentials as Lambda hands them to a function: in environment variables. The SDK keeps them, and asks again when
 * AWS_CREDENTIAL_EXPIRATION, which Lambda does not set, is near. The bundle has this in place of the SDK's chain of
 * providers (files, SSO, container and instance metadata), a third of the SDK's code that no function can reach: Lambda
 * has the container's for SnapStart only, of which there is none for Node.
 *
 * @throws Error when the variables are not there: the bundle is for Lambda only
 */
export function defaultProvider(): AwsCredentialIdentityProvider {
  return async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION } = process.env;
    if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
      throw Object.assign(
        new Error(
          "No AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set, as Lambda sets them. This bundle reads no profile, container or instance credentials.",
        ),
        { name: "CredentialsProviderError" },
      );
    }
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
      ...(AWS_CREDENTIAL_EXPIRATION ? { expiration: new Date(AWS_CREDENTIAL_EXPIRATION) } : {}),
    };
  };
}
