import { expect, it } from "vitest";
import { readLine } from "../../../cli/history/lines.ts";
import { tokenLives } from "../../../cli/history/lives.ts";
import { secretNameSaid } from "../../../src/formats/settings.ts";
import { parseValue } from "../../../src/formats/stored-token.ts";
import { Sensitive } from "../../../src/ports/sensitive.ts";
import { about, lie, type Truth } from "../../cli/history-truth.ts";
import { textOf } from "./in-memory-ledger.ts";
import { play } from "./play.ts";
import { engineConnection } from "./ports.ts";
import { sampleOf } from "./random.ts";
import type { Schedule } from "./schedule.ts";
import type { ProveWorld } from "./world.ts";

/** Plays a schedule and resolves with the world that it leaves. */
async function worldAfter(schedule: Schedule): Promise<ProveWorld> {
  let left: ProveWorld | undefined;
  await play(schedule, {
    connect: async (world) => {
      left = world;
      return engineConnection(world);
    },
  });
  if (!left) throw new Error("Nothing was played.");
  return left;
}

function versionsOf(world: ProveWorld) {
  return world.secrets.map(({ index }) =>
    [...(world.secret(index)?.state.versions.values() ?? [])].map(({ id, stages, value }) => {
      const text = value && "text" in value ? value.text : undefined;
      const held = text === undefined ? undefined : parseValue(new Sensitive(text));
      return { versionId: id, labels: [...stages], createdAt: undefined, held, text };
    }),
  );
}

it("of every token of the explorer's worlds its history tells the true fate, or names the gap", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let tokens = 0;
  for (const schedule of sampleOf(seed, 200)) {
    const world = await worldAfter(schedule);
    const now = world.clock.now();
    const lines = world.ledger.lines
      .toSorted((one, other) => one.at - other.at)
      .flatMap((written) => {
        const { at, stream } = written;
        // The explorer's functions share one stream.
        const line = readLine(textOf(written), at, stream === "functions" ? "2026/01/01/functions[$LATEST]0a" : stream);
        return line && line !== "unreadable" ? [line] : [];
      });
    const versions = versionsOf(world);
    const lives = world.secrets.flatMap(({ index, settings }) =>
      tokenLives({
        now,
        from: 0,
        versions: versions[index] ?? [],
        lines: lines.filter(({ fields: { secret } }) => secretNameSaid(String(secret)) === settings.secretName),
        graceMs: undefined,
      }),
    );
    const all = versions.flat();
    const truth: Truth = {
      now,
      holdersOf: ({ accessToken }) =>
        all.flatMap(({ text, versionId }) => (text?.includes(accessToken) ? [versionId] : [])),
      at: (stage) => all.filter(({ labels }) => labels.includes(stage)).map(({ versionId }) => versionId),
      // What C2M does by itself stands in no line before the reconciler looks.
      mayBeDead: () => schedule.strikes.some(({ kind }) => kind.startsWith("c2m-revokes")),
    };
    for (const token of world.c2ms.tokens.filter(({ kind }) => kind === "long")) {
      tokens += 1;
      const found = about(token, lives, truth);
      // What somebody issued elsewhere and stored by hand is known for as long as a version holds it.
      if (found.length === 0 && world.watch.happened.byHand.has(token.accessToken)) continue;
      // Nor is what only a lost line and a secret that was deleted for good told of.
      if (found.length === 0 && world.watch.happened.isUntold(token)) continue;
      const lies = found.map((life) => lie(life, token, truth));
      const what = `${token.id}: ${found.length === 0 ? "is not in it" : lies.join(", ")}`;
      expect(lies, `${what}\n${JSON.stringify(schedule)}`).toContain(undefined);
    }
  }
  expect(tokens).toBeGreaterThan(300);
}, 300_000);
