import { describe, expect, it } from "vitest";
import { CredentialsCache } from "../../lambdas/rotator/credentials-cache.ts";
import { VirtualClock } from "../../local-cloud/clock.ts";
import type { StoredVersion } from "../../src/ports/secret-store.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

const minute = 60_000;

/** A cache over secrets that the test may change, and the reads that reached them. */
function cached(values: Record<string, string>) {
  const clock = new VirtualClock();
  const reads: string[] = [];
  const readCurrent = async (secretId: string): Promise<StoredVersion | undefined> => {
    reads.push(secretId);
    const value = values[secretId];
    return value === undefined ? undefined : { versionId: "v", stages: ["AWSCURRENT"], value: new Sensitive(value) };
  };
  return {
    cache: new CredentialsCache({ readCurrent, readPrevious: (id) => readCurrent(`${id} before`) }, clock),
    clock,
    reads,
  };
}

const ofClient = (id: string) => JSON.stringify({ client_id: id, client_secret: "hunter2hunter2" });

describe("the credentials cache", () => {
  it("reads a secret once in five minutes", async () => {
    const { cache, clock, reads } = cached({ a: ofClient("c2m_a"), b: ofClient("c2m_b") });
    expect(await cache.get("a")).toMatchObject({ mechanism: "client_secret", clientId: "c2m_a" });
    expect(await cache.get("b")).toMatchObject({ clientId: "c2m_b" });
    await clock.advanceBy(5 * minute - 1);
    expect(await cache.get("a")).toMatchObject({ clientId: "c2m_a" });
    expect(reads).toEqual(["a", "b"]);
    await clock.advanceBy(1);
    await cache.get("a");
    expect(reads).toEqual(["a", "b", "a"]);
  });

  it.each([
    ["of the same client and base URL", { client_id: "c2m_a", base_url: "https://c2m.test/v2/" }, true],
    ["of another client", { client_id: "c2m_b", base_url: "https://c2m.test/v2" }, false],
    ["of another C2M", { client_id: "c2m_a", base_url: "https://former.test/v2" }, false],
    ["that don't say which C2M they are for", { client_id: "c2m_a" }, false],
  ])("hands out the credentials before, %s (row 24)", async (_, said, handedOut) => {
    const { cache } = cached({ "a before": JSON.stringify({ ...said, client_secret: "hunter2hunter2" }) });
    const before = await cache.before("a", { clientId: "c2m_a", baseUrl: "https://c2m.test/v2" });
    expect(before !== undefined).toBe(handedOut);
  });

  it.each(["hunter2", "{}", JSON.stringify({ client_id: "c2m_a", base_url: "https://c2m.test" })])(
    "hands out none before where they can't be read: the current ones' fault is the one to tell (row 24)",
    async (text) => {
      const before = cached({ "a before": text }).cache.before("a", { clientId: "c2m_a", baseUrl: "https://c2m.test" });
      expect(await before).toBeUndefined();
    },
  );

  it("hands out none before where there are none", async () => {
    expect(await cached({}).cache.before("a", { clientId: "c2m_a", baseUrl: "https://c2m.test" })).toBeUndefined();
  });

  it("reads again after a drop, and only what was dropped", async () => {
    const { cache, reads } = cached({ a: ofClient("c2m_a"), b: ofClient("c2m_b") });
    await cache.get("a");
    await cache.get("b");
    cache.drop("a");
    await cache.get("a");
    await cache.get("b");
    expect(reads).toEqual(["a", "b", "a"]);
  });

  it("does not grow without bounds: it keeps twenty clients", async () => {
    const ids = Array.from({ length: 21 }, (_, index) => `client-${index}`);
    const { cache, reads } = cached(Object.fromEntries(ids.map((id) => [id, ofClient(id)])));
    for (const id of ids.slice(0, 20)) await cache.get(id);
    for (const id of ids.slice(0, 20)) await cache.get(id);
    expect(reads).toHaveLength(20);
    await cache.get("client-20");
    await cache.get("client-0");
    expect(reads).toHaveLength(22);
  });

  it("says what to do when the secret does not exist or has no value, and does not keep that", async () => {
    const values: Record<string, string> = {};
    const { cache } = cached(values);
    await expect(cache.get("c2m/credentials")).rejects.toMatchObject({
      name: "PermanentError",
      code: "credentials_missing",
      message: expect.stringMatching(/^The credentials secret "c2m\/credentials" does not exist or has no value\./),
    });
    values["c2m/credentials"] = ofClient("c2m_a");
    expect(await cache.get("c2m/credentials")).toMatchObject({ clientId: "c2m_a" });
  });

  it("does not keep credentials that can't be read", async () => {
    const values = { a: "hunter2" };
    const { cache } = cached(values);
    await expect(cache.get("a")).rejects.toMatchObject({ code: "credentials_invalid" });
    values.a = ofClient("c2m_a");
    expect(await cache.get("a")).toMatchObject({ clientId: "c2m_a" });
  });
});
