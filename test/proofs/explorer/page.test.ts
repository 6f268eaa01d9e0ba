import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { tableOf, withTable } from "./page.ts";

const page = readFileSync(new URL("../../../docs/proof.md", import.meta.url), "utf8");
const withoutFigures = (text: string) => text.replaceAll(/ [\d,]* \|$/gm, " |");

it("the page lists every move of the explorer, in its words, with how often it was played", () => {
  expect(withoutFigures(page)).toBe(withoutFigures(withTable(page, tableOf(undefined))));
  const figures = [...page.matchAll(/^\|[^|]*\| `[\w-]+` \|[^|]*\| ([\d,]+) \|$/gm)];
  expect(figures.length).toBeGreaterThan(50);
});
