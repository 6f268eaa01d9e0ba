import { describe, expect, it } from "vitest";
import { type BrokenProtocol, brokenProtocols } from "./broken.ts";
import { brokenCommands } from "./broken-commands.ts";
import { brokenLedgers } from "./broken-ledger.ts";
import { brokenRows, rowsWithout } from "./broken-rows.ts";
import { brokenUps } from "./broken-ups.ts";
import { effectsAfter, withStrike } from "./enumerate.ts";
import { type Protocol, theProtocol } from "./functions.ts";
import { type Outcome, play } from "./play.ts";
import type { Schedule } from "./schedule.ts";

/** Strikes with these kinds, one after the other, at every effect of its name where each can fall; the latest effects first. */
async function search(
  schedule: Schedule,
  kinds: BrokenProtocol["shownBy"],
  { protocol, until }: { protocol: Protocol; until: (outcome: Outcome) => boolean },
): Promise<Outcome | undefined> {
  const outcome = await play(schedule, { protocol });
  if (until(outcome)) return outcome;
  const [first, ...rest] = kinds;
  if (first === undefined) return undefined;
  const [kind, only] = typeof first === "string" ? [first] : first;
  for (const { number: at, name } of effectsAfter(schedule, outcome.effects).reverse()) {
    if (only !== undefined && name !== only) continue;
    const found = await search(withStrike(schedule, { at, kind }), rest, { protocol, until });
    if (found) return found;
  }
  return undefined;
}

const broken = [...brokenProtocols, ...brokenRows, ...brokenLedgers, ...brokenCommands, ...brokenUps];

describe("the explorer catches code that", () => {
  it.each(broken)("$fault ($breaks)", async ({ breaks, scenario, shownBy, protocol }) => {
    const until = ({ violations }: Outcome) => violations.some((text) => text.startsWith(`${breaks}:`));
    const found = await search({ scenario, strikes: [] }, shownBy, { protocol, until });
    expect(found, "a schedule that shows it").toBeDefined();
    expect(found?.schedule.strikes, "no move is one too many").toHaveLength(shownBy.length);
    // The very same schedule does the real protocol no harm: it was the mistake that was caught.
    const schedule = { scenario, strikes: found?.schedule.strikes ?? [] };
    const { violations } = await play(schedule, { protocol: theProtocol });
    expect(violations).toEqual([]);
  });
});

it("each row of issue 16 is a variant or has a reason why it is none", () => {
  const ofVariants = broken.flatMap((one) => ("row" in one ? [Number(one.row)] : []));
  const rows = [...ofVariants, ...Object.keys(rowsWithout).map(Number)];
  expect(rows.sort((one, other) => one - other)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
});
