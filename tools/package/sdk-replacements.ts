import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Partition } from "../../lambdas/sdk/endpoints.ts";

const root = resolve(import.meta.dirname, "../..");

/** A module of the AWS SDK that the bundle has another text for. */
export interface Replacement {
  /** The end of the module's path. */
  module: string;
  /** Why no function of this project can need what is left out. */
  because: string;
  /**
   * The first eight digits of the SHA-256 of the text that was left out, so that an SDK whose text is another one is looked at
   * first. None where the new text is made of the old one.
   */
  of?: string;
  /** The module's new text; relative imports are the old module's. */
  text: string | ((old: OldModule) => string | Promise<string>);
}

/** A module as the SDK has it. */
export interface OldModule {
  path: string;
  text: string;
}

/** The text of a module whose exports are never called: a call says so, by name. */
function unreachable(...names: string[]): string {
  return names
    .map((name) => `export function ${name}() { throw new Error("${name} was left out of this Lambda bundle"); }`)
    .join("\n");
}

/** The text of a module that hands on what a file of ours has in its place. */
function ours(file: string, ...names: string[]): string {
  return `export { ${names.join(", ")} } from ${JSON.stringify(resolve(root, "lambdas/sdk", file))};`;
}

const clients = ["secrets-manager", "cloudwatch-logs"] as const;

/**
 * What the SDK brings along for other places than Lambda, for other services, or for more than the few operations that are
 * called here. The build fails where one of them finds nothing to replace. Tests hold the bundle against the SDK as it is: it
 * signs, retries, corrects its clock, finds its region, endpoint and credentials, and reads answers and errors alike.
 */
export const replacements: readonly Replacement[] = [
  {
    module: "/protocols/json/AwsJson1_1Protocol.js",
    because: "the operations that are called need a small part of the protocol and of its shapes",
    of: "78df6a46",
    text: ours("json-protocol.ts", "AwsJson1_1Protocol"),
  },
  {
    module: "/schema/schemas/NormalizedSchema.js",
    because:
      "the protocol of ours reads the clients' shapes as they are, and no operation that is called streams events",
    of: "7891746d",
    text: `export const NormalizedSchema = { of: () => ({ getEventStreamMember: () => "" }) };
      export const simpleSchemaCacheN = undefined, simpleSchemaCacheS = undefined, isStaticSchema = undefined;`,
  },
  {
    module: "/submodules/schema/TypeRegistry.js",
    because: "an error is known by its name",
    of: "a680d764",
    text: "export class TypeRegistry {}",
  },
  ...clients.map((client) => ({
    module: `/@aws-sdk/client-${client}/dist-es/schemas/schemas_0.js`,
    because: "an error is known by its name, so that its class and its shape are not needed",
    text: withoutErrors,
  })),
  {
    module: "/client/smithy-client/schemaLogFilter.js",
    because: "the clients are given no logger",
    of: "1ae58757",
    text: unreachable("schemaLogFilter"),
  },
  ...clients.map((client) => ({
    module: `/@aws-sdk/client-${client}/dist-es/endpoint/endpointResolver.js`,
    because: "the rules for these two services fit in a few lines",
    text: withOwnRules,
  })),
  {
    module: "/client/util-endpoints/aws.js",
    because: "it is for the SDK's rules for endpoints",
    of: "e9427ca8",
    text: "export const awsEndpointFunctions = undefined;",
  },
  ...clients.map((client) => ({
    module: `/@aws-sdk/client-${client}/dist-es/runtimeExtensions.js`,
    because: "the clients are given no extensions",
    of: "91acbc1e",
    text: "export const resolveRuntimeExtensions = (config) => config;",
  })),
  {
    module: "/config/defaults-mode/resolveDefaultsModeConfig.js",
    because: "the clients are given all that a mode would set",
    of: "9be007b2",
    text: `export const resolveDefaultsModeConfig = () => async () => "legacy";`,
  },
  {
    module: "/client/middleware-user-agent/user-agent-middleware.js",
    because: "the bundle's user agent is always the same",
    of: "251a9899",
    text: `export const getUserAgentPlugin = ({ defaultUserAgentProvider }) => ({
        applyToStack: (stack) => stack.add((next) => (args) => {
          args.request.headers["user-agent"] = defaultUserAgentProvider();
          return next(args);
        }, getUserAgentMiddlewareOptions),
      });
      export const getUserAgentMiddlewareOptions =
        { name: "getUserAgentMiddleware", step: "build", priority: "low", override: true };
      export const userAgentMiddleware = undefined;`,
  },
  {
    module: "/client/middleware-user-agent/configurations.js",
    because: "the bundle's user agent is always the same",
    of: "8ef3d005",
    text: "export const resolveUserAgentConfig = (config) => config, DEFAULT_UA_APP_ID = undefined;",
  },
  {
    module: "/client/util-user-agent-node/defaultUserAgent.js",
    because: "Node's version, the client and Lambda say who asks",
    of: "d5065fcc",
    text: `export const createDefaultUserAgentProvider = ({ serviceId, clientVersion }) => {
        const api = serviceId.toLowerCase().replaceAll(" ", "_") + "#" + clientVersion;
        return () => ["aws-sdk-js/" + clientVersion, "ua/2.1", "lang/js", "md/nodejs#" + process.versions.node, "api/" + api,
          "exec-env/" + process.env.AWS_EXECUTION_ENV].join(" ");
      };
      export const defaultUserAgent = undefined, crtAvailability = undefined;`,
  },
  {
    module: "/client/middleware-recursion-detection/getRecursionDetectionPlugin.js",
    because: "Lambda looks for loops through queues, topics and buckets; no call here starts one",
    of: "245a5a67",
    text: "export const getRecursionDetectionPlugin = () => ({ applyToStack: () => {} });",
  },
  {
    module: "/serde/date-utils.js",
    because: "the protocol of ours knows dates as seconds only",
    of: "9b64f13c",
    text: unreachable(
      "dateToUtcString",
      "parseRfc3339DateTime",
      "parseRfc3339DateTimeWithOffset",
      "parseRfc7231DateTime",
      "parseEpochTimestamp",
    ),
  },
  {
    module: "/regionConfig/getInstanceMetadataRegion.js",
    because: "a function runs on no instance that has metadata",
    of: "da6d439b",
    text: "export const getInstanceMetadataRegion = async () => undefined;",
  },
  {
    module: "/serde/uuid/v4.js",
    because: "Node's crypto makes them, and the global `crypto` would load all of Web Crypto",
    of: "a350c133",
    text: `import { randomUUID } from "node:crypto";
      export const bindV4 = () => randomUUID;`,
  },
  {
    module: "/checksum/sha256/Sha256Node.js",
    because: "Node's crypto has SHA-256: there is no need to try it when the process starts",
    of: "0599f925",
    text: `import { createHash, createHmac } from "node:crypto";
      export class Sha256Node {
        constructor(secret) { this.secret = secret; this.reset(); }
        reset() { this.hash = this.secret ? createHmac("sha256", this.secret) : createHash("sha256"); }
        update(data) { this.hash.update(data); }
        async digest() { return new Uint8Array(this.hash.digest()); }
      }`,
  },
  {
    module: "/submodules/event-streams/index.js",
    because: "no operation that is called streams events",
    of: "261c2b96",
    // The client of CloudWatch Logs asks for its part of it when it is made.
    text: `${unreachable("EventStreamSerde")}
      export const eventStreamSerdeProvider = () => ({});
      export const resolveEventStreamSerdeConfig = (config) => config;`,
  },
  {
    module: "/signature-v4/dist-es/HeaderFormatter.js",
    because: "it signs the events of event streams",
    of: "d82a105e",
    text: "export class HeaderFormatter {}\nexport class Int64 {}",
  },
  {
    module: "/checksum/sha256/Sha256Js.js",
    because: "Node's crypto has SHA-256",
    of: "54d26649",
    text: unreachable("Sha256Js"),
  },
  {
    module: "/node-config-provider/fromSharedConfigFiles.js",
    because: "a function has no home directory with ~/.aws in it; its environment variables are read as ever",
    of: "2a225eb2",
    text: `import { CredentialsProviderError } from "../property-provider/CredentialsProviderError";
      export const fromSharedConfigFiles = () => async () => {
        throw new CredentialsProviderError("Not found: this Lambda bundle reads no shared config files");
      };`,
  },
  {
    module: "/util-retry/AdaptiveRetryStrategy.js",
    because: "the retry mode is standard; with AWS_RETRY_MODE=adaptive every call fails",
    of: "82696514",
    text: unreachable("AdaptiveRetryStrategy"),
  },
  {
    module: "/middleware-endpoint/service-customizations/s3.js",
    because: "it is for S3",
    of: "e2df99b9",
    text: `${unreachable("resolveParamsForS3", "isArnBucketName", "isDnsCompatibleBucketName")}
      export const DOT_PATTERN = undefined, S3_HOSTNAME_PATTERN = undefined;`,
  },
  {
    module: "/middleware-logger/loggerMiddleware.js",
    because: "the clients are given no logger",
    of: "0448f287",
    text: `export const getLoggerPlugin = () => ({ applyToStack: () => {} });
      export const loggerMiddleware = undefined, loggerMiddlewareOptions = undefined;`,
  },
  {
    module: "/submodules/client/emitWarningIfUnsupportedVersion.js",
    because: "the runtime is Node 24",
    of: "f99efb83",
    text: "export const state = {};\nexport const emitWarningIfUnsupportedVersion = () => {};",
  },
  ...clients.map((client) => ({
    module: `/@aws-sdk/client-${client}/package.json`,
    because: "the SDK wants its version only, for the user agent",
    text: ({ text }: OldModule) => `export default { version: ${JSON.stringify(JSON.parse(text).version)} };`,
  })),
];

/** The lines that put each error's class and shape into a registry; without them nothing needs the two any more. */
function withoutErrors({ path, text }: OldModule): string {
  const lines = /^\w+_registry\.registerError\(.+\);\n/gm;
  if (!lines.test(text)) throw new Error(`${path} registers no errors any more`);
  return text.replace(lines, "");
}

/** The service's hosts and, of the SDK's partitions, what they are made of. */
async function withOwnRules({ path }: OldModule): Promise<string> {
  const rules = readFileSync(path.replace("endpointResolver.js", "bdd.js"), "utf8");
  const hosts = [...rules.matchAll(/"https:\/\/([a-z-]+)\.\{Region\}\./g)].map(([, host]) => host);
  const service = hosts.find((host) => !host?.endsWith("-fips"));
  if (service === undefined) throw new Error(`The rules beside ${path} name no host`);
  return `import { endpointResolver } from ${JSON.stringify(resolve(root, "lambdas/sdk/endpoints.ts"))};
    export const defaultEndpointResolver =
      endpointResolver(${JSON.stringify(service)}, ${JSON.stringify(await partitions())});`;
}

interface SdkPartition {
  regionRegex: string;
  outputs: { dnsSuffix: string };
}

async function partitions(): Promise<Partition[]> {
  const file = "node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js";
  const { partitionsInfo } = (await import(pathToFileURL(resolve(root, file)).href)) as {
    partitionsInfo: { partitions: SdkPartition[] };
  };
  return partitionsInfo.partitions.map(({ regionRegex, outputs }) => [regionRegex, outputs.dnsSuffix]);
}
