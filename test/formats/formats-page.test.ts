import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseCredentials } from "../../src/c2m/credentials-secret.ts";
import { ledgerEvents, parseLine } from "../../src/formats/ledger.ts";
import { parseSettings } from "../../src/formats/settings.ts";
import { parseValue, serializeToken } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

const page = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");

/** The examples under a heading. */
function examples(heading: string, language = "json"): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, text = ""]) => text,
  );
}

describe("docs/formats.md", () => {
  it("shows the token secret as it is written", () => {
    const [text = ""] = examples("The token secret");
    const value = parseValue(new Sensitive(text));
    if (value.kind !== "ours") throw new Error("It is not read as a token of ours.");
    expect(JSON.parse(serializeToken(value.token).reveal())).toEqual(JSON.parse(text));
  });

  it.each(examples("The credentials secret"))("shows credentials that are read: %s", (text) => {
    expect(parseCredentials(text).clientId).toBe("c2m_1234");
  });

  it("shows a settings file that is read, with every field but those of the mechanism short_token", () => {
    const [text = ""] = examples("The settings file");
    const { tokens, ...whole } = parseSettings(text);
    expect({ ...whole, tokens }).toEqual(JSON.parse(text));
  });

  it("shows a line of each event of the ledger, and each is read", () => {
    const lines = examples("The ledger", "jsonl")[0]?.trim().split("\n") ?? [];
    const read = lines.map((text) => parseLine({ text, at: 0, logStreamName: "2026/11/21/[$LATEST]0" }));
    const events = read.map((entry) => (typeof entry === "object" ? entry.event : entry));
    expect(events.toSorted()).toEqual([...ledgerEvents].sort());
  });
});
