import type { Environment } from "./aws-network.ts";

/** What one try may take, in ms: who somebody is must not keep a command waiting. */
const requestMs = 5_000;

const body = "Action=GetCallerIdentity&Version=2011-06-15";

/** What of a client of the SDK is used: its signer and the way that its requests go. */
export interface SignedWay {
  config: {
    region(): Promise<string>;
    /** Set where another endpoint than AWS's own is used. */
    endpoint?: (() => Promise<Endpoint>) | undefined;
    // biome-ignore lint/suspicious/noExplicitAny: the SDK types its signer and handler by classes of packages that are not ours.
    signer: any;
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    requestHandler: any;
  };
}

interface Endpoint {
  protocol: string;
  hostname: string;
  port?: number | undefined;
}

/**
 * The ARN of whoever the credentials stand for, as STS's GetCallerIdentity tells it, which needs no permission. Asked with
 * the signer and by the way of another client: STS's own would be one more package.
 *
 * @returns undefined where nobody says so
 */
export async function callerArn(client: SignedWay, env: Environment): Promise<string | undefined> {
  try {
    const { config } = client;
    const region = await config.region();
    const endpoint = (await endpointOf(client, env)) ?? awsEndpoint(region);
    const { hostname, port } = endpoint;
    const request = {
      method: "POST",
      ...endpoint,
      path: "/",
      query: {},
      headers: {
        host: port === undefined ? hostname : `${hostname}:${port}`,
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      },
      body,
    };
    const signer = await config.signer();
    const signed = await signer.sign(request, { signingService: "sts", signingRegion: region });
    const { response } = await config.requestHandler.handle(signed, { requestTimeout: requestMs });
    if (response.statusCode !== 200) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return /<Arn>(arn:[^<&]+)<\/Arn>/.exec(Buffer.concat(chunks).toString())?.[1];
  } catch {
    return undefined;
  }
}

/** As the environment or the profile has it: of the profile's the client knows after its first call. */
async function endpointOf({ config }: SignedWay, env: Environment): Promise<Endpoint | undefined> {
  const url = URL.parse(env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL || "");
  if (!url) return await config.endpoint?.();
  const port = url.port === "" ? {} : { port: Number(url.port) };
  return { protocol: url.protocol, hostname: url.hostname, ...port };
}

/** STS's own endpoint of a region, which every region has. */
function awsEndpoint(region: string): Endpoint {
  return { protocol: "https:", hostname: `sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}` };
}
