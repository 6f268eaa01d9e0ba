import {
  DescribeSecretCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";

export interface SignedRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}

/** A request handler for an SDK client that keeps the signed request instead of sending it. */
export function catchingHandler() {
  let caught: Omit<SignedRequest, "url"> & { protocol: string; hostname: string; port: number; path: string };
  return {
    handle: async (request: typeof caught) => {
      caught = request;
      throw new Error("caught before it was sent");
    },
    request: (): SignedRequest => ({
      ...caught,
      url: `${caught.protocol}//${caught.hostname}:${caught.port}${caught.path}`,
    }),
  };
}

/** A DescribeSecret as the SDK signs it, not sent, so that a test can send it changed. */
export async function signedRequest(config: SecretsManagerClientConfig, secretId = "token"): Promise<SignedRequest> {
  const requestHandler = catchingHandler();
  const client = new SecretsManagerClient({ ...config, requestHandler });
  await client.send(new DescribeSecretCommand({ SecretId: secretId })).catch(() => undefined);
  return requestHandler.request();
}

export async function send({ url, method, headers, body }: SignedRequest) {
  // fetch sets these two by itself.
  const { host: _, "content-length": __, ...rest } = headers;
  const response = await fetch(url, { method, headers: rest, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
}
