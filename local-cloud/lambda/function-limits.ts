import { deflateRawSync } from "node:zlib";
import { AwsError } from "../aws/service.ts";
import { brokenConstraint, quotas, tooLong, wrongTags } from "../quotas.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** The least and the most memory of a function, in MB. Source: Lambda quotas. */
export const memorySizes = [128, 10_240] as const;

/** What Lambda refuses a function for; undefined where it takes it. */
export function definitionProblem(definition: FunctionDefinition): AwsError | undefined {
  const { name, description, environment, files, tags, timeoutSeconds, memorySizeMb } = definition;
  const constraint =
    tooLong("functionName", "functionName", name) ??
    (/^[A-Za-z0-9_-]+$/.test(name) ? undefined : brokenConstraint("functionName", "characters of [A-Za-z0-9-_]")) ??
    tooLong("functionDescription", "description", description) ??
    (timeoutSeconds >= 1 && timeoutSeconds <= 900
      ? undefined
      : brokenConstraint("timeout", "value between 1 and 900")) ??
    (memorySizeMb >= memorySizes[0] && memorySizeMb <= memorySizes[1]
      ? undefined
      : brokenConstraint("memorySize", `value between ${memorySizes.join(" and ")}`));
  if (constraint) return new AwsError("ValidationException", constraint);
  const tagProblem = wrongTags(tags);
  if (tagProblem) return new AwsError("InvalidParameterValueException", tagProblem);
  if (environmentSize(environment) > quotas.functionEnvironment.most) {
    const message =
      "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.";
    return new AwsError("InvalidParameterValueException", message);
  }
  const bytes = codeSize(files);
  if (bytes > quotas.functionCode.most) {
    const message = `Unzipped size must be smaller than ${quotas.functionCode.most} bytes`;
    return new AwsError("InvalidParameterValueException", message);
  }
  // What is less unzipped is less zipped.
  if (bytes > quotas.functionCodeZipped.most && zippedSize(files) > quotas.functionCodeZipped.most) {
    // As base64 in the request's body, with the rest of it.
    const message = "Request must be smaller than 70167211 bytes for the CreateFunction operation";
    return new AwsError("RequestEntityTooLargeException", message, 413);
  }
  return undefined;
}

/** What an environment takes of its quota: names and values, as JSON. Lambda says "string measured" and shows the JSON. */
export function environmentSize(environment: Record<string, string>): number {
  return Object.keys(environment).length === 0 ? 0 : Buffer.byteLength(JSON.stringify(environment));
}

/** The size of the files together, in bytes. */
export function codeSize(files: Record<string, string>): number {
  return Object.values(files).reduce((total, text) => total + Buffer.byteLength(text), 0);
}

/** About the size of the files in an archive, in bytes: each compressed, with its two headers. */
export function zippedSize(files: Record<string, string>): number {
  const headerBytes = 76;
  return Object.entries(files).reduce(
    (total, [path, text]) => total + deflateRawSync(text).length + headerBytes + 2 * Buffer.byteLength(path),
    22,
  );
}
