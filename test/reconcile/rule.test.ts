import { describe, expect, it } from "vitest";
import type { Events, LedgerEntry, LedgerEventName } from "../../src/formats/ledger.ts";
import type { SecretDescription } from "../../src/ports/secret-store.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { reconcileRule } from "../../src/reconcile/revocation-rule.ts";
import type { KnownVersion, Situation, Verdict } from "../../src/reconcile/situation.ts";

const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/api-token-AbCdEf";
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.parse("2026-06-01T12:00:00Z");
const c2mUrl = "https://c2m.test/v2";
const formerUrl = "https://former.test/v2";
const iso = (time: number) => new Date(time).toISOString();

/** A version that holds a token: `tok_<name>`, or one without an id. */
function version(
  name: string,
  token: {
    id?: string | undefined;
    expiresAt?: number;
    issuedAt?: number;
    baseUrl?: string | undefined;
    header?: string;
  } = {},
): KnownVersion {
  const { id = `tok_${name}`, expiresAt = now + 30 * day, issuedAt = now - day } = token;
  return {
    versionId: name,
    parsed: {
      kind: "ours",
      token: {
        accessToken: new Sensitive(`text of ${name}`),
        tokenType: "Bearer",
        tokenId: "id" in token ? token.id : id,
        scopes: ["tokens:revoke"],
        issuedAt: iso(issuedAt),
        expiresAt: iso(expiresAt),
        clientId: "c2m_client",
        baseUrl: "baseUrl" in token ? token.baseUrl : c2mUrl,
        headerTokenId: token.header,
        otherFields: new Sensitive("{}"),
      },
    },
  };
}

const foreign = (versionId: string, token?: string): KnownVersion => ({
  versionId,
  parsed: { kind: "foreign", token: token === undefined ? undefined : new Sensitive(token) },
});

function line<Name extends LedgerEventName>(event: Name, at: number, fields: Partial<Events[Name]>): LedgerEntry {
  return { event, at, byOperator: false, fields: { secret: arn, ...fields } } as unknown as LedgerEntry;
}

/** The same line in an operator's stream. */
const byOperator = (entry: LedgerEntry): LedgerEntry => ({ ...entry, byOperator: true });

const issued = (name: string, at: number, tokenId: string | undefined = `tok_${name}`) =>
  line("token.issued", at, {
    version_id: name,
    attempt_id: `attempt of ${name}`,
    token_id: tokenId,
    expires_at: iso(now + 30 * day),
    client_id: "c2m_client",
  });
const started = (name: string, at: number, latest = now + day) =>
  line("token.issue.started", at, {
    version_id: name,
    attempt_id: `attempt of ${name}`,
    latest_expires_at: iso(latest),
  });

/** Two versions, the second one current for two days; what the test is about is added. */
function judge(
  change: Partial<Omit<Situation, "secret" | "settings">> & {
    secret?: Partial<SecretDescription>;
    settings?: Partial<Situation["settings"]>;
  } = {},
): Verdict {
  const { secret, settings, ...rest } = change;
  return reconcileRule({
    now,
    versions: [version("old"), version("new")],
    ledger: [],
    ledgerFrom: 0,
    settings: { baseUrl: c2mUrl, graceSeconds: 3_600, pendingMaxAgeSeconds: 26 * 3_600, ...settings },
    currentElsewhere: [],
    stepMs: 2 * minute,
    ...rest,
    secret: {
      arn,
      name: "c2m/api-token",
      rotationEnabled: true,
      stages: new Map([
        ["old", ["AWSPREVIOUS"]],
        ["new", ["AWSCURRENT"]],
      ]),
      lastRotatedAt: now - 2 * day,
      lastChangedAt: now - 2 * day,
      nextRotationAt: now + day,
      replicasInSync: true,
      ...secret,
    },
  });
}

const ids = (candidates: { tokenId: string | undefined }[]) => candidates.map(({ tokenId }) => tokenId);

describe("what was revoked before", () => {
  it("is what a version holds and the ledger calls revoked, however long ago", () => {
    const revoked = line("token.revoked", now - day, { token_id: "tok_old" });
    expect(judge({ ledger: [revoked] })).toMatchObject({ revoke: [], revokedBefore: [{ tokenId: "tok_old" }] });
    const gone = line("token.revoked", now - day, { token_id: "tok_gone" });
    expect(judge({ ledger: [revoked, issued("gone", now - 2 * day), gone] }).revokedBefore).toHaveLength(1);
    expect(judge().revokedBefore).toEqual([]);
  });
});

describe("what the ledger is to be told of", () => {
  const found = line("token.found", now - day, { version_id: "old", token_id: "tok_old", expires_at: iso(now + day) });

  it("is each token in a version that it does not name", () => {
    expect(ids(judge({ ledger: [issued("new", now - 2 * day)] }).found)).toEqual(["tok_old"]);
    expect(judge({ ledger: [issued("new", now - 2 * day), found] }).found).toEqual([]);
  });

  it("is none without an id, none that has expired, and none where only a part of the ledger was read", () => {
    const nameless = version("new", { id: undefined });
    const expired = version("old", { expiresAt: now });
    expect(judge({ versions: [expired, nameless] }).found).toEqual([]);
    expect(judge({ ledgerFrom: now - day }).found).toEqual([]);
  });

  it("keeps a token known whose version is gone", () => {
    expect(ids(judge({ versions: [version("new")], ledger: [found] }).revoke)).toEqual(["tok_old"]);
  });
});

describe("what is revoked", () => {
  it("is the superseded token after the grace, and nothing else", () => {
    const verdict = judge();
    expect(ids(verdict.revoke)).toEqual(["tok_old"]);
    expect(verdict).toMatchObject({ waiting: [], unrevocable: [], suspects: [], detach: [], pendingSince: undefined });
  });

  it.each([
    ["the last rotation", { lastRotatedAt: now - hour + 1 }],
    ["the last change", { lastChangedAt: now - hour + 1 }],
    ["the last change, where nothing was ever rotated", { lastRotatedAt: undefined, lastChangedAt: now - hour + 1 }],
    ["the last rotation, where no change is known", { lastChangedAt: undefined, lastRotatedAt: now - hour + 1 }],
  ])("is nothing until the grace since %s is over", (_, secret) => {
    expect(judge({ secret })).toMatchObject({ revoke: [], waiting: [{ tokenId: "tok_old" }] });
    expect(ids(judge({ secret, now: now + 1 }).revoke)).toEqual(["tok_old"]);
  });

  it("is nothing until the grace since a promotion that the ledger tells is over", () => {
    const ledger = [line("token.promoted", now - hour + 1, { version_id: "new" })];
    expect(judge({ ledger }).revoke).toEqual([]);
    expect(ids(judge({ ledger, now: now + 1 }).revoke)).toEqual(["tok_old"]);
  });

  it("counts the grace from the latest promotion, in whatever order the lines come", () => {
    const late = line("token.promoted", now - hour + 1, { version_id: "new" });
    const early = line("token.promoted", now - day, { version_id: "old" });
    for (const ledger of [
      [late, early],
      [early, late],
    ])
      expect(judge({ ledger }).revoke).toEqual([]);
  });

  it("counts the grace of a promotion that was never confirmed from when its step had to be over", () => {
    const ledger = [line("token.promotion.started", now - hour - 2 * minute + 1, { version_id: "new" })];
    expect(judge({ ledger }).revoke).toEqual([]);
    expect(ids(judge({ ledger, now: now + 1 }).revoke)).toEqual(["tok_old"]);
  });

  it("counts the grace of a promotion that was confirmed from the confirmation", () => {
    const ledger = [
      line("token.promotion.started", now - hour - minute, { version_id: "new" }),
      line("token.promoted", now - hour - minute, { version_id: "new" }),
    ];
    expect(ids(judge({ ledger }).revoke)).toEqual(["tok_old"]);
  });

  it("is never the current token: by its version, its id, or its text", () => {
    const stages = new Map([["new", ["AWSCURRENT"]]]);
    expect(judge({ secret: { stages }, versions: [version("new")] }).revoke).toEqual([]);
    expect(judge({ versions: [version("old", { id: "tok_new" }), version("new")] }).revoke).toEqual([]);
    const copy = { ...version("new", { id: "tok_other" }), versionId: "old" };
    expect(judge({ versions: [copy, version("new")] }).revoke).toEqual([]);
    expect(judge({ versions: [version("new")], ledger: [issued("new", now - day)] }).revoke).toEqual([]);
  });

  it("takes a token for superseded where nothing of ours is current", () => {
    expect(ids(judge({ versions: [version("old"), foreign("new", "by hand")] }).revoke)).toEqual(["tok_old"]);
    expect(
      ids(judge({ versions: [version("old")], secret: { stages: new Map([["old", ["AWSPREVIOUS"]]]) } }).revoke),
    ).toEqual(["tok_old"]);
  });

  it("is not what was revoked, nor what has expired", () => {
    expect(judge({ ledger: [line("token.revoked", now - day, { token_id: "tok_old" })] }).revoke).toEqual([]);
    expect(judge({ versions: [version("old", { expiresAt: now }), version("new")] }).revoke).toEqual([]);
    expect(ids(judge({ versions: [version("old", { expiresAt: now + 1 }), version("new")] }).revoke)).toEqual([
      "tok_old",
    ]);
  });

  it("waits while a replica is behind", () => {
    const secret = { replicasInSync: false, lastRotatedAt: now - 2 * hour, lastChangedAt: now - 2 * hour };
    expect(judge({ secret })).toMatchObject({
      revoke: [],
      waiting: [{ tokenId: "tok_old" }],
    });
  });

  it("leaves what the unread part of the ledger would tell of to the run that reads it", () => {
    const graceEnded = now - 2 * day + hour;
    expect(judge({ ledgerFrom: graceEnded + 1 })).toMatchObject({ revoke: [], waiting: [], unrevocable: [] });
    expect(ids(judge({ ledgerFrom: graceEnded }).revoke)).toEqual(["tok_old"]);
    // What only the part that was read tells of is its to settle.
    const orphan = { ledger: [issued("lost", now - 2 * hour)], ledgerFrom: now - 6 * hour };
    expect(ids(judge(orphan).revoke)).toEqual(["tok_lost"]);
  });
});

describe("a token of which only the ledger knows", () => {
  it("is left alone for an hour, since it may be on its way into a version", () => {
    expect(judge({ versions: [version("new")], ledger: [issued("lost", now - hour + 1)] })).toMatchObject({
      revoke: [],
      waiting: [{ tokenId: "tok_lost", versionId: "lost", stored: false, clientId: "c2m_client" }],
    });
    expect(ids(judge({ versions: [version("new")], ledger: [issued("lost", now - hour)] }).revoke)).toEqual([
      "tok_lost",
    ]);
  });

  it("is no second candidate when a version holds it", () => {
    expect(ids(judge({ ledger: [issued("old", now - 3 * day)] }).revoke)).toEqual(["tok_old"]);
    // One of its ids is enough.
    const withTwo = issued("old", now - 3 * day);
    Object.assign(withTwo.fields, { header_token_id: "tok_header" });
    expect(ids(judge({ ledger: [withTwo] }).revoke)).toEqual(["tok_old"]);
  });

  it("is revoked also while the version that it was issued for is pending with another token", () => {
    const stages = new Map([
      ["next", ["AWSPENDING"]],
      ["new", ["AWSCURRENT"]],
    ]);
    const ledger = [issued("next", now - 2 * hour, "tok_lost")];
    const verdict = judge({ secret: { stages }, versions: [version("new"), version("next")], ledger });
    expect(ids(verdict.revoke)).toEqual(["tok_lost"]);
    expect(ids(verdict.waiting)).toEqual(["tok_next"]);
  });

  it("without an id is unrevocable, unless the version that it was issued for accounts for it", () => {
    const lost = issued("lost", now - 2 * hour);
    (lost.fields as { token_id?: string }).token_id = undefined as never;
    expect(judge({ versions: [version("new")], ledger: [lost] }).unrevocable).toEqual([
      expect.objectContaining({ tokenId: undefined, versionId: "lost", expiresAt: iso(now + 30 * day) }),
    ]);
    const stored = issued("old", now - 2 * day);
    (stored.fields as { token_id?: string }).token_id = undefined as never;
    const versions = [version("old", { id: undefined }), version("new")];
    expect(judge({ versions, ledger: [stored] }).unrevocable).toHaveLength(1);
    const another = { ...stored, fields: { ...stored.fields, attempt_id: "another" } } as LedgerEntry;
    expect(judge({ versions, ledger: [stored, another] }).unrevocable).toHaveLength(2);
    // A version whose token has an id accounts for that one only.
    expect(judge({ ledger: [stored] }).unrevocable).toHaveLength(1);
  });
});

describe("an unrevocable token", () => {
  const said = line("token.unrevocable", now - hour, { token_id: "tok_old" });

  it("is reported by the hourly run, and tried again by the one that reads the whole ledger", () => {
    const hourly = judge({ ledger: [said], ledgerFrom: now - 6 * hour, settings: { graceSeconds: 2 * 86_400 } });
    expect(hourly).toMatchObject({ revoke: [], waiting: [], unrevocable: [{ tokenId: "tok_old" }] });
    expect(judge({ ledger: [said] })).toMatchObject({ revoke: [{ tokenId: "tok_old" }], waiting: [], unrevocable: [] });
  });

  it("is reported where one of its two ids was refused, and where a person knows a token without an id to be dead", () => {
    const recent = { ledger: [said], ledgerFrom: now - 6 * hour };
    const settings = { graceSeconds: 2 * 86_400 };
    const versions = [version("old", { header: "tok_header" }), version("new")];
    expect(ids(judge({ ...recent, settings, versions }).unrevocable)).toEqual(["tok_old"]);
    expect(ids(judge({ ...recent, settings: { ...settings, deadVersions: ["old"] } }).unrevocable)).toEqual([
      "tok_old",
    ]);
  });

  it("is not reported when it is current or belongs to an open rotation", () => {
    const pending = {
      stages: new Map([
        ["old", ["AWSPENDING"]],
        ["new", ["AWSCURRENT"]],
      ]),
    };
    const without = [version("old", { id: undefined }), version("new", { id: undefined })];
    expect(judge({ versions: without, secret: pending }).unrevocable).toEqual([]);
    expect(judge({ versions: without }).unrevocable).toHaveLength(1);
  });

  it("is only the one whose id was named", () => {
    const nameless = line("token.unrevocable", now - hour, { token_id: undefined });
    expect(ids(judge({ ledger: [nameless] }).revoke)).toEqual(["tok_old"]);
    const revokedNameless = line("token.revoked", now - hour, { token_id: undefined });
    expect(
      judge({ ledger: [revokedNameless], versions: [version("old", { id: undefined }), version("new")] }).unrevocable,
    ).toHaveLength(1);
  });
});

describe("a suspect", () => {
  it("is an issue call without an outcome, until its token would have expired", () => {
    const ledger = [started("lost", now - day, now + 1)];
    expect(judge({ ledger }).suspects).toEqual([
      expect.objectContaining({ attemptId: "attempt of lost", versionId: "lost", latestExpiresAt: iso(now + 1) }),
    ]);
    expect(judge({ ledger, now: now + 1 }).suspects).toEqual([]);
  });

  it.each([
    ["refused", line("token.issue.refused", now - day, { attempt_id: "attempt of lost" })],
    ["issued", issued("lost", now - day)],
  ])("is none once the call was %s", (_, outcome) => {
    expect(judge({ ledger: [started("lost", now - day), outcome] }).suspects).toEqual([]);
  });

  it("that was refused is no token at all", () => {
    const refused = line("token.issue.refused", now - day, { version_id: "lost", attempt_id: "attempt of lost" });
    expect(judge({ ledger: [started("lost", now - day), refused] })).toMatchObject({
      revoke: [{ tokenId: "tok_old" }],
      unrevocable: [],
    });
  });

  it("is as old as the first line that tells of it, whoever writes another one", () => {
    for (const second of [started("lost", now - minute), byOperator(started("lost", now - minute))]) {
      expect(judge({ ledger: [started("lost", now - day), second] }).suspects).toHaveLength(1);
    }
  });

  it("is none while the call may be under way, or its outcome on its way into the log (row 13)", () => {
    const asked = now - 17 * minute;
    expect(judge({ ledger: [started("lost", asked + 1)] }).suspects).toEqual([]);
    expect(judge({ ledger: [started("lost", asked)] }).suspects).toHaveLength(1);
  });

  it("stays one when only an operator's line says that it has an outcome (row 10)", () => {
    const refused = byOperator(line("token.issue.refused", now - day, { attempt_id: "attempt of lost" }));
    expect(judge({ ledger: [started("lost", now - day), refused] }).suspects).toHaveLength(1);
    const claimed = judge({ ledger: [started("lost", now - day), byOperator(issued("lost", now - day))] });
    expect(claimed.suspects).toHaveLength(1);
    // It adds a candidate all the same.
    expect(ids(claimed.revoke)).toContain("tok_lost");
  });

  it("stays one when another attempt has an outcome", () => {
    expect(judge({ ledger: [started("lost", now - day), issued("other", now - day)] }).suspects).toHaveLength(1);
  });
});

describe("a pending version", () => {
  const stages = new Map([
    ["next", ["AWSPENDING"]],
    ["new", ["AWSCURRENT"]],
  ]);
  const open = (issuedAt: number, change: Parameters<typeof judge>[0] = {}) =>
    judge({
      versions: [version("new"), version("next", { issuedAt })],
      ...change,
      secret: { stages, ...change.secret },
    });

  it("of an open rotation keeps its token, however old the last change is", () => {
    const verdict = open(now - 26 * hour);
    expect(verdict).toMatchObject({ revoke: [], detach: [], pendingSince: now - 26 * hour });
    expect(ids(verdict.waiting)).toEqual(["tok_next"]);
  });

  it("is judged by the hourly run as well, however long ago the last promotion was", () => {
    expect(ids(open(now - hour, { ledgerFrom: now - 6 * hour }).waiting)).toEqual(["tok_next"]);
  });

  it("holds back no superseded token whose time has come", () => {
    const versions = [version("old"), version("new"), version("next", { issuedAt: now - hour })];
    const verdict = open(now - hour, { versions });
    expect([ids(verdict.revoke), ids(verdict.waiting)]).toEqual([["tok_old"], ["tok_next"]]);
  });

  it("whose window is over is to be detached; its token is not revoked yet", () => {
    const verdict = open(now - 26 * hour - 1);
    expect(verdict.detach).toEqual([{ versionId: "next", reason: "its rotation window is over" }]);
    expect(verdict).toMatchObject({ revoke: [], pendingSince: undefined });
  });

  it("is to be detached where rotation is not enabled", () => {
    expect(open(now - hour, { secret: { rotationEnabled: false } }).detach).toEqual([
      { versionId: "next", reason: "rotation is not enabled" },
    ]);
  });

  it("without a value is as old as its first issue call, or else as the last change", () => {
    const empty = { versions: [version("new")], secret: { stages, lastChangedAt: now - 27 * hour } };
    expect(judge(empty).detach).toHaveLength(1);
    const ledger = [started("other", now - 40 * hour), issued("next", now - 39 * hour), started("next", now - hour)];
    expect(judge({ ...empty, ledger })).toMatchObject({ detach: [], pendingSince: now - hour });
    const unknown = judge({ versions: [version("new")], secret: { stages, lastChangedAt: undefined } });
    expect(unknown).toMatchObject({ detach: [], pendingSince: now });
  });

  it("whose value is not ours is as old as the last change", () => {
    const verdict = judge({
      versions: [version("new"), foreign("next")],
      secret: { stages, lastChangedAt: now - 27 * hour },
    });
    expect(verdict.detach).toHaveLength(1);
  });

  it("that is current, too, is no pending version", () => {
    const both = new Map([
      ["old", ["AWSPREVIOUS"]],
      ["new", ["AWSCURRENT", "AWSPENDING"]],
    ]);
    const verdict = judge({ secret: { stages: both, rotationEnabled: false } });
    expect(verdict.detach).toEqual([]);
    expect(ids(verdict.revoke)).toEqual(["tok_old"]);
  });

  it("that was detached keeps its token until no step can be at work on it any more", () => {
    const ledger = [line("pending.detached", now - 4 * minute, { version_id: "old" })];
    expect(judge({ ledger, now: now - 1 })).toMatchObject({ revoke: [], waiting: [{ tokenId: "tok_old" }] });
    expect(ids(judge({ ledger }).revoke)).toEqual(["tok_old"]);
  });
});

describe("a version that has lost its last label", () => {
  const secret = { stages: new Map([["new", ["AWSCURRENT"]]]), lastChangedAt: now - minute };

  it("keeps its token while a step may be at work on it, whose detachment no line tells", () => {
    expect(judge({ secret })).toMatchObject({ revoke: [], waiting: [{ tokenId: "tok_old" }] });
  });

  it("keeps it for the time of two steps, also without a grace", () => {
    const settings = { graceSeconds: 0 };
    const changed = { ...secret, lastChangedAt: now - 4 * minute };
    expect(judge({ secret: changed, settings, now: now - 1 })).toMatchObject({
      revoke: [],
      waiting: [{ tokenId: "tok_old" }],
    });
    expect(ids(judge({ secret: changed, settings }).revoke)).toEqual(["tok_old"]);
  });

  it("loses its token at once where it was current before, however often the secret changes", () => {
    const ledger = [line("token.promoted", now - 2 * day, { version_id: "new", superseded_version_id: "old" })];
    expect(ids(judge({ secret, ledger }).revoke)).toEqual(["tok_old"]);
    // Its own promotion says as much, if it was confirmed.
    const own = (event: "token.promoted" | "token.promotion.started") =>
      judge({ secret, settings: { graceSeconds: 0 }, ledger: [line(event, now - 2 * day, { version_id: "old" })] });
    expect(ids(own("token.promoted").revoke)).toEqual(["tok_old"]);
    expect(ids(own("token.promotion.started").waiting)).toEqual(["tok_old"]);
  });
});

describe("a token of another C2M", () => {
  const former = version("old", { baseUrl: formerUrl });

  it("keeps its base URL, so that it is revoked where it was issued (row 1)", () => {
    const verdict = judge({ versions: [former, version("new")] });
    expect(verdict.revoke).toMatchObject([{ tokenId: "tok_old", baseUrl: formerUrl }]);
  });

  it("is not taken for dead because another C2M said so of the same id", () => {
    const said = line("token.revoked", now - hour, { token_id: "tok_old", base_url: c2mUrl });
    expect(ids(judge({ versions: [former, version("new")], ledger: [said] }).revoke)).toEqual(["tok_old"]);
    const own = line("token.revoked", now - hour, { token_id: "tok_old", base_url: `${formerUrl}//` });
    expect(judge({ versions: [former, version("new")], ledger: [own] }).revoke).toEqual([]);
  });

  it("is told by the base URL in force when a line was written that does not say it, where that can be known", () => {
    const orphan = issued("orphan", now - 3 * day);
    const versions = [
      version("older", { baseUrl: formerUrl, issuedAt: now - 9 * day }),
      version("old", { baseUrl: formerUrl, issuedAt: now - 2 * day }),
      version("new"),
    ];
    expect(judge({ versions, ledger: [orphan] }).revoke).toContainEqual(
      expect.objectContaining({ tokenId: "tok_orphan", baseUrl: formerUrl }),
    );
    const unknown = judge({ versions: versions.slice(1), ledger: [orphan] });
    expect(ids(unknown.revoke)).not.toContain("tok_orphan");
    expect(ids(unknown.unrevocable)).toEqual(["tok_orphan"]);
    // Of the same moment as a version that says it: it is that one's.
    const same = judge({ versions: versions.slice(1), ledger: [issued("orphan", now - 2 * day)] });
    expect(same.revoke).toContainEqual(expect.objectContaining({ tokenId: "tok_orphan", baseUrl: formerUrl }));
    // Where there was ever only one, it is that.
    expect(judge({ ledger: [orphan] }).revoke).toContainEqual(
      expect.objectContaining({ tokenId: "tok_orphan", baseUrl: c2mUrl }),
    );
    // A version that does not say it tells of no other one.
    const unsaid = [version("old", { baseUrl: undefined, issuedAt: now - 9 * day }), version("new")];
    expect(judge({ versions: unsaid, ledger: [orphan] }).revoke).toContainEqual(
      expect.objectContaining({ tokenId: "tok_orphan", baseUrl: c2mUrl }),
    );
  });

  it("is not told where another base URL came into force before or after the line", () => {
    const versions = [version("old", { baseUrl: formerUrl, issuedAt: now - 3 * day }), version("new")];
    const between = judge({ versions, ledger: [issued("orphan", now - 2 * day)] });
    expect(ids(between.unrevocable)).toEqual(["tok_orphan"]);
    const afterwards = judge({ versions, ledger: [issued("orphan", now - 2 * hour)] });
    expect(afterwards.revoke).toContainEqual(expect.objectContaining({ tokenId: "tok_orphan", baseUrl: c2mUrl }));
  });

  it("is told by the issue calls of the ledger as well, and not by lines that come long afterwards", () => {
    const at = { attempt_id: "another", version_id: "another", base_url: formerUrl };
    const ledger = [
      line("token.issue.started", now - 10 * day, at),
      issued("orphan", now - 9 * day),
      line("token.revoked", now - 8.5 * day, { token_id: "tok_another", base_url: c2mUrl }),
      line("token.issue.refused", now - 8 * day, at),
    ];
    expect(judge({ ledger }).revoke).toContainEqual(
      expect.objectContaining({ tokenId: "tok_orphan", baseUrl: formerUrl }),
    );
  });
});

describe("a token with two ids (row 21)", () => {
  const two = [version("old", { header: "tok_header" }), version("new")];

  it("is revoked by both", () => {
    expect(judge({ versions: two }).revoke).toMatchObject([{ tokenId: "tok_old", headerTokenId: "tok_header" }]);
  });

  it("is dead when both are revoked, and not before", () => {
    const revoked = (token_id: string) => line("token.revoked", now - hour, { token_id });
    expect(judge({ versions: two, ledger: [revoked("tok_old")] }).revoke).toMatchObject([
      { tokenId: "tok_header", headerTokenId: undefined },
    ]);
    expect(judge({ versions: two, ledger: [revoked("tok_old"), revoked("tok_header")] }).revoke).toEqual([]);
  });

  it("is doubtful where something that need not be C2M has called it dead by one of them", () => {
    const revoked = (token_id: string, claimed?: boolean) => line("token.revoked", now - hour, { token_id, claimed });
    const ledger = [revoked("tok_old"), revoked("tok_header", true)];
    expect(ids(judge({ versions: two, ledger }).doubtful)).toEqual(["tok_old"]);
    expect(judge({ versions: two, ledger: [revoked("tok_old"), revoked("tok_header")] }).doubtful).toEqual([]);
  });

  it("is looked for after its last revocation, until it was seen dead by both", () => {
    const ledger = [
      line("token.revoked", now - 3 * day, { token_id: "tok_old" }),
      line("token.revoked", now - hour, { token_id: "tok_header" }),
      line("token.dead", now - minute, { token_id: "tok_old" }),
    ];
    expect(judge({ versions: two, ledger }).deaths).toHaveLength(1);
    ledger.push(line("token.dead", now - minute, { token_id: "tok_header" }));
    expect(judge({ versions: two, ledger }).deaths).toEqual([]);
  });
});

describe("the grace", () => {
  it("counts from the promotion that the ledger knows, whatever moved the secret's dates since (row 9)", () => {
    const tagged = { lastChangedAt: now - minute };
    const ledger = [line("token.promoted", now - day, { version_id: "new", superseded_version_id: "old" })];
    expect(ids(judge({ ledger, secret: tagged }).revoke)).toEqual(["tok_old"]);
    // The last promotion is of another version: a label was moved by hand since.
    const other = [...ledger, line("token.promoted", now - hour / 2, { version_id: "old" })];
    expect(judge({ ledger: other, secret: tagged }).revoke).toEqual([]);
    const onlyOther = [line("token.promoted", now - day, { version_id: "old" })];
    expect(judge({ ledger: onlyOther, secret: tagged }).revoke).toEqual([]);
    // It superseded another version, or none: somebody has moved the label away since, and back.
    for (const superseded_version_id of ["older", undefined]) {
      const moved = [line("token.promoted", now - day, { version_id: "new", superseded_version_id })];
      expect(judge({ ledger: moved, secret: tagged }).revoke).toEqual([]);
    }
    // Also where no version is left at AWSPREVIOUS.
    const stages = new Map([["new", ["AWSCURRENT"]]]);
    expect(judge({ ledger: onlyOther, secret: { ...tagged, stages } }).revoke).toEqual([]);
    // Of two at the same time the later line counts.
    expect(ids(judge({ ledger: [...onlyOther, ...ledger], secret: tagged }).revoke)).toEqual(["tok_old"]);
  });

  it("is lengthened by an operator's line and never shortened (row 10)", () => {
    const promoted = line("token.promoted", now - 2 * hour, { version_id: "new" });
    const late = byOperator(line("token.promoted", now - minute, { version_id: "old" }));
    expect(judge({ ledger: [promoted, late] }).revoke).toEqual([]);
    // Since a rollback somebody has moved the label to and fro.
    const known = line("token.promoted", now - day, { version_id: "new", superseded_version_id: "old" });
    const rolledBack = byOperator(line("token.promoted", now - 2 * hour, { version_id: "old" }));
    const moved = { secret: { lastChangedAt: now - minute } };
    expect(judge({ ledger: [known, rolledBack], ...moved }).revoke).toEqual([]);
    expect(ids(judge({ ledger: [known], ...moved }).revoke)).toEqual(["tok_old"]);
    const names = { version_id: "new", superseded_version_id: "old" };
    const backDated = byOperator(line("token.promoted", now - day, names));
    // The function's own line of the same moment says as much.
    expect(ids(judge({ ledger: [known, { ...backDated, at: known.at }], ...moved }).revoke)).toEqual(["tok_old"]);
    expect(judge({ ledger: [backDated], secret: { lastChangedAt: now - minute } }).revoke).toEqual([]);
  });

  it("ends at once by hand", () => {
    const ledger = [line("token.promoted", now - minute, { version_id: "new" })];
    expect(ids(judge({ ledger, graceSeconds: 0 }).revoke)).toEqual(["tok_old"]);
  });
});

describe("what an operator's line says (row 10)", () => {
  it.each(["token.revoked", "token.dead", "token.unrevocable", "token.death.unseen"] as const)(
    "of %s settles nothing",
    (event) => {
      const ledger = [byOperator(line(event, now - hour, { token_id: "tok_old" }))];
      expect(
        ids(judge({ ledger, ledgerFrom: now - 6 * hour, secret: { lastChangedAt: now - 2 * hour } }).revoke),
      ).toEqual(["tok_old"]);
    },
  );

  it.each(["token.issued", "token.found"] as const)(
    "of %s does not stand for a function's, which tells the expiry",
    (event) => {
      const fields = { version_id: "old", token_id: "tok_old", expires_at: iso(now - minute), attempt_id: "a" };
      const ledger = [issued("new", now - 2 * day), byOperator(line(event, now - day, fields))];
      expect(ids(judge({ ledger }).found)).toEqual(["tok_old"]);
    },
  );

  it("of an attempt that a function began ends no suspect before its time", () => {
    const backDated = byOperator(started("lost", now - 2 * day, now - day));
    expect(judge({ ledger: [backDated, started("lost", now - day)] }).suspects).toHaveLength(1);
  });

  it("of an older issue does not cut short the hour in which a token may be on its way into a version", () => {
    const versions = [version("old"), version("new")];
    const ledger = [byOperator(issued("next", now - day)), issued("next", now - minute)];
    const verdict = judge({ versions, ledger, secret: { lastRotatedAt: now - day, lastChangedAt: now - day } });
    expect(ids(verdict.revoke)).toEqual(["tok_old"]);
  });

  it("of an older beginning has no open rotation given up", () => {
    const stages = new Map([
      ["new", ["AWSCURRENT"]],
      ["next", ["AWSPENDING"]],
    ]);
    const ledger = [byOperator(started("next", now - 3 * day)), started("next", now - minute)];
    expect(judge({ ledger, secret: { stages } })).toMatchObject({ detach: [], pendingSince: now - minute });
  });

  it("of another base URL does not hide the one that was in force", () => {
    const ofLastRelease = issued("lost", now - 30 * hour);
    const { fields } = issued("other", now - 2 * day);
    const elsewhere = {
      ...issued("other", now - 2 * day),
      fields: { ...fields, base_url: "https://x.test" },
    } as LedgerEntry;
    const verdict = judge({ ledger: [byOperator(elsewhere), ofLastRelease] });
    expect(ids(verdict.revoke)).toContain("tok_lost");
  });
});

describe("a base URL that is written in another way (row 1)", () => {
  it.each(["https://C2M.test/v2", "https://c2m.test:443/v2", "https://c2m.test/v2//", "HTTPS://c2m.test/v2/"])(
    "as in %s is the same C2M's: what was revoked there is revoked",
    (baseUrl) => {
      const revoked = line("token.revoked", now - day, { token_id: "tok_old", base_url: baseUrl });
      expect(judge({ ledger: [revoked] }).revoke).toEqual([]);
      expect(
        judge({
          settings: { baseUrl },
          ledger: [{ ...revoked, fields: { ...revoked.fields, base_url: undefined } } as LedgerEntry],
        }).revoke,
      ).toEqual([]);
    },
  );

  it("of another C2M may give the same ids: each is a token of its own", () => {
    const { fields, ...rest } = issued("old", now - day);
    const elsewhere = { ...rest, fields: { ...fields, base_url: formerUrl } } as LedgerEntry;
    const verdict = judge({ settings: { formerBaseUrls: [formerUrl] }, ledger: [elsewhere] });
    expect(verdict.revoke.map(({ baseUrl }) => baseUrl)).toEqual([c2mUrl, formerUrl]);
  });

  it("and differs in the path is another one's", () => {
    const revoked = line("token.revoked", now - day, { token_id: "tok_old", base_url: "https://c2m.test/V2" });
    expect(ids(judge({ ledger: [revoked] }).revoke)).toEqual(["tok_old"]);
  });
});

describe("a token that C2M gave before (row 18)", () => {
  it("is not revoked as superseded while an open rotation is about to make it current", () => {
    const again = { ...version("next", { id: "tok_old", issuedAt: now - minute }) };
    const stages = new Map([
      ["old", ["AWSPREVIOUS"]],
      ["new", ["AWSCURRENT"]],
      ["next", ["AWSPENDING"]],
    ]);
    const verdict = judge({ versions: [version("old"), version("new"), again], secret: { stages } });
    expect(verdict.revoke).toEqual([]);
    expect(ids(verdict.waiting)).toContain("tok_old");
  });
});

describe("a line that the log delivers twice", () => {
  it("of a token without an id tells of one", () => {
    const nameless = version("new", { id: undefined });
    const named = { version_id: "new", attempt_id: "attempt of new", expires_at: iso(now + 30 * day) };
    const told = line("token.issued", now - 2 * day, named);
    expect(judge({ versions: [nameless], ledger: [told, told] }).unrevocable).toEqual([]);
  });
});

describe("a 404 without C2M's code", () => {
  it("does not last where another answer came in between (row 2)", () => {
    const failed = (at: number, code: string) => line("token.revocation.failed", at, { token_id: "tok_old", code });
    const ledger = [
      failed(now - 2 * day, "not_found"),
      failed(now - day, "revocation_unclear"),
      failed(now - hour, "not_found"),
    ];
    expect(judge({ ledger }).revoke).toMatchObject([{ notFoundSince: now - hour }]);
  });
});

describe("a replica that is behind (row 9)", () => {
  it("holds a superseded token back, and past a day a person has to decide", () => {
    const behind = { replicasInSync: false };
    expect(ids(judge({ secret: { ...behind, lastRotatedAt: now - 25 * hour + 1, lastChangedAt: 0 } }).waiting)).toEqual(
      ["tok_old"],
    );
    const verdict = judge({ secret: { ...behind, lastRotatedAt: now - 25 * hour, lastChangedAt: 0 } });
    expect(verdict).toMatchObject({ waiting: [], revoke: [] });
    expect(ids(verdict.blocked)).toEqual(["tok_old"]);
  });

  it("holds back what it may still show: a version that this run did not read, and one that is purged", () => {
    const secret = { replicasInSync: false };
    const ledger = [issued("orphan", now - day)];
    expect(ids(judge({ ledger, secret, ledgerFrom: now - 2 * day }).waiting)).toContain("tok_orphan");
    const promoted = line("token.promoted", now - day, { version_id: "orphan", superseded_version_id: undefined });
    expect(ids(judge({ ledger: [...ledger, promoted], secret }).revoke)).toEqual([]);
  });

  it("has nothing to do with a token that no version ever held", () => {
    expect(ids(judge({ ledger: [issued("orphan", now - day)], secret: { replicasInSync: false } }).revoke)).toEqual([
      "tok_orphan",
    ]);
  });
});

describe("a token that another secret holds (row 8)", () => {
  it("is spared while it is current there", () => {
    const { parsed } = version("old");
    expect(judge({ currentElsewhere: [parsed] })).toMatchObject({ revoke: [], waiting: [] });
    expect(judge({ currentElsewhere: [foreign("x", "text of old").parsed] }).revoke).toEqual([]);
    expect(ids(judge({ currentElsewhere: [version("another").parsed] }).revoke)).toEqual(["tok_old"]);
  });
});

describe("a superseded value from before us (row 16)", () => {
  const versions = [foreign("old", "an-old-token"), version("new")];

  it("is reported as one that nobody can revoke", () => {
    expect(judge({ versions }).unrevocable).toMatchObject([{ tokenId: undefined, versionId: "old" }]);
  });

  it("is reported for as long as a token can live, also where its version is still there and has a label", () => {
    const since = (createdAt: number) => versions.map((one) => ({ ...one, createdAt }));
    expect(judge({ versions: since(now - 90 * day + 1) }).unrevocable).toHaveLength(1);
    expect(judge({ versions: since(now - 90 * day) }).unrevocable).toEqual([]);
  });

  it("is reported once where its version is still there", () => {
    const ledger = [
      line("token.adopted", now - 2 * day, { version_id: "old" }),
      line("token.promoted", now - day, { version_id: "new", superseded_version_id: "old" }),
    ];
    expect(judge({ versions, ledger }).unrevocable).toHaveLength(1);
  });

  it("is reported as well where Secrets Manager has removed its version, for as long as a token can live", () => {
    const adopted = line("token.adopted", now - 2 * day, { version_id: "gone" });
    const promoted = line("token.promoted", now - day, { version_id: "old", superseded_version_id: "gone" });
    const ledger = [adopted, promoted];
    const gone = [{ tokenId: undefined, expiresAt: undefined, versionId: "gone" }];
    expect(judge({ ledger }).unrevocable).toMatchObject(gone);
    const longAgo = { ...adopted, at: now - 90 * day };
    const none = [
      { ledger, settings: { deadVersions: ["gone"] } },
      { ledger, outlived: new Set(["gone"]) },
      { ledger: [adopted] },
      { ledger: [promoted] },
      { ledger: [byOperator(adopted), promoted] },
      { ledger: [longAgo, promoted] },
      { ledger, ledgerFrom: now - 6 * 3_600_000 },
    ];
    for (const change of none) expect(judge(change).unrevocable, JSON.stringify(change)).toEqual([]);
  });

  it("is not, where a person knows that it is dead, nor while it is current or pending", () => {
    expect(judge({ versions, settings: { deadVersions: ["old"] } }).unrevocable).toEqual([]);
    for (const stage of ["AWSCURRENT", "AWSPENDING"]) {
      const stages = new Map([["old", [stage]]]);
      expect(judge({ versions: [foreign("old", "x")], secret: { stages } }).unrevocable).toEqual([]);
    }
    const unnamed = [version("old", { id: undefined }), version("new")];
    expect(judge({ versions: unnamed, settings: { deadVersions: ["old"] } }).unrevocable).toEqual([]);
  });
});

describe("a revoked token", () => {
  const revoked = (at: number, claimed?: boolean) => line("token.revoked", at, { token_id: "tok_old", claimed });

  it("is looked for once it should be dead, until two days later, where its text is at hand (row 2)", () => {
    expect(judge({ ledger: [revoked(now - 300_000 + 1)] }).deaths).toEqual([]);
    expect(ids(judge({ ledger: [revoked(now - 300_000)] }).deaths)).toEqual(["tok_old"]);
    expect(ids(judge({ ledger: [revoked(now - 2 * day)] }).deaths)).toEqual(["tok_old"]);
    expect(judge({ ledger: [revoked(now - 2 * day - 1)] }).deaths).toEqual([]);
    const dead = line("token.dead", now - minute, { token_id: "tok_old" });
    expect(judge({ ledger: [revoked(now - hour), dead] })).toMatchObject({ deaths: [], revoke: [] });
    expect(
      judge({ versions: [version("new")], ledger: [issued("old", now - day), revoked(now - hour)] }).deaths,
    ).toEqual([]);
  });

  it("is a candidate again once it was seen alive", () => {
    const alive = line("token.alive", now - minute, { token_id: "tok_old" });
    expect(ids(judge({ ledger: [revoked(now - hour), alive] }).revoke)).toEqual(["tok_old"]);
    // Whoever saw it: an operator may add a candidate.
    expect(ids(judge({ ledger: [revoked(now - hour), byOperator(alive)] }).revoke)).toEqual(["tok_old"]);
  });

  it("whose death nobody can see is not asked for again", () => {
    const unseen = line("token.death.unseen", now - minute, { token_id: "tok_old" });
    expect(judge({ ledger: [unseen] })).toMatchObject({ revoke: [], deaths: [], unrevocable: [] });
  });

  it("that was answered 404 without C2M's code is told since when; another failure tells nothing", () => {
    const failed = (at: number, code: string) => line("token.revocation.failed", at, { token_id: "tok_old", code });
    const ledger = [failed(now - 3 * hour, "server_error"), failed(now - 2 * hour, "not_found")];
    expect(judge({ ledger: ledger.slice(0, 1) }).revoke).toMatchObject([{ notFoundSince: undefined }]);
    ledger.push(failed(now - hour, "not_found"));
    expect(judge({ ledger }).revoke).toMatchObject([{ notFoundSince: now - 2 * hour }]);
  });

  describe("that something said was dead which need not have been C2M", () => {
    const orphan = [version("new")];
    const claimed = revoked(now - 2 * hour, true);
    const ledger = [issued("old", now - day), claimed];

    it("is asked for again, without its text, until it is told that nobody can see it dead", () => {
      expect(judge({ versions: orphan, ledger }).revoke).toMatchObject([{ tokenId: "tok_old", isDoubtful: true }]);
      const twice = [...ledger, claimed, revoked(now - hour, true)];
      expect(judge({ versions: orphan, ledger: twice }).revoke).toMatchObject([{ isDoubtful: true }]);
      const told = line("token.death.unseen", now - minute, { token_id: "tok_old" });
      const verdict = judge({ versions: orphan, ledger: [...twice, told] });
      expect(verdict).toMatchObject({ revoke: [], doubtful: [{ tokenId: "tok_old" }] });
    });

    it("is none where only another answer or an operator has told of it: its first claim is asked about again", () => {
      const failed = line("token.revocation.failed", now - hour, { token_id: "tok_old", code: "not_found" });
      const alive = byOperator(line("token.alive", now - hour, { token_id: "tok_old" }));
      for (const told of [[failed], [claimed, alive]]) {
        const verdict = judge({ versions: orphan, ledger: [issued("old", now - day), ...told] });
        expect(verdict.revoke).toMatchObject([{ tokenId: "tok_old", isDoubtful: false }]);
      }
    });

    it("is believed once C2M has said so itself, before or since", () => {
      const said = revoked(now - hour);
      expect(judge({ versions: orphan, ledger: [...ledger, said] }).revoke).toEqual([]);
      expect(judge({ versions: orphan, ledger: [...ledger, said, revoked(now - minute, true)] }).revoke).toEqual([]);
    });

    it("is looked for where its text is at hand", () => {
      expect(judge({ ledger })).toMatchObject({
        revoke: [],
        deaths: [{ tokenId: "tok_old" }],
        doubtful: [{ tokenId: "tok_old" }],
      });
      const dead = line("token.dead", now - minute, { token_id: "tok_old" });
      expect(judge({ ledger: [...ledger, dead] }).doubtful).toEqual([]);
    });

    it("is asked for where its C2M is not listed any more, so that it is reported", () => {
      const versions = [version("old", { baseUrl: "https://former.test/v2" }), version("new")];
      const fields = { token_id: "tok_old", claimed: true, base_url: "https://former.test/v2" };
      const verdict = judge({ versions, ledger: [line("token.revoked", now - 2 * hour, fields)] });
      expect(verdict).toMatchObject({ revoke: [{ tokenId: "tok_old", isDoubtful: true }], deaths: [] });
    });
  });
});

describe("the newest superseded token (row 5)", () => {
  const secret = { lastRotatedAt: now - 2 * hour, lastChangedAt: now - 2 * hour };
  const older = version("older", { expiresAt: now + day });
  const versions = [older, version("old"), version("new")];

  it("is the first that may be kept", () => {
    expect(ids(judge({ secret }).superseded)).toEqual(["tok_old"]);
    const verdict = judge({ secret, versions });
    expect(ids(verdict.revoke).toSorted()).toEqual(["tok_old", "tok_older"]);
    expect(ids(verdict.superseded)).toEqual(["tok_old", "tok_older"]);
    // Among the rest the one that ends last is the newest.
    const oldest = version("oldest", { expiresAt: now + day / 2 });
    expect(ids(judge({ secret, versions: [oldest, ...versions] }).superseded)).toEqual([
      "tok_old",
      "tok_older",
      "tok_oldest",
    ]);
  });

  it("is the one that was current last, though another one ends later", () => {
    const stages = new Map([
      ["new", ["AWSCURRENT"]],
      ["older", ["AWSPREVIOUS"]],
      ["old", ["C2MDECISION"]],
    ]);
    expect(ids(judge({ secret: { ...secret, stages }, versions }).superseded)).toEqual(["tok_older", "tok_old"]);
  });

  it("may be one that waits; one that is pending is none", () => {
    expect(ids(judge({ secret: { ...secret, replicasInSync: false }, versions }).superseded)).toHaveLength(2);
    const stages = new Map([
      ["new", ["AWSCURRENT"]],
      ["old", ["AWSPENDING"]],
    ]);
    expect(ids(judge({ secret: { ...secret, stages }, versions }).superseded)).toEqual(["tok_older"]);
  });

  it("is not kept for longer than a day, nor where its grace was ended by hand", () => {
    const since = (age: number) => ({ lastRotatedAt: now - age, lastChangedAt: now - age });
    expect(judge({ secret: since(25 * hour - 1) }).superseded).toHaveLength(1);
    expect(judge({ secret: since(25 * hour) }).superseded).toEqual([]);
    expect(judge({ graceSeconds: 0, secret: since(2 * hour) }).superseded).toEqual([]);
  });
});
