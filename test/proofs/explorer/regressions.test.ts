import { describe, expect, it } from "vitest";
import type { RotationContext } from "../../../src/rotation/context.ts";
import { runStep } from "../../../src/rotation/steps/run-step.ts";
import { type Protocol, theProtocol } from "./functions.ts";
import { events, type Move } from "./moves.ts";
import { type Outcome, play } from "./play.ts";
import { parseScheduleId, type Strike } from "./schedule.ts";

/** Plays a scenario with strikes at the first effects of these names, each after the one before. */
async function struck(
  scenario: string,
  strikes: readonly (readonly [effect: string, kind: Move])[],
  protocol: Protocol = theProtocol,
): Promise<Outcome> {
  let outcome = await play({ scenario, strikes: [] }, { protocol });
  for (const [name, kind] of strikes) {
    const after = outcome.schedule.strikes.at(-1)?.at ?? 0;
    const at = outcome.effects.find((effect) => effect.name === name && effect.number >= after)?.number;
    if (at === undefined) throw new Error(`There is no ${name} after ${after}.`);
    outcome = await play({ scenario, strikes: [...outcome.schedule.strikes, { at, kind }] }, { protocol });
  }
  return outcome;
}

/** The protocol as it was: it spoke of a promotion only when it had made it. */
const silentPromotion: Protocol = {
  ...theProtocol,
  runStep: (context, step, target) => {
    const log: RotationContext["log"] = {
      metric: (name, value) => context.log.metric(name, value),
      event: (name, fields) => {
        if (name !== "token.promotion.started") context.log.event(name, fields);
      },
    };
    return runStep({ ...context, log }, step, target);
  },
};

describe("found by the explorer:", () => {
  it("a token without an id that was never stored is reported with its expiry", async () => {
    const { violations } = await struck("no-ids", [["createSecret PutSecretValue", "crash"]]);
    expect(violations).toEqual([]);
  });

  it("a token without an id is reported once for each that was issued for the same version", async () => {
    const { violations } = await struck("no-ids-grace", [
      ["createSecret PutSecretValue", "crash"],
      ["createSecret PutSecretValue", "crash"],
    ]);
    expect(violations).toEqual([]);
  });

  // Nothing is on record of whether AWS moves LastChangedDate with a label.
  const killedTwice = [
    ["createSecret PutSecretValue", "crash-done"],
    ["finishSecret UpdateSecretVersionStage", "crash-done"],
  ] as const;

  it("the grace begins with a promotion by a step that was killed before it could say so", async () => {
    const { violations } = await struck("labels-change-nothing", killedTwice);
    expect(violations).toEqual([]);
  });

  it("… for which it needs the line that is written before the promotion", async () => {
    const { violations } = await struck("labels-change-nothing", killedTwice, silentPromotion);
    expect(violations.join()).toContain("within the grace period");
  });

  // An operator takes AWSPENDING off just as finishSecret promotes, and the reconciler runs between the two.
  const overtaken = [
    ["finishSecret UpdateSecretVersionStage", "operator-unpend"],
    ["finishSecret UpdateSecretVersionStage", "reconcile-all"],
  ] as const;

  it("the reconciler leaves alone what a step may be about to promote, without grace too", async () => {
    const { violations } = await struck("no-grace", overtaken);
    expect(violations).toEqual([]);
  });

  it("… also where the line that is written before the promotion is lost", async () => {
    const { violations } = await struck("no-grace", overtaken, silentPromotion);
    expect(violations).toEqual([]);
  });

  it.each([
    ["1", "grace:3.up-base-url"],
    ["2", "grace:59.gateway-json"],
    ["5", "grace:49.c2m-revokes-current"],
    ["10", "grace:49.operator-line"],
    ["12", "grace:39.finish-first"],
    ["18", "two-secrets:52.same-token"],
    ["6", "log-late:32.decommission"],
    ["4", "rolled-back:65.c2m-revokes-current"],
    ["5", "rolled-back:66.gateway-403+122.cut+150.c2m-revokes-current"],
    ["the winner is read before the loser's token is revoked", "steps-concurrently:112.denied-spell"],
  ])("row %s of issue 16: %s", async (_, id) => {
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("the proof of credentials is given the token that became current just before, which late reads don't show", async () => {
    const id = "seen-late:15.crash-done+32.up-client+42.same-token";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("somebody goes back by hand to a token whose revocation had begun: unstick ends the wait", async () => {
    const id = "grace-abandoned:108.error+110.operator-back+134.fewer-scopes";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("a rotation that is tried again succeeds while the next one has promoted and not yet revoked", async () => {
    const id = "no-grace:87.gateway-403+107.rotation-begins";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("C2M is down at both rotations of an empty secret", async () => {
    const id = "first-by-rotation:5.c2m-down+84.c2m-down";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("`pulumi up` issues nothing for a secret whose decommission has begun", async () => {
    const id = "adopted:63.decommission+118.up-client+144.hold";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
    const { violations } = await struck("grace", [
      ["reconcile DescribeSecret", "decommission"],
      ["decommission DeleteSecret", "up-client"],
    ]);
    expect(violations).toEqual([]);
  });

  it("a decommission revokes a current token by both of its ids", async () => {
    const { violations } = await struck("grace", [
      ["createSecret issueLongTermToken", "other-id"],
      ["reconcile all DescribeSecret", "decommission"],
    ]);
    expect(violations).toEqual([]);
  });

  it("a decommission tells of a pending token that has no id", async () => {
    expect((await play(parseScheduleId("no-ids-grace:63.decommission+75.up-removes"))).violations).toEqual([]);
  });

  it("a token that two secrets hold is kept for the grace of both", async () => {
    expect((await play(parseScheduleId("two-secrets:13.same-token+22.fewer-scopes"))).violations).toEqual([]);
  });

  it("a decommission spares the token that is current in another secret, and tells of it", async () => {
    expect((await play(parseScheduleId("c2m-ahead:68.same-token+72.up-renames"))).violations).toEqual([]);
  });

  it.each([
    "log-late:47.same-token+64.up-renames",
    "clamped:47.same-token+59.up-renames",
    "tokens-work-late:55.same-token+63.up-renames",
  ])("… and that token is revoked when it is superseded there: %s", async (id) => {
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("a retired secret is not called quiet by the run in which C2M refuses a revocation", async () => {
    const id = "revoke-answers-404:40.up-retires+70.up-base-url-only";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("the version of a plain token that was there before us is gone: it is reported all the same", async () => {
    expect((await play(parseScheduleId("adopted-token:79.versions-gone"))).violations).toEqual([]);
  });

  it.each([
    "seen-late-no-grace:57.up-wrong-credentials+57.up-wrong-credentials",
    "seen-late-no-grace:16.unstick+57.up-wrong-credentials+57.up-wrong-credentials",
  ])("after two wrong client secrets in a row and the right one the next rotation succeeds: %s", async (id) => {
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it.each(["no-ids:64.c2m-clamps+93.c2m-clamps", "no-ids:64.c2m-clamps+93.c2m-clamps+129.fewer-scopes"])(
    "when C2M does not clamp lifetimes any more the next rotation succeeds: %s",
    async (id) => {
      expect((await play(parseScheduleId(id))).violations).toEqual([]);
    },
  );

  it("a process that comes between another and has ended at once can be held by a third: the play ends", async () => {
    const id = "steps-concurrently-no-grace:36.hold+36.operator-unpend";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("a rotation that begins for a secret which is in no settings ends at once, and so does the play", async () => {
    const id = "seen-late-no-grace:62.up-removes+71.rotation-begins";
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });

  it("of two tokens that were issued at once, each with two ids, the surplus one is revoked", async () => {
    expect((await play(parseScheduleId("steps-concurrently:48.other-id+81.other-id"))).violations).toEqual([]);
  });

  it("one clock is behind when it begins a grace, and another ahead when it ends it", async () => {
    expect((await play(parseScheduleId("two-secrets:162.clock-behind+174.clock-ahead"))).violations).toEqual([]);
  });

  it("no rotation is asked of a secret that was decommissioned meanwhile", async () => {
    expect((await play(parseScheduleId("two-secrets:152.up-base-url+168.decommission"))).violations).toEqual([]);
  });

  it("a revocation that is tried again looks at AWSCURRENT again", async () => {
    const refused = await struck("grace", [["reconcile revokeToken", "refused"]]);
    const [first] = refused.schedule.strikes;
    const strikes = [first, { at: (first?.at ?? 0) + 1, kind: "operator-back" }] as Strike[];
    const { violations, trace } = await play({ scenario: "grace", strikes }, { trace: true });
    expect(trace.join("\n")).toContain(events["operator-back"]);
    expect(violations).toEqual([]);
  });

  it("the reconciler sees a promotion in the log when it sees it in the labels", async () => {
    const scenario = "rolled-back-labels-change-nothing";
    const undisturbed = await play({ scenario, strikes: [] });
    const looks = undisturbed.effects.filter(({ name }) => /^reconcile (DescribeSecret|FilterLogEvents)$/.test(name));
    expect(looks.length).toBeGreaterThan(4);
    for (const { number: at } of looks) {
      expect((await play({ scenario, strikes: [{ at, kind: "rollback" }] })).violations, `at ${at}`).toEqual([]);
    }
  });

  it.each(["FilterLogEvents", "ListSecretVersionIds"])(
    "a rotation that begins while the daily run has reached %s keeps its token",
    async (operation) => {
      const { violations } = await struck("grace", [[`reconcile all ${operation}`, "rotation-begins"]]);
      expect(violations).toEqual([]);
    },
  );

  it.each([
    [
      "a text that was put by hand holds up no decommission",
      "steps-concurrently-no-grace:67.operator-put-text+132.decommission",
    ],
    [
      "labels moved by hand while a run looks are the operator's",
      "seen-late-no-grace:198.operator-put-text+201.operator-back",
    ],
    ["a token that C2M has given to another secret lives on there", "stale-retry:51.up-adds+65.same-token"],
    [
      "a secret that is made again while its token is on its way out is somebody's doing",
      "clamped:77.up-made-again+96.same-token",
    ],
    ["what a lost line alone told, no decommission can know", "log-lossy:31.decommission+69.operator-rotate"],
    [
      "what a current token without an id can't be told from is held back until the next rotation",
      "seen-late-no-grace:97.no-id+101.up-made-again",
    ],
    [
      "with the mechanism short_token a token of the client before can issue none, and somebody supplies one",
      "short-token:83.up-client+95.operator-back",
    ],
    [
      "a decommission takes no token for dead that C2M does not know yet",
      "tokens-work-late:39.decommission+83.operator-put",
    ],
    [
      "what testSecret has proven counts no longer when C2M rejects it afterwards",
      "steps-late:46.gateway-200+57.c2m-revokes-current",
    ],
    [
      "a token put by hand and superseded by hand has its grace from then on",
      "two-secrets:114.operator-put+117.operator-back",
    ],
    [
      "what a decommission leaves alive stands in the log before the secret goes",
      "revoke-answers-404:54.reconcile-all+107.decommission+130.stall",
    ],
    [
      "a current token of a C2M that the settings don't name is not asked for, so nothing is kept for it",
      "rolled-back-no-grace:41.up-base-url-only+43.operator-back+47.c2m-revokes-all",
    ],
    [
      "labels moved by hand after a rollback begin a grace",
      "first-by-rotation:100.rollback+122.operator-back+122.up-credentials",
    ],
    [
      "nobody can look at a token that a gateway called dead when its C2M is named no more",
      "two-secrets:112.gateway-json+114.up-base-url-only",
    ],
    [
      "nothing tells since when a token is superseded that somebody superseded by hand",
      "labels-change-nothing:35.c2m-revokes-current+45.c2m-down+76.operator-back",
    ],
    [
      "by a clock that is ahead a token without an id has expired some minutes too early",
      "no-ids-grace:81.clock-ahead+89.up-base-url-only",
    ],
    [
      "C2M gives a token to another secret in the moment in which a step revokes it",
      "steps-concurrently-no-grace:132.up-renames+137.same-token+141.c2m-revokes-current",
    ],
    [
      "nothing is taken away while a step may be at work of which the log says nothing yet",
      "log-late:47.unstick+50.operator-rotate",
    ],
    [
      "no version is purged that is younger than a day",
      "steps-concurrently-no-grace:102.up-base-url+102.versions-gone",
    ],
    [
      "a label that can't be taken off a deleted secret is not said to be off",
      "steps-concurrently-no-grace:137.unstick+147.up-renames",
    ],
    ["what leaked is what is current when compromised looks", "short-token:36.compromised+38.operator-put"],
    [
      "a token that another attempt did not store is no copy of what it stored",
      "stale-retry:43.up-client+45.fewer-scopes+71.no-id",
    ],
    [
      "no rollback goes on where a decommission has begun",
      "rolled-back-labels-change-nothing:60.up-renames+95.crash-done",
    ],
    [
      "a secret with a replica is decommissioned when that is gone",
      "short-token:9.rotation-begins+11.replica-behind+69.up-renames",
    ],
    [
      "a rotation that the schedule began and that failed is the one that goes on",
      "years@738.operator-unpend.0,629.operator-cancel.0,1578.operator-cancel.0,9.operator-back.0,7.operator-put-text.0,1055.operator-put-text.1:3267.fewer-scopes",
    ],
    [
      "what is current in a secret at which the run could not look is spared",
      "years@968.rollback.2,648.operator-put-text.1,1993.operator-put.1:1344.reconcile-all+1713.same-token+2388.lost",
    ],
    ["a gateway's 404 undoes no rollback", "rolled-back:26.operator-put+40.gateway-404"],
    [
      "a process that began before a secret was added does not know what is current there",
      "steps-concurrently-no-grace:103.up-adds+123.same-token",
    ],
    [
      "the id of a token that somebody stored stays known when its version is gone",
      "short-token:55.c2m-revokes-current+73.versions-gone",
    ],
    [
      "what a gateway calls revoked, and nobody has a text of, is asked for once more and then reported",
      "steps-concurrently-no-grace:108.gateway-json+159.gateway-json",
    ],
    [
      "a retired secret is not called quiet while something that need not be C2M has called its token revoked",
      "grace:30.up-retires+55.gateway-json",
    ],
    [
      "unstick waits for both steps that are at work",
      "steps-concurrently-no-grace:98.clock-behind+105.up-credentials+137.unstick",
    ],
    [
      "a rollback is held to the token that it names",
      "rolled-back-labels-change-nothing:63.up-base-url+77.c2m-revokes-current",
    ],
    [
      "AWSCURRENT is moved by hand just before it is read, and the process freezes",
      "seen-late:77.operator-back+83.freeze-after",
    ],
    [
      "a step saw a replica that somebody takes away since",
      "steps-late:32.crash-late+72.replica-behind+120.up-renames",
    ],
    [
      "a decommission that is killed ends the token of a rollback that has yet to write its line",
      "rolled-back-labels-change-nothing:66.up-renames+109.crash-late",
    ],
    [
      "a decommission believes no operator's line of a token at whose C2M it can't look",
      "clamped:100.operator-line+113.up-base-url+121.decommission",
    ],
    ["an hourly run does not say that nobody can tell", "no-grace:76.gateway-json-spell+106.up-retires"],
    [
      "a current token without an id that C2M gives once more is told from itself by the next rotation",
      "seen-late-no-grace:138.no-id+138.up-base-url-only+152.same-token",
    ],
    ["compromised tells that the leaked token is current again", "pending-stays:18.compromised+74.operator-back"],
    [
      "a token is kept that a replica may still show, and whose version has no label any more",
      "rolled-back-labels-change-nothing:39.up-client+65.replica-behind+88.up-client",
    ],
    [
      "a token that was superseded before a replica fell behind is not shown by it",
      "labels-change-nothing:63.operator-back+75.compromised+94.replica-behind",
    ],
    [
      "somebody revokes the current token when it has just been proven",
      "steps-twice:114.gateway-json+117.c2m-revokes-current",
    ],
    ["nobody asks about a plain text that is current", "adopted-token:42.operator-back+42.c2m-revokes-current"],
    ["without a grace no rollback, also where the functions' clocks are ahead", "no-grace:77.clock-ahead+90.rollback"],
    [
      "a token that is kept for a dead one is kept, though two versions hold it",
      "clamped:67.same-token+87.denied-spell+112.operator-back",
    ],
    [
      "a token that C2M gave again to another secret is that one's when the first is decommissioned",
      "steps-concurrently:103.gateway-404-spell+161.same-token+218.up-renames",
    ],
    [
      "nothing is done to a secret that is marked for deletion",
      "steps-concurrently-no-grace:67.decommission+84.gateway-200+121.unstick",
    ],
  ])("%s", async (_, id) => {
    expect((await play(parseScheduleId(id))).violations).toEqual([]);
  });
});
