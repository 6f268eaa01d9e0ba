import { SecretsProvider } from "@aws-lambda-powertools/parameters/secrets";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import {
  type C2mFetchOptions,
  createC2mFetch,
  createTokenSource,
  type TokenSourceOptions,
} from "../../client/index.ts";
import type { AppKind } from "./client-fleet.ts";

/** An app that uses this package's `c2mFetch`. */
export function clientApp(options: Partial<TokenSourceOptions> & Pick<C2mFetchOptions, "token"> = {}): AppKind {
  const { token = "short-term", ...source } = options;
  return ({ secretId, secretsManager, c2mUrl, send, clock, account }) => {
    const tokens = createTokenSource({ secretId, secretsManager, baseUrl: c2mUrl, send, clock, ...source });
    const c2mFetch = createC2mFetch(tokens, { token, clock, fetch: account });
    return { request: async () => (await c2mFetch("/account")).status, stop: () => tokens.close() };
  };
}

/** Keeps what Powertools Parameters keeps, and does not try again: as its documentation shows it. */
export function powertoolsApp(maxAgeSeconds?: number): AppKind {
  return ({ secretId, secretsManager, c2mUrl, account }) => {
    const provider = new SecretsProvider({ awsSdkV3Client: secretsManager });
    const options = { transform: "json" as const, ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }) };
    return {
      async request() {
        const value = await provider.get<{ access_token: string }>(secretId, options);
        const headers = { authorization: `Bearer ${value?.access_token}` };
        return (await account(`${c2mUrl}/account`, { headers })).status;
      },
    };
  };
}

/** Reads the secret for every request. */
export function uncachedApp(): AppKind {
  return ({ secretId, inProcessSecretsManager, c2mUrl, account }) => ({
    async request() {
      const secret = await inProcessSecretsManager.send(new GetSecretValueCommand({ SecretId: secretId }));
      const { access_token: token } = JSON.parse(secret.SecretString ?? "{}") as { access_token: string };
      return (await account(`${c2mUrl}/account`, { headers: { authorization: `Bearer ${token}` } })).status;
    },
  });
}
