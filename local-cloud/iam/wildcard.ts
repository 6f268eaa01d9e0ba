/**
 * Whether `text` matches an IAM pattern: `*` stands for any run of characters (slashes and colons included), `?` for
 * exactly one. Linear in both lengths but for the last star, so a policy can't make a decision slow.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  let starAt = -1;
  let starTextAt = 0;
  while (textAt < text.length) {
    const expected = pattern[patternAt];
    // The star is asked about first: a text may hold a literal "*", which must not use the pattern's star up.
    if (expected === "*") {
      starAt = patternAt++;
      starTextAt = textAt;
    } else if (expected === "?" || (expected !== undefined && expected === text[textAt])) {
      patternAt += 1;
      textAt += 1;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      textAt = ++starTextAt;
    } else return false;
  }
  while (pattern[patternAt] === "*") patternAt += 1;
  return patternAt === pattern.length;
}

/**
 * Whether an ARN matches an ARN pattern as the ArnLike and ArnEquals operators compare them: each of the six
 * colon-delimited parts by itself, so a `*` can't reach across a colon but in the last part.
 * Source: IAM user guide, "Amazon Resource Name (ARN) condition operators".
 */
export function matchesArn(pattern: string, arn: string): boolean {
  const [patternParts, arnParts] = [arnPartsOf(pattern), arnPartsOf(arn)];
  if (!patternParts || !arnParts) return false;
  return patternParts.every((part, index) => matchesWildcard(part, arnParts[index] ?? ""));
}

function arnPartsOf(arn: string): string[] | undefined {
  const parts = arn.split(":");
  return parts.length < 6 ? undefined : [...parts.slice(0, 5), parts.slice(5).join(":")];
}
