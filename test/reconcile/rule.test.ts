import { describe, expect, it } from "vitest";
import type { Events, LedgerEntry, LedgerEventName } from "../../src/formats/ledger.ts";
import type { SecretDescription } from "../../src/ports/secret-store.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { type KnownVersion, reconcileRule, type Situation, type Verdict } from "../../src/reconcile/rule.ts";

const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/api-token-AbCdEf";
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.parse("2026-06-01T12:00:00Z");
const iso = (time: number) => new Date(time).toISOString();

/** A version that holds a token: `tok_<name>`, or one without an id. */
function version(
  name: string,
  token: { id?: string | undefined; expiresAt?: number; issuedAt?: number } = {},
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
        baseUrl: undefined,
        headerTokenId: undefined,
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
  return { event, at, fields: { secret: arn, ...fields } } as unknown as LedgerEntry;
}

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
function judge(change: Partial<Omit<Situation, "secret">> & { secret?: Partial<SecretDescription> } = {}): Verdict {
  const { secret, ...rest } = change;
  return reconcileRule({
    now,
    versions: [version("old"), version("new")],
    ledger: [],
    ledgerFrom: 0,
    graceMs: hour,
    pendingMaxAgeMs: 26 * hour,
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
    expect(judge({ secret: { replicasInSync: false } })).toMatchObject({
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
    expect(judge({ versions, ledger: [stored, stored] }).unrevocable).toHaveLength(2);
  });
});

describe("an unrevocable token", () => {
  const said = line("token.unrevocable", now - hour, { token_id: "tok_old" });

  it("is reported by the hourly run, and tried again by the one that reads the whole ledger", () => {
    const hourly = judge({ ledger: [said], ledgerFrom: now - 6 * hour, graceMs: 2 * day });
    expect(hourly).toMatchObject({ revoke: [], waiting: [], unrevocable: [{ tokenId: "tok_old" }] });
    expect(judge({ ledger: [said] })).toMatchObject({ revoke: [{ tokenId: "tok_old" }], waiting: [], unrevocable: [] });
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
      { attemptId: "attempt of lost", versionId: "lost", latestExpiresAt: iso(now + 1) },
    ]);
    expect(judge({ ledger, now: now + 1 }).suspects).toEqual([]);
  });

  it.each([
    ["refused", line("token.issue.refused", now - day, { attempt_id: "attempt of lost" })],
    ["issued", issued("lost", now - day)],
  ])("is none once the call was %s", (_, outcome) => {
    expect(judge({ ledger: [started("lost", now - day), outcome] }).suspects).toEqual([]);
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
