import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";

/** A module of the AWS SDK that the bundle has another text for. */
interface Replacement {
  /** The end of the module's path. */
  module: string;
  /** Why no function of this project can need what is left out. */
  because: string;
  /** The module's new text; relative imports are the old module's. */
  text: string | ((path: string) => Promise<string>);
}

/** The text of a module whose exports are never called: a call says so, by name. */
function unreachable(...names: string[]): string {
  return names
    .map((name) => `export function ${name}() { throw new Error("${name} was left out of this Lambda bundle"); }`)
    .join("\n");
}

/**
 * What the SDK brings along for other places than Lambda, or for other services. Each entry is checked by a test: it
 * still replaces something, and the bundle still signs, retries and finds its region, endpoint and credentials.
 */
export const replacements: readonly Replacement[] = [
  {
    module: "/submodules/event-streams/index.js",
    because: "no operation that is called streams events",
    // The client of CloudWatch Logs asks for its part of it when it is made.
    text: `${unreachable("EventStreamSerde")}
      export const eventStreamSerdeProvider = () => ({});
      export const resolveEventStreamSerdeConfig = (config) => config;`,
  },
  {
    module: "/signature-v4/dist-es/HeaderFormatter.js",
    because: "it signs the events of event streams",
    text: "export class HeaderFormatter {}\nexport class Int64 {}",
  },
  {
    module: "/checksum/sha256/Sha256Js.js",
    because: "Node's crypto has SHA-256",
    text: unreachable("Sha256Js"),
  },
  {
    module: "/node-config-provider/fromSharedConfigFiles.js",
    because: "a function has no home directory with ~/.aws in it; its environment variables are read as ever",
    text: `import { CredentialsProviderError } from "../property-provider/CredentialsProviderError";
      export const fromSharedConfigFiles = () => async () => {
        throw new CredentialsProviderError("Not found: this Lambda bundle reads no shared config files");
      };`,
  },
  {
    module: "/regionConfig/getInstanceMetadataRegion.js",
    because: "a function runs on no instance that has metadata",
    text: "export const getInstanceMetadataRegion = async () => undefined;",
  },
  {
    module: "/util-retry/AdaptiveRetryStrategy.js",
    because: "the retry mode is standard; with AWS_RETRY_MODE=adaptive every call fails",
    text: unreachable("AdaptiveRetryStrategy"),
  },
  {
    module: "/middleware-endpoint/service-customizations/s3.js",
    because: "it is for S3",
    text: `${unreachable("resolveParamsForS3", "isArnBucketName", "isDnsCompatibleBucketName")}
      export const DOT_PATTERN = /[^]/, S3_HOSTNAME_PATTERN = /[^]/;`,
  },
  {
    module: "/middleware-logger/loggerMiddleware.js",
    because: "the clients are given no logger",
    text: `export const getLoggerPlugin = () => ({ applyToStack: () => {} });
      export const loggerMiddleware = undefined, loggerMiddlewareOptions = undefined;`,
  },
  {
    module: "/submodules/client/emitWarningIfUnsupportedVersion.js",
    because: "the runtime is Node 24",
    text: "export const state = {};\nexport const emitWarningIfUnsupportedVersion = () => {};",
  },
  ...["secrets-manager", "cloudwatch-logs"].map((client) => ({
    module: `/@aws-sdk/client-${client}/package.json`,
    because: "the SDK wants its version only, for the user agent",
    text: async (path: string) => `export default ${JSON.stringify(versionOf(path))};`,
  })),
  {
    module: "/util-endpoints/lib/aws/partitions.js",
    because: "the names of regions are for people; a region is found by its partition's pattern",
    text: withoutRegionNames,
  },
];

function versionOf(path: string): { version: string } {
  return { version: (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version };
}

interface Partitions {
  partitions: { regionRegex: string; regions: Record<string, object> }[];
}

/** Keeps the regions that no pattern matches, such as `aws-global`. */
async function withoutRegionNames(path: string): Promise<string> {
  const { partitionsInfo } = (await import(pathToFileURL(path).href)) as { partitionsInfo: Partitions };
  const partitions = partitionsInfo.partitions.map((partition) => {
    const unmatched = Object.keys(partition.regions).filter(
      (region) => !new RegExp(partition.regionRegex).test(region),
    );
    return { ...partition, regions: Object.fromEntries(unmatched.map((region) => [region, {}])) };
  });
  return `export const partitionsInfo = ${JSON.stringify({ ...partitionsInfo, partitions })};`;
}

/** Replaces those modules; `onReplaced` hears which one. */
export function trimSdk(onReplaced: (module: string) => void = () => {}): Plugin {
  return {
    name: "trim-sdk",
    setup(build) {
      for (const { module, text } of replacements) {
        const filter = new RegExp(`${module.replace(/[.]/g, "\\.")}$`);
        build.onLoad({ filter }, async ({ path }) => {
          onReplaced(module);
          const contents = typeof text === "string" ? text : await text(path);
          return { contents, loader: "js", resolveDir: dirname(path) };
        });
      }
    },
  };
}
