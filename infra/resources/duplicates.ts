import * as pulumi from "@pulumi/pulumi";
import { parseProofResult } from "../../src/formats/proof-result.ts";

/** The state keeps an answer: one that is older was told when it came. In ms. */
const freshMs = 3_600_000;

/** What the answer of a proof of credentials has to say to whoever deploys now; undefined: nothing, or it was said before. */
export function duplicatesIn(answer: string, now: number): string | undefined {
  const { duplicates = [], at = "" } = parseProofResult(answer) ?? {};
  if (duplicates.length === 0 || !(Math.abs(now - Date.parse(at)) < freshMs)) return undefined;
  const pairs = duplicates.map((names) => names.map((name) => JSON.stringify(name)).join(" and "));
  return `tokens: these secrets hold the same token: ${pairs.join("; ")}. Apps may use both; the next rotation of one gives it a token of its own, and the old one is spared while it is current in the other. Rotate one of them, by \`c2m-tokens rotate\`, to part them now.`;
}

/** Warns of secrets that are deployed and hold the same token, when the credentials have just been proven. */
export function warnOfDuplicates(answer: pulumi.Output<string>, parent: pulumi.Resource): void {
  answer.apply((text: string | undefined) => {
    const warning = text === undefined ? undefined : duplicatesIn(text, Date.now());
    if (warning !== undefined) void pulumi.log.warn(warning, parent);
  });
}
