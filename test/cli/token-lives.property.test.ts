import fc from "fast-check";
import { expect, it } from "vitest";
import { type Line, readLine } from "../../cli/history/lines.ts";
import { tokenLives } from "../../cli/history/lives.ts";
import type { C2mToken } from "../../local-cloud/c2m/token-register.ts";
import { formatLine } from "../../src/formats/ledger.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { RotationError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";
import { about, lie, type Truth } from "./history-truth.ts";

const day = 86_400_000;

type ByHand = "put copy" | "put text" | "back" | "detach" | "revoke by hand";

type Move =
  | {
      do:
        | "rotate"
        | "reconcile"
        | "bootstrap"
        | "heal"
        | "put copy"
        | "put text"
        | "back"
        | "detach"
        | "revoke by hand";
    }
  | { do: "break"; operation: string; when: "before" | "after" | "refused"; nth: number; times: number }
  | { do: "wait"; ms: number }
  | { do: "turn"; ids: (typeof ids)[number]; sameTokenAgain: boolean; maximumTtlSeconds: number };

const simple = ["bootstrap", "heal", "put copy", "put text", "back", "detach", "revoke by hand"] as const;
const operations = [
  ...["PutSecretValue", "GetSecretValue", "UpdateSecretVersionStage", "DescribeSecret"],
  ...["issueLongTermToken", "issueLongTermToken", "issueLongTermToken", "issueShortTermToken", "revokeToken"],
];

/** Where C2M tells a token's id, in body and header; `another` is one that no token has. */
const ids = [
  [true, true],
  [true, false],
  [false, true],
  [false, false],
  [true, "another"],
] as const;

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Move>({ do: "rotate" }) },
  { weight: 5, arbitrary: fc.constant<Move>({ do: "reconcile" }) },
  { weight: 4, arbitrary: fc.constantFrom(...simple).map((name): Move => ({ do: name })) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("break" as const),
      operation: fc.constantFrom(...operations),
      when: fc.constantFrom("before" as const, "after" as const, "refused" as const),
      nth: fc.constantFrom(1, 1, 2),
      times: fc.constantFrom(1, 3),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(60_000, day, 30 * day) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("turn" as const),
      ids: fc.constantFrom(...ids),
      sameTokenAgain: fc.boolean(),
      maximumTtlSeconds: fc.constantFrom(7_776_000, 864_000),
    }),
  },
);

/** What a history has to be held against: the world, and whom somebody else than the functions revoked. */
class Play {
  readonly world: World;
  readonly byHand = new Set<string>();

  constructor(world: World) {
    this.world = world;
  }

  async make(one: Move): Promise<void> {
    const { world } = this;
    switch (one.do) {
      case "rotate":
        return void (await settled(() => world.rotate()));
      case "bootstrap":
        return void (await settled(() => world.bootstrap()));
      case "reconcile":
        return void (await settled(() => runReconciler(world, { scope: "all" })));
      case "heal":
        return world.faults.clear();
      case "wait":
        return await world.clock.advanceBy(one.ms);
      case "turn":
        return void Object.assign(world.c2mEngine.knobs, {
          tokenIdInBody: one.ids[0],
          tokenIdInHeader: one.ids[1],
          sameTokenAgain: one.sameTokenAgain,
          maximumTtlSeconds: one.maximumTtlSeconds,
        });
      case "break": {
        const service = /^[A-Z]/.test(one.operation) ? "secretsmanager" : "c2m";
        const fault =
          one.when === "refused"
            ? { kind: "error" as const, status: 400, code: "AccessDeniedException", message: "" }
            : { kind: "cut" as const, when: one.when };
        world.faults.add({ service, operation: one.operation, nth: one.nth, times: one.times, fault });
        return;
      }
      default: {
        const { do: what } = one;
        return await settled(async () => this.#byHand(what));
      }
    }
  }

  #byHand(what: ByHand): void {
    const { world } = this;
    if (what === "put copy") world.operator.put(world.text(world.holder("AWSCURRENT") ?? "") ?? "text");
    else if (what === "put text") world.operator.put("a-value-from-before-us");
    else if (what === "back") world.operator.moveStage("AWSCURRENT", world.holder("AWSPREVIOUS"));
    else if (what === "detach") world.operator.moveStage("AWSPENDING", undefined);
    else {
      const text = world.text(world.holder("AWSCURRENT") ?? "");
      const token = this.tokens().find(({ accessToken }) => text?.includes(accessToken));
      if (!token) return;
      world.operator.revokeByHand(token.id);
      this.byHand.add(token.id);
    }
  }

  tokens(): C2mToken[] {
    return this.world.c2mEngine.tokens.filter(({ kind }) => kind === "long");
  }

  versions() {
    const { state } = this.world.engine.find(this.world.arn) ?? {};
    return [...(state?.versions.values() ?? [])].map(({ id, stages }) => {
      const text = this.world.text(id);
      const held = text === undefined ? undefined : parseValue(new Sensitive(text));
      return { versionId: id, labels: [...stages], createdAt: undefined, held };
    });
  }

  /** The log as CloudWatch gives it, without the lines that it lost. */
  lines(isLost: (index: number) => boolean): Line[] {
    return this.world.log.flatMap(({ event, fields, at }, index) => {
      if (isLost(index)) return [];
      const line = readLine(formatLine(event, fields, at), at, "2026/01/01/rotator[$LATEST]00");
      expect(line).not.toBe("unreadable");
      return line && line !== "unreadable" ? [line] : [];
    });
  }
}

async function settled(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const isRefusal =
      error instanceof RotationError || (error instanceof Error && error.constructor.name === "AwsError");
    if (!isRefusal) throw error;
  }
}

it("tells of every token of a world its true fate, or names the gap, whatever lines are lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(move, { maxLength: 14 }),
      fc.constantFrom(0, 3_600, 86_400),
      fc.oneof(
        { weight: 2, arbitrary: fc.constant(new Set<number>()) },
        fc.array(fc.nat(80)).map((lost) => new Set(lost)),
      ),
      async (moves, graceSeconds, lost) => {
        const play = new Play(await World.ready({ settings: { graceSeconds } }));
        for (const one of moves) await play.make(one);
        const { world } = play;
        const lines = play.lines((index) => lost.has(index));
        const lives = tokenLives({
          now: world.clock.now(),
          from: 0,
          versions: play.versions(),
          lines,
          graceMs: graceSeconds * 1_000,
        });
        const json = JSON.stringify(lives);
        const truth: Truth = {
          now: world.clock.now(),
          holdersOf: ({ accessToken }) =>
            play
              .versions()
              .flatMap(({ versionId }) => (world.text(versionId)?.includes(accessToken) ? [versionId] : [])),
          at: (stage) => [world.holder(stage) ?? ""],
          mayBeDead: ({ id }) => play.byHand.has(id),
        };
        for (const token of play.tokens()) {
          expect(json).not.toContain(token.accessToken);
          const found = about(token, lives, truth);
          // Whom only lost lines named, nobody can tell of; the history says that lines may be lost.
          const isLost = world.log.some(
            ({ event, fields }, index) =>
              lost.has(index) && (event === "token.issue.started" || JSON.stringify(fields).includes(token.id)),
          );
          if (isLost && found.length === 0) continue;
          const lies = found.map((life) => lie(life, token, truth));
          expect(
            found.length > 0 && lies.some((one) => one === undefined),
            `${token.id}: ${found.length === 0 ? "is not in it" : lies.join(", ")}`,
          ).toBe(true);
        }
        const live = new Set(world.live());
        for (const life of lives.filter(({ fate }) => fate === "revoked" || fate === "seen dead")) {
          expect(live.has(life.tokenId ?? "")).toBe(false);
        }
      },
    ),
    { numRuns: 150 },
  );
});
