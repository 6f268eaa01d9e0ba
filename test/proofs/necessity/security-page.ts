import { readFileSync } from "node:fs";

/** docs/security.md. */
export const securityPage = readFileSync(new URL("../../../docs/security.md", import.meta.url), "utf8");

/** The cells of every row of its table whose first column has this heading. */
export function rowsOf(heading: string): string[][] {
  const [, table = ""] = securityPage.split(new RegExp(`^\\| ${heading} +\\|`, "m"));
  const [body = ""] = table.split("\n\n");
  return body
    .split("\n")
    .slice(2)
    .filter((row) => row !== "")
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
