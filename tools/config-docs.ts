/**
 * Where the keys of infra/args/keys.ts are written out: `node tools/config-docs.ts` writes Pulumi.yaml's config, the tables
 * of docs/deploy.md and the docs of the arguments' types anew. A test fails where they are not as this would write them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { nameKey } from "../infra/args/config.ts";
import { type Key, rotationKeys, tokenKeys } from "../infra/args/keys.ts";

const root = resolve(import.meta.dirname, "..");

/** Each file as it should be, by path from the project's root. */
export function writtenOut(): Record<string, string> {
  const read = (path: string) => readFileSync(resolve(root, path), "utf8");
  return {
    "Pulumi.yaml": withConfig(read("Pulumi.yaml")),
    "docs/deploy.md": withTables(read("docs/deploy.md")),
    "infra/args/rotation-args.ts": withDocs(read("infra/args/rotation-args.ts"), "TokenRotationArgs", rotationKeys),
    "infra/args/token-args.ts": withDocs(read("infra/args/token-args.ts"), "TokenArgs", tokenKeys),
  };
}

function withConfig(yaml: string): string {
  const [head] = yaml.split(/^config:\n/m);
  const keys: Record<string, Key> = { ...rotationKeys, name: nameKey };
  const entries = Object.entries(keys).map(([key, { type, says, default: value }]) => {
    // Pulumi stops at the first key that is declared without a default, or as a secret, and has no value. Empty: the program
    // tells what is missing, with all else that is wrong.
    const fallback = value ?? { string: "", integer: undefined, boolean: undefined, array: [], object: {} }[type];
    const lines = [
      `  ${key}:`,
      `    type: ${type}`,
      ...(type === "array" ? ["    items:", `      type: ${key === "tokens" ? "object" : "string"}`] : []),
      ...(fallback === undefined ? [] : [`    default: ${JSON.stringify(fallback)}`]),
      `    description: ${JSON.stringify(says)}`,
    ];
    return fallback !== undefined ? lines.join("\n") : undefined;
  });
  return `${head}config:\n${entries.filter((entry) => entry !== undefined).join("\n")}\n`;
}

function withTables(page: string): string {
  return [
    ["keys of the stack", { ...rotationKeys, name: nameKey } as Record<string, Key>],
    ["keys of a token", tokenKeys as Record<string, Key>],
  ].reduce((text, [name, keys]) => {
    const [begin, end] = [`<!-- ${name}: written by tools/config-docs.ts -->\n`, `<!-- end of ${name} -->`];
    const [before, rest = ""] = text.split(begin);
    const [, after] = rest.split(end);
    if (after === undefined) throw new Error(`docs/deploy.md has no "${begin.trim()}" … "${end}".`);
    return `${before}${begin}\n${tableOf(keys as Record<string, Key>)}\n\n${end}${after}`;
  }, page);
}

function tableOf(keys: Record<string, Key>): string {
  const shown = (value: unknown) => (value === undefined ? "" : `\`${JSON.stringify(value)}\``);
  const rows = Object.entries(keys).map(
    ([key, { says, default: value }]) => `| \`${key}\` | ${says.replaceAll("|", "\\|")} | ${shown(value)} |`,
  );
  return ["| key | meaning | default |", "| --- | --- | --- |", ...rows].join("\n");
}

function withDocs(source: string, type: string, keys: Record<string, Key>): string {
  const [head, rest = ""] = source.split(`export interface ${type} {\n`);
  const end = rest.indexOf("\n}\n");
  const fields = rest
    .slice(0, end)
    .split("\n")
    .filter((line) => /^ {2}\w+\??: /.test(line));
  const documented = fields.flatMap((field) => {
    const key = /\w+/.exec(field)?.[0] ?? "";
    const { says, default: value } = keys[key] ?? { says: "" };
    const lines = wrap(says);
    const tag = value === undefined ? [] : [`@default ${JSON.stringify(value)}`];
    const whole = [...lines, ...tag];
    if (whole.length === 1) return [`  /** ${whole[0]} */`, field];
    return ["  /**", ...whole.map((line) => `   * ${line}`), "   */", field];
  });
  return `${head}export interface ${type} {\n${documented.join("\n")}${rest.slice(end)}`;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 112) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(writtenOut())) writeFileSync(resolve(root, path), text);
}
