import { readFileSync } from "node:fs";

/** A command of the page. */
export interface Command {
  program: "c2m-tokens" | "pulumi" | "aws";
  args: string[];
}

/** A section of docs/runbook.md: the commands under each of its bold words. */
export interface Section {
  /** Its anchor. */
  anchor: string;
  text: string;
  commands: Record<"Check" | "Do" | "Confirm", Command[]>;
}

/** Every section with a heading of the second level. */
export function runbookSections(): Section[] {
  const page = readFileSync(new URL("../../../docs/runbook.md", import.meta.url), "utf8");
  return page
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [title = "", ...rest] = part.split("\n");
      const text = rest.join("\n");
      const commands: Section["commands"] = { Check: [], Do: [], Confirm: [] };
      let under: keyof Section["commands"] = "Check";
      for (const line of rest) {
        const word = /^\*\*(Check|Do|Confirm)\*\*/.exec(line)?.[1];
        if (word) under = word as keyof Section["commands"];
        const [, program, args] = /^(?:npx )?(c2m-tokens|pulumi|aws) (.+)$/.exec(line) ?? [];
        if (program === undefined || args === undefined) continue;
        commands[under].push({ program: program as Command["program"], args: args.replaceAll("'", "").split(" ") });
      }
      return { anchor: title.toLowerCase().replaceAll(" ", "-"), text, commands };
    });
}
