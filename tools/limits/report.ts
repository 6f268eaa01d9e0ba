import type { Measure } from "./measures.ts";

const heads = ["used", "quota", "left"];

/** The measures as a table, in their order, and the verdict. */
export function report(tokens: number, measures: readonly Measure[]): string {
  const rows = measures.map(({ what, of, used, most, left, unit }) => {
    const figures = [used, most, left].map((value) => columnOf(number(value))).join("");
    const mark = left < 0 ? "OVER" : "";
    return `${mark.padEnd(6)}${figures} ${unit.padEnd(11)}${what}${of === undefined ? "" : ` (${of})`}`;
  });
  const title = `${number(tokens)} token${tokens === 1 ? "" : "s"}, against AWS's default quotas`;
  const over = measures.filter(({ left }) => left < 0).length;
  const verdict = over === 0 ? "All fits." : `${number(over)} over: AWS would refuse this program.`;
  return `${title}\n\n${["".padEnd(6) + heads.map(columnOf).join(""), ...rows].join("\n")}\n\n${verdict}\n`;
}

function columnOf(text: string): string {
  return text.padStart(12);
}

function number(value: number): string {
  return value.toLocaleString("en");
}
