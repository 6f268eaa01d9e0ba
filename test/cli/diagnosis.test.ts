import { describe, expect, it } from "vitest";
import { diagnose } from "../../cli/looking/diagnosis.ts";
import { historyOf } from "../../cli/rotation-history.ts";
import { rotationOff } from "../../cli/rotation-off.ts";
import { span } from "../../cli/time-text.ts";
import type { TokenView, VersionView } from "../../cli/token-view.ts";
import { waitUntil } from "../../cli/wait-until.ts";
import { holdsCredentials, parseValue } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

const now = Date.parse("2026-06-01T12:00:00Z");
const [hour, day] = [3_600_000, 86_400_000];
const secret = {
  name: "c2m/api-token",
  arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/api-token-AbCdEf",
};
const at = (ms: number) => new Date(now + ms).toISOString();

function version(
  versionId: string,
  stages: string[],
  { id = `tok_${versionId}`, endsIn = 30 * day } = {},
): VersionView {
  const value = {
    access_token: `secret-${id}`,
    token_id: id,
    expires_at: at(endsIn),
    issued_at: at(-day),
    client_id: "c",
  };
  return { versionId, stages, held: parseValue(new Sensitive(JSON.stringify(value))) };
}

function view(changes: Partial<TokenView> = {}): TokenView {
  return {
    ...secret,
    isOurs: true,
    rotationEnabled: true,
    schedule: "rate(7 days)",
    rotationLambdaArn: undefined,
    createdAt: now - 30 * day,
    lastRotatedAt: now - day,
    lastChangedAt: now - day,
    nextRotationAt: now + 6 * day,
    deletedAt: undefined,
    replicasInSync: true,
    replicaRegions: [],
    current: version("current", ["AWSCURRENT"]),
    previous: undefined,
    pending: undefined,
    pendingLeftOver: false,
    isDecommissioned: false,
    ...changes,
  };
}

const reconciled = { event: "reconcile.completed", at: now - hour, fields: { failed: 0 } };
const failed = (step: string, version_id: string, ms: number) => ({
  event: "step.failed",
  at: now + ms,
  fields: { secret: secret.arn, step, version_id, code: "c", reason: "C2M said no." },
});

function problems(changes: Partial<TokenView>, lines: object[] = [], graceSeconds = 3_600): string[] {
  const history = historyOf([reconciled, ...lines] as never, secret, now);
  return diagnose(view(changes), history, { now, graceSeconds }).problems.map(({ code }) => code);
}

describe("what is wrong with a token", () => {
  it("is nothing while it is rotated in time", () => {
    expect(problems({})).toEqual([]);
  });

  it.each<[string, Partial<TokenView>, object[]?]>([
    ["deleted", { deletedAt: now - day }],
    ["decommissioned", { deletedAt: now - day, isDecommissioned: true, rotationEnabled: false }],
    [
      "credentials",
      {
        rotationEnabled: false,
        current: {
          versionId: "v",
          stages: ["AWSCURRENT"],
          held: { kind: "foreign", token: undefined },
          isCredentials: true,
        },
      },
    ],
    ["empty", { current: undefined }],
    ["expired", { current: version("v", ["AWSCURRENT"], { endsIn: -hour }) }],
    ["rotation_off", { rotationEnabled: false }],
    ["decommissioning", { rotationEnabled: false, isDecommissioned: true }],
    ["too_late", { nextRotationAt: now + 31 * day }],
    ["adopted", { current: { versionId: "v", stages: ["AWSCURRENT"], held: { kind: "foreign", token: undefined } } }],
    ["replica", { replicasInSync: false }],
    [
      "rejected",
      {},
      [{ event: "token.rejected", at: now - hour, fields: { secret: secret.arn, version_id: "current" } }],
    ],
    [
      "suspect",
      {},
      [
        {
          event: "token.suspected",
          at: now,
          fields: { secret: secret.arn, attempt_id: "a", latest_expires_at: at(day) },
        },
      ],
    ],
    ["rotation_failed", { pending: version("p", ["AWSPENDING"]) }, [failed("testSecret", "p", -hour)]],
    ["rotation_failed", {}, [failed("createSecret", "gone", -hour)]],
    ["not_revoked", { previous: version("old", ["AWSPREVIOUS"]) }],
  ])("is %s", (code, changes, lines) => {
    expect(problems(changes, lines)).toEqual([code]);
  });

  it("is not a failure that a later rotation made good, of another secret, or before the last rotation", () => {
    const done = {
      event: "step.succeeded",
      at: now,
      fields: { secret: secret.arn, step: "finishSecret", version_id: "q" },
    };
    expect(problems({}, [failed("createSecret", "p", -hour), done])).toEqual([]);
    const other = failed("createSecret", "p", -hour);
    expect(problems({}, [{ ...other, fields: { ...other.fields, secret: "other" } }])).toEqual([]);
    expect(problems({}, [failed("createSecret", "p", -2 * day)])).toEqual([]);
  });

  it("is not a token that is revoked, can't be, or whose grace no one tells", () => {
    const previous = version("old", ["AWSPREVIOUS"]);
    const of = (event: string) => [{ event, at: now, fields: { secret: secret.arn, token_id: "tok_old" } }];
    expect(problems({ previous }, of("token.revoked"))).toEqual([]);
    expect(problems({ previous }, of("token.unrevocable"))).toEqual([]);
    const { state, graceEndsAt } = diagnose(view({ previous }), undefined, { now, graceSeconds: undefined });
    expect([state, graceEndsAt]).toEqual(["ok", undefined]);
  });

  it("counts lines of the ARN that the secret had before it was made again", () => {
    const fields = { secret: `${secret.arn.slice(0, -6)}ZzZzZz`, token_id: "tok_of_before" };
    const history = historyOf([{ event: "token.revoked", at: now, fields }] as never, secret, now);
    expect([...history.revokedIds]).toEqual(["tok_of_before"]);
  });

  it("is a reconciler that has been silent for hours, unless the secret is younger than that", () => {
    const history = historyOf([], secret, now);
    const codes = (changes: Partial<TokenView>) =>
      diagnose(view(changes), history, { now, graceSeconds: 0 }).problems.map(({ code }) => code);
    expect(codes({})).toEqual(["reconciler_silent"]);
    expect(codes({ createdAt: now - hour })).toEqual([]);
  });

  it("comes with a remedy each, and holds no token", () => {
    const changes = { rotationEnabled: false, replicasInSync: false, nextRotationAt: now + 40 * day };
    const found = diagnose(view(changes), historyOf([], secret, now), { now, graceSeconds: 0 });
    expect(found.problems.length).toBeGreaterThan(2);
    for (const { what, remedy } of found.problems) expect([what, remedy]).not.toContain("");
    expect(JSON.stringify(found)).not.toContain("secret-tok");
  });
});

describe("a secret of which no token is issued", () => {
  it("is not to be restored where it was decommissioned, but taken out of the stack", () => {
    const said = (changes: Partial<TokenView>) =>
      diagnose(view({ deletedAt: now - day, ...changes }), undefined, { now, graceSeconds: 0 }).problems[0];
    expect(said({})?.remedy).toContain("restore-secret");
    const { what, remedy } = said({ isDecommissioned: true }) ?? {};
    expect(what).toContain("was decommissioned and marked for deletion");
    expect(what).not.toContain("live on");
    expect(remedy).toContain("out of the stack's tokens");
    expect(remedy).not.toContain("restore");
  });

  it.each<[string, Partial<TokenView>, RegExp | undefined]>([
    ["while it is rotated", {}, undefined],
    ["switched off", { rotationEnabled: false }, /^pulumi up$/],
    ["while a decommission waits", { rotationEnabled: false, isDecommissioned: true }, /decommission --cancel/],
    ["while a decommission waits and the schedule is on", { isDecommissioned: true }, /decommission --cancel/],
    ["marked for deletion", { rotationEnabled: false, deletedAt: now }, /restore-secret/],
    ["decommissioned", { rotationEnabled: false, deletedAt: now, isDecommissioned: true }, /^Take it out of the stack/],
  ])("says to who would rotate it what mends that: %s", (_, changes, remedy) => {
    const off = rotationOff(view(changes));
    if (remedy) expect(off?.remedy).toMatch(remedy);
    else expect(off).toBeUndefined();
  });

  it("is known by its value where that is a client's credentials", () => {
    const holds = (value: object) => holdsCredentials(new Sensitive(JSON.stringify(value)));
    expect(holds({ client_id: "c", client_secret: "s" })).toBe(true);
    expect(holds({ client_id: "c", private_keys: {} })).toBe(true);
    expect(holds({ access_token: "a", client_id: "c", client_secret: "somebody's own field" })).toBe(false);
    expect(holds({ client_id: "c" })).toBe(false);
    expect(holdsCredentials(new Sensitive("opaque"))).toBe(false);
  });
});

describe("a wait", () => {
  it("says each minute how long yet", async () => {
    let at = now;
    const said: string[] = [];
    const pause = async (ms: number) => {
      at += ms;
    };
    await waitUntil(now + 150_000, { now: () => at, pause, say: (text) => said.push(text) });
    expect(at).toBe(now + 150_000);
    expect(said).toEqual(["  … 2 min 30 s yet", "  … 1 min 30 s yet"]);
  });
});

describe("a length of time", () => {
  it.each([
    [0, "0 s"],
    [999, "0 s"],
    [61_000, "1 min 1 s"],
    [hour, "1 h"],
    [25 * hour, "1 d 1 h"],
    [-90_000, "1 min 30 s"],
    [day + 59_000, "1 d"],
  ])("of %i ms is %s", (ms, text) => {
    expect(span(ms)).toBe(text);
  });
});

describe("what the log says since", () => {
  const attempt = { secret: secret.arn, version_id: "v", attempt_id: "a", latest_expires_at: at(30 * day) };
  const suspected = { event: "token.suspected", at: now - hour, fields: attempt };

  it("ends a suspect with its outcome, also where that was delivered late", () => {
    expect(problems({}, [suspected])).toEqual(["suspect"]);
    for (const event of ["token.issued", "token.issue.refused"]) {
      expect(problems({}, [{ event, at: now - 2 * hour, fields: attempt }, suspected])).toEqual([]);
    }
  });

  it("does not call revoked what C2M was seen to let in since (row 2)", () => {
    const fields = { secret: secret.arn, token_id: "tok_previous" };
    const revoked = { event: "token.revoked", at: now - 3 * hour, fields };
    const alive = { event: "token.alive", at: now - 2 * hour, fields };
    const previous = version("previous", ["AWSPREVIOUS"]);
    expect(problems({ previous }, [revoked])).toEqual([]);
    expect(problems({ previous }, [revoked, alive])).toEqual(["not_revoked"]);
    expect(problems({ previous }, [revoked, alive, { ...revoked, at: now - hour }])).toEqual([]);
  });

  it("of a change freeze shows as paused, and as nothing wrong", () => {
    const frozen = { event: "reconcile.completed", at: now - hour / 2, fields: { failed: 0, paused: true } };
    const history = historyOf([reconciled, frozen] as never, secret, now);
    expect(diagnose(view(), history, { now, graceSeconds: 3_600 })).toMatchObject({ state: "paused", problems: [] });
  });

  it("of a change freeze is nothing wrong, whatever it holds back: a rotation that was due, and the end of a grace", () => {
    const frozen = { event: "reconcile.completed", at: now - hour / 2, fields: { failed: 0, paused: true } };
    const refusal = (ms: number) => {
      const line = failed("createSecret", "p", ms);
      return { ...line, fields: { ...line.fields, code: "paused" } };
    };
    const changes = {
      pending: { versionId: "p", stages: ["AWSPENDING"], held: undefined },
      previous: version("old", ["AWSPREVIOUS"]),
    };
    expect(problems(changes, [refusal(-hour), frozen])).toEqual([]);
    // The rotator has said so since the reconciler's last run.
    expect(problems(changes, [refusal(-60_000)])).toEqual([]);
    expect(problems(changes, [failed("createSecret", "p", -hour), frozen])).toEqual(["rotation_failed"]);
    const over = { ...frozen, at: now - 60_000, fields: { failed: 0 } };
    expect(problems(changes, [refusal(-hour), frozen, over])).toEqual(["rotation_failed", "not_revoked"]);
  });

  it("tells of a retired token whether it may be removed", () => {
    const said = (left: boolean | undefined) => {
      const history = historyOf([reconciled] as never, secret, now);
      const all = diagnose(view({ rotationEnabled: false }), history, { now, graceSeconds: 0, left }).problems;
      const off = all.find(({ code }) => code === "rotation_off");
      return `${off?.what} ${off?.remedy}`;
    };
    expect(said(false)).toContain("may be removed from the config");
    // Without it, `up` refuses to leave out a secret that it has made.
    expect(said(false)).toContain(`c2m-tokens decommission --secret ${secret.name}`);
    expect(said(true)).toContain("leave it in the config");
    expect(said(true)).not.toContain("decommission");
    // Nobody could find out.
    expect(said(undefined)).toContain("leave it in the config");
  });
});

describe("a step that may be at work", () => {
  const of = (event: string, ms: number, more: object = {}) => {
    const fields = { secret: secret.arn, step: "createSecret", version_id: "next" };
    return { event, at: now + ms, fields, ...more };
  };
  const openAt = (...lines: object[]) => historyOf(lines as never, secret, now).openStep?.at;

  it("is one that began and has no outcome, also where another one has ended that ran beside it", () => {
    expect(openAt(of("step.started", -9_000))).toBe(now - 9_000);
    expect(openAt(of("step.started", -9_000), of("step.started", -8_000), of("step.failed", -7_000))).toBe(now - 8_000);
    expect(openAt(of("step.started", -9_000), of("step.succeeded", -7_000))).toBeUndefined();
  });

  it("began when CloudWatch had its line, where the function's clock is behind", () => {
    expect(openAt(of("step.started", -600_000, { cameAt: now - 1_000 }))).toBe(now - 1_000);
    expect(openAt(of("step.started", -1_000, { cameAt: now - 600_000 }))).toBe(now - 1_000);
  });
});
