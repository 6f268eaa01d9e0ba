import { AwsError } from "../aws/service.ts";

/**
 * The plain name in what callers give as a function: a name, `account:function:name`, or an ARN, each with or without `:$LATEST`.
 * @throws AwsError ResourceNotFoundException for another version: there is only $LATEST here.
 */
export function functionNameOf(reference: string, qualifier?: string): string {
  const parts = reference.split(":");
  const at = parts.indexOf("function");
  const [name = "", version = qualifier ?? "$LATEST"] = at < 0 ? parts : parts.slice(at + 1);
  if (version !== "$LATEST") {
    throw new AwsError(
      "ResourceNotFoundException",
      `Function ${name} has no version or alias ${version}; there is only $LATEST here.`,
      404,
    );
  }
  return name;
}
