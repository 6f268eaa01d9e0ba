import { describe, expect, it } from "vitest";
import type { TokenSettings } from "../../src/formats/settings.ts";
import type { ListedVersion, SecretDescription } from "../../src/ports/secret-store.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { hourOfProof, isProofDue, lookAt, nothingHappened, type Scope } from "../../src/reconcile/survey.ts";

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.parse("2026-06-01T12:00:00Z");
const ledgerFrom = now - 6 * hour;

const secret: SecretDescription = {
  arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/api-token-AbCdEf",
  name: "c2m/api-token",
  rotationEnabled: true,
  stages: new Map([
    ["new", ["AWSCURRENT"]],
    ["old", ["AWSPREVIOUS", "C2MDECISION"]],
  ]),
  lastRotatedAt: now - 10 * day,
  lastChangedAt: now - 10 * day,
  nextRotationAt: now + 20 * day,
  replicasInSync: true,
};

const settings: TokenSettings = {
  secretName: "c2m/api-token",
  clientId: "c2m_client",
  baseUrl: "https://c2m.test/v2",
  scopes: ["tokens:revoke"],
  lifetimeSeconds: 60 * 86_400,
  graceSeconds: 3_600,
  pendingMaxAgeSeconds: 26 * 3_600,
  revocation: true,
};

interface Change extends Partial<SecretDescription> {
  settings?: Partial<TokenSettings>;
  hasEntries?: boolean;
}

/** A secret that was rotated ten days ago, with one change. */
function isQuiet({ settings: changed, hasEntries = false, ...description }: Change): boolean {
  const run = { settings: { ...settings, ...changed }, now, ledgerFrom, hasEntries };
  return nothingHappened({ ...secret, ...description }, run);
}

const labels = (...previous: string[]) => ({ stages: new Map([...secret.stages, ["old", previous]]) });
const theHourOfNow = Array.from({ length: 400 }, (_, index) => `c2m/${index}`).find((name) => hourOfProof(name) === 12);

describe("an hourly run reads no value of a secret", () => {
  it.each<[string, Change]>([
    ["to which nothing has happened", {}],
    ["that was never rotated", { lastRotatedAt: undefined }],
    ["whose grace was over just before the ledger that is read", { lastChangedAt: ledgerFrom - hour - 1 }],
    ["with labels of the user's own", labels("AWSPREVIOUS", "blue", "OUR-AWSPENDING")],
    ["whose next rotation comes just before its expiry", { nextRotationAt: now + 50 * day - 1 }],
    ["whose last week begins in an instant", { lastRotatedAt: now - 53 * day + 1, nextRotationAt: now + day }],
  ])("%s", (_, change) => {
    expect(isQuiet(change)).toBe(true);
  });
});

describe("an hourly run reads a secret", () => {
  it.each<[string, Change]>([
    ["that the ledger has a line of", { hasEntries: true }],
    ["that is retired", { settings: { retire: true } }],
    ["that is not rotated", { rotationEnabled: false }],
    ["without a date of its last change", { lastChangedAt: undefined }],
    ["without a date of its next rotation", { nextRotationAt: undefined }],
    ["in which nothing is current", { stages: new Map([["old", ["AWSPREVIOUS"]]]) }],
    ["that has a pending version", labels("AWSPENDING")],
    ["that is being decommissioned", labels("AWSPREVIOUS", "C2MDECOMMISSION")],
    ["whose grace ended with the ledger that is read", { lastChangedAt: ledgerFrom - hour }],
    ["that was rotated after its last change", { lastRotatedAt: ledgerFrom - hour }],
    ["whose longer grace reaches into the ledger", { settings: { graceSeconds: 10 * 86_400 } }],
    ["whose next rotation is due", { nextRotationAt: now }],
    ["whose next rotation comes with its expiry", { nextRotationAt: now + 50 * day }],
    ["whose next rotation comes after its expiry", { nextRotationAt: now + 51 * day }],
    ["whose last week has begun", { lastRotatedAt: now - 53 * day, nextRotationAt: now + day }],
    ["whose token is proven in this hour", { settings: { secretName: String(theHourOfNow) } }],
  ])("%s", (_, change) => {
    expect(isQuiet(change)).toBe(false);
  });
});

describe("the proof of a token that works", () => {
  const all = Array.from({ length: 400 }, (_, index) => `c2m/${index}`);
  const secretNames = Array.from({ length: 24 }, (_, hour) => all.find((name) => hourOfProof(name) === hour) ?? "");
  const runsEach = (second: number, late: (run: number) => number) =>
    Array.from({ length: 49 }, (_, run) => now + run * hour + (second + late(run)) * 1_000);

  it.each([1, 2, 3])(
    "comes each day, whenever the stack was made, where %i of each three runs are late (row 19)",
    (late) => {
      for (let second = 3_300; second <= 3_600; second += 25) {
        const runs = runsEach(second, (run) => (run % 3 < late ? 150 : 0));
        for (const name of secretNames) {
          const times = runs.filter((time) => isProofDue(name, time));
          const gaps = [...times, runs.at(-1) ?? 0].map((time, index) => time - (times[index - 1] ?? now));
          expect(Math.max(...gaps)).toBeLessThanOrEqual(25 * hour);
        }
      }
    },
  );

  it("comes twice only where runs are at the turn of the hour", () => {
    for (const minute of [0, 1, 30, 56]) {
      const runs = runsEach(minute * 60, () => 0).slice(0, 24);
      for (const name of secretNames) expect(runs.filter((time) => isProofDue(name, time))).toHaveLength(1);
    }
  });
});

describe("a look at a secret", () => {
  const own = new Map([
    ["old", ["AWSPREVIOUS", "green"]],
    ["new", ["AWSCURRENT"]],
    ["kept", ["blue"]],
    ["empty", ["AWSPENDING"]],
  ]);
  const listed: ListedVersion[] = [
    { versionId: "new", stages: ["AWSCURRENT"], createdAt: now - 100 * day },
    { versionId: "kept", stages: ["blue"], createdAt: now - 100 * day },
    { versionId: "empty", stages: ["AWSPENDING"], createdAt: now },
    { versionId: "young", stages: [], createdAt: now - 90 * day + 1 },
    { versionId: "dateless", stages: [], createdAt: undefined },
    { versionId: "outlived", stages: [], createdAt: now - 90 * day },
    { versionId: "begun", stages: ["AWSPENDING"], createdAt: now },
  ];

  async function look(scope: Scope) {
    const store = {
      listVersions: async () => listed,
      read: async (_: string, versionId: string) =>
        versionId === "empty" ? undefined : { versionId, stages: [], value: new Sensitive(`text of ${versionId}`) },
    };
    const clock = { now: () => now, sleep: async () => {} };
    const found = await lookAt({ store, clock } as never, { ...secret, stages: own }, scope);
    return { ...found, versions: found.versions.map(({ versionId }) => versionId), outlived: [...found.outlived] };
  }

  it("each hour is at the versions that AWS's own labels are on", async () => {
    expect(await look("recent")).toMatchObject({
      versions: ["old", "new"],
      outlived: [],
      current: { versionId: "new" },
    });
  });

  it("each day is at every version that has a label or may hold a living token, and at none that has just begun", async () => {
    expect(await look("all")).toMatchObject({
      versions: ["old", "new", "kept", "young", "dateless"],
      outlived: ["outlived"],
      current: { versionId: "new" },
    });
  });
});
