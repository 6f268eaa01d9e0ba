/**
 * Writes the table of moves into docs/proof.md: `npm run prove -- --json | node test/proofs/explorer/page.ts`. Without
 * figures on its standard input the table has none.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as groups from "./moves.ts";

const page = fileURLToPath(new URL("../../../docs/proof.md", import.meta.url));

const titles: readonly (readonly [title: string, moves: Readonly<Record<string, string>>])[] = [
  ["a process stops for good", groups.crashes],
  ["a process goes on later", groups.waits],
  ["one request goes wrong", groups.faults],
  ["a gateway answers in C2M's place", groups.gateway],
  ["C2M issues otherwise", groups.oddIssues],
  ["one line of the log", groups.lineFaults],
  ["for a while", groups.spells],
  ["another process begins", groups.processes],
  ["somebody, or AWS, or C2M", groups.events],
  ["`pulumi up`", groups.ups],
];

/** The table of moves, with how often each was played where that is known. */
export function tableOf(played: Readonly<Record<string, number>> | undefined): string {
  const rows = titles.flatMap(([title, moves]) =>
    Object.entries(moves).map(([move, words], index) => {
      const times = played?.[move];
      return `| ${index === 0 ? title : ""} | \`${move}\` | ${words} | ${times === undefined ? "" : times.toLocaleString("en")} |`;
    }),
  );
  return ["| | move | what happens | played |", "| --- | --- | --- | --: |", ...rows].join("\n");
}

const [begin, end] = ["<!-- moves -->", "<!-- end of moves -->"];

/** The page with another table. */
export function withTable(text: string, table: string): string {
  const [before, rest = ""] = text.split(begin);
  const after = rest.split(end)[1] ?? "";
  return `${before}${begin}\n${table}\n${end}${after}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const figures = JSON.parse(readFileSync(0, "utf8")) as { moves: Record<string, number> };
  writeFileSync(page, withTable(readFileSync(page, "utf8"), tableOf(figures.moves)));
}
