import { rowsOf } from "../necessity/security-page.ts";

/** What a linter says of one kind of resource. */
export interface Verdict {
  /** As the linter calls it: `CKV_AWS_116`. */
  id: string;
  /** As Pulumi's AWS provider calls it: `Function`. */
  kind: string;
  /** Whether it is found without options, and with every option. */
  plain: boolean;
  everyOption: boolean;
}

/** The lines of docs/security.md that answer a linter. */
export function answered(): Verdict[] {
  return rowsOf("finding").map(([id = "", kind = "", plain, everyOption]) => ({
    id: id.replaceAll("`", ""),
    kind: kind.replaceAll("`", ""),
    plain: plain === "yes",
    everyOption: everyOption === "yes",
  }));
}

/** What the page leaves out, and what it answers though no linter says it. Empty where the page is right. */
export function differences(found: readonly Verdict[], page: readonly Verdict[]): string[] {
  const known = new Set(page.map(textOf));
  const said = new Set(found.map(textOf));
  return [
    ...[...said].filter((text) => !known.has(text)).map((text) => `missing from docs/security.md: ${text}`),
    ...[...known].filter((text) => !said.has(text)).map((text) => `in docs/security.md, and not found: ${text}`),
  ].sort();
}

function textOf({ id, kind, plain, everyOption }: Verdict): string {
  const word = (is: boolean) => (is ? "yes" : "no");
  return `| \`${id}\` | \`${kind}\` | ${word(plain)} | ${word(everyOption)} |`;
}
