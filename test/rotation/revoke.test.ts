import { describe, expect, it } from "vitest";
import { metricNames } from "../../src/formats/metrics.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { discard, revoke, siblingThatHolds } from "../../src/rotation/revoke.ts";
import type { Revocable } from "../../src/rotation/same-token.ts";
import { clientId, failureOf, World } from "../harness/rotation-world.ts";

const expiresAt = "2026-01-02T00:00:00Z";

/** A world with a token beside the current one. */
async function withSpare(options: Parameters<typeof World.ready>[0] = {}) {
  const world = await World.ready(options);
  const { id, text } = await world.foreignToken();
  const spare: Revocable = { tokenId: id, expiresAt, clientId, accessToken: new Sensitive(text) };
  world.calls.calls.length = 0;
  return { world, spare };
}

/** The ids of the tokens that revocations were authorized with. */
function bearers(world: World): string[] {
  return world.calls.calls.filter(({ operation }) => operation === "revokeToken").map(({ caller }) => caller);
}

const refused = { kind: "error", status: 403, code: "insufficient_scope", message: "" } as const;

describe("revoking", () => {
  it("reads AWSCURRENT immediately before, and authorizes with the current token", async () => {
    const { world, spare } = await withSpare();
    expect(await revoke(world.context(), spare)).toBe("revoked");
    expect(world.calls.calls.map(({ operation }) => operation)).toEqual(["GetSecretValue", "revokeToken"]);
    expect(bearers(world)).toEqual([world.current().token_id]);
    expect(world.live()).toEqual([world.current().token_id]);
    const fields = { secret: world.arn, token_id: spare.tokenId, expires_at: expiresAt };
    expect(world.events("token.revoked")).toMatchObject([fields]);
    expect(world.metrics.at(-1)).toEqual({ name: metricNames.revoked, value: 1 });
  });

  it("authorizes with the token itself where the current one belongs to another client", async () => {
    const { world, spare } = await withSpare();
    world.operator.put(JSON.stringify({ ...world.current(), client_id: "c2m_another" }));
    expect(await revoke(world.context(), spare)).toBe("revoked");
    expect(bearers(world)).toEqual([spare.tokenId]);
  });

  it.each([
    ["nothing is current", undefined],
    ["a plain string is current", "an-old-token"],
  ])("authorizes with the token itself where %s", async (_, initialValue) => {
    const world = new World(initialValue === undefined ? {} : { initialValue });
    const { id, text } = await world.foreignToken();
    const token = { tokenId: id, expiresAt, clientId, accessToken: new Sensitive(text) };
    expect(await revoke(world.context(), token)).toBe("revoked");
    expect(bearers(world)).toEqual([id]);
  });

  it("authorizes with the token itself when the current one may not", async () => {
    const { world, spare } = await withSpare();
    world.fail("revokeToken", refused);
    expect(await revoke(world.context(), spare)).toBe("revoked");
    expect(world.countCalls("c2m")).toEqual({ revokeToken: 2 });
    expect(bearers(world)[1]).toBe(spare.tokenId);
    expect(world.metrics.filter(({ name }) => name === metricNames.revoked)).toHaveLength(1);
  });

  it.each([401, 403])(
    "reports a token that no bearer may revoke (%i), with its expiry, and goes on",
    async (status) => {
      const { world, spare } = await withSpare();
      world.fail("revokeToken", { ...refused, status }, 2);
      expect(await revoke(world.context(), spare)).toBe("unrevocable");
      expect(world.events("token.unrevocable")).toMatchObject([
        {
          secret: world.arn,
          token_id: spare.tokenId,
          expires_at: expiresAt,
          reason: "C2M lets no token that we hold revoke it",
        },
      ]);
      expect(world.events("token.revocation.failed")).toEqual([]);
    },
  );

  it("counts a token that C2M does not know, or that is dead already, as dead", async () => {
    const { world, spare } = await withSpare({ c2mKnobs: { revokeDeadStatus: 404 } });
    for (const token of [spare, spare, { ...spare, tokenId: "tok_unknown" }]) {
      expect(await revoke(world.context(), token)).toBe("revoked");
    }
    expect(world.events("token.revoked")).toHaveLength(3);
  });

  it("reports a token without an id, and calls nobody", async () => {
    const { world, spare } = await withSpare();
    expect(await revoke(world.context(), { ...spare, tokenId: undefined })).toBe("unrevocable");
    expect(world.calls.calls).toEqual([]);
    expect(world.events("token.unrevocable")).toMatchObject([
      { secret: world.arn, token_id: undefined, expires_at: expiresAt, reason: "C2M gave no token id" },
    ]);
  });

  it.each([
    ["C2M fails", { kind: "error", status: 500, code: "", message: "" } as const, "server_error"],
    ["C2M limits the rate", { kind: "error", status: 429, code: "rate_limited", message: "" } as const, "rate_limited"],
    ["the connection breaks", { kind: "cut", when: "before" } as const, "no_answer"],
  ])("throws what may work later when %s, and says so in the log and a metric", async (_, fault, code) => {
    const { world, spare } = await withSpare();
    world.fail("revokeToken", fault, Infinity);
    const failure = await failureOf(revoke(world.context(), spare));
    expect(failure).toMatchObject({ name: "RetryableError", code });
    expect(world.events("token.revocation.failed")).toMatchObject([
      { secret: world.arn, token_id: spare.tokenId, expires_at: expiresAt, code },
    ]);
    expect(world.metrics.at(-1)).toEqual({ name: metricNames.revocationFailed, value: 1 });
    expect(world.events("token.revoked")).toEqual([]);
  });

  it("does not take another refusal of C2M for the last word on the token", async () => {
    const { world, spare } = await withSpare();
    world.fail("revokeToken", { kind: "error", status: 400, code: "invalid_request", message: "" });
    const failure = await failureOf(revoke(world.context(), spare));
    expect(failure).toMatchObject({ name: "PermanentError", code: "invalid_request" });
    expect(world.countCalls("c2m")).toEqual({ revokeToken: 1 });
    expect(world.events("token.unrevocable")).toEqual([]);
    expect(world.events("token.revocation.failed")).toHaveLength(1);
  });

  it("revokes nothing when AWSCURRENT can't be read", async () => {
    const { world, spare } = await withSpare();
    world.fail("GetSecretValue", "AccessDeniedException");
    expect((await failureOf(revoke(world.context(), spare))).code).toBe("store_denied");
    expect(world.countCalls("c2m")).toEqual({});
    expect(world.events("token.revocation.failed").map(({ code }) => code)).toEqual(["store_denied"]);
  });

  it("names an error that is not ours only as unexpected", async () => {
    const { world, spare } = await withSpare();
    const broken = { ...world.c2m, revokeToken: () => Promise.reject(new TypeError("secret inside")) };
    await expect(revoke(world.context({ c2mAt: () => broken }), spare)).rejects.toThrow(TypeError);
    expect(world.events("token.revocation.failed").map(({ code }) => code)).toEqual(["unexpected"]);
  });

  it("gives the call the time that the function has", async () => {
    const { world, spare } = await withSpare();
    const late = world.context({ deadline: world.clock.now() + 999 });
    expect((await failureOf(revoke(late, spare))).code).toBe("no_time");
  });

  describe("what is at AWSCURRENT", () => {
    const refusal = { name: "RetryableError", code: "revocation_of_current" };

    it("is refused by its id", async () => {
      const { world } = await withSpare();
      const token = { tokenId: String(world.current().token_id), expiresAt, clientId };
      const failure = await failureOf(revoke(world.context(), token));
      expect(failure).toMatchObject(refusal);
      expect(failure.message).toMatch(/is at AWSCURRENT and is not revoked/);
      expect(world.countCalls("c2m")).toEqual({});
    });

    it("is refused by its text, under whatever id", async () => {
      const { world, spare } = await withSpare();
      const accessToken = new Sensitive(String(world.current().access_token));
      expect(await failureOf(revoke(world.context(), { ...spare, accessToken }))).toMatchObject(refusal);
    });

    it("is refused as a plain string", async () => {
      const world = new World({ initialValue: "plain" });
      const { id, text } = await world.foreignToken();
      world.operator.put(text);
      const token = { tokenId: id, expiresAt, clientId, accessToken: new Sensitive(text) };
      expect(await failureOf(revoke(world.context(), token))).toMatchObject(refusal);
    });

    it.each([
      ["names no id", ({ token_id: _, ...value }: Record<string, unknown>) => JSON.stringify(value)],
      ["is other JSON", () => '{"apiKey":"abc"}'],
    ])("can't be ruled out where the value %s and only the id of the other is known: refused", async (_, without) => {
      const { world, spare } = await withSpare();
      world.operator.put(without(world.current()));
      const { accessToken: __, ...known } = spare;
      const failure = await failureOf(revoke(world.context(), known));
      expect(failure).toMatchObject({ name: "RetryableError", code: "revocation_unsafe" });
      expect(failure.message).toContain("can't be told from it");
      expect(world.countCalls("c2m")).toEqual({});
    });

    it("is told apart by the text where the current value names no id", async () => {
      const { world, spare } = await withSpare();
      const { token_id: _, ...unnamed } = world.current();
      world.operator.put(JSON.stringify(unnamed));
      expect(await revoke(world.context(), spare)).toBe("revoked");
    });

    it("is told apart by the id where only that is known of the other", async () => {
      const { world, spare } = await withSpare();
      const { accessToken: _, ...known } = spare;
      expect(await revoke(world.context(), known)).toBe("revoked");
    });
  });

  it("reports a token of whose client no token is at hand, with its expiry, and gives it up only in the log", async () => {
    const world = new World();
    const { id } = await world.foreignToken();
    expect(await revoke(world.context(), { tokenId: id, expiresAt, clientId })).toBe("unrevocable");
    expect(world.events("token.unrevocable")).toMatchObject([
      { token_id: id, expires_at: expiresAt, reason: "no token of its client is at hand to revoke it with" },
    ]);
  });
});

describe("a token with two ids, or of another C2M", () => {
  it("is revoked by one id after the other, each time after a look at AWSCURRENT", async () => {
    const { world, spare } = await withSpare();
    const { id } = await world.foreignToken();
    const from = world.calls.calls.length;
    expect(await revoke(world.context(), { ...spare, headerTokenId: id })).toBe("revoked");
    expect(world.calls.calls.slice(from).map(({ operation }) => operation)).toEqual([
      "GetSecretValue",
      "revokeToken",
      "GetSecretValue",
      "revokeToken",
    ]);
    expect(world.live()).toEqual([world.current().token_id]);
    expect(world.events("token.revoked").map(({ token_id }) => token_id)).toEqual([spare.tokenId, id]);
  });

  it.each<["refused" | "not_found", string, "token.unrevocable" | "token.revocation.failed"]>([
    ["refused", "unrevocable", "token.unrevocable"],
    ["not_found", "not_found", "token.revocation.failed"],
  ])("is revoked by its other id where one is %s (row 21)", async (answer, outcome, event) => {
    const { world, spare } = await withSpare();
    const { revokeToken } = world.c2m;
    world.c2m.revokeToken = async (request) =>
      request.tokenId === "tok_of_the_body" ? answer : await revokeToken(request);
    const token = { ...spare, tokenId: "tok_of_the_body", headerTokenId: spare.tokenId };
    expect(await revoke(world.context(), token)).toBe(outcome);
    expect(world.live()).toEqual([world.current().token_id]);
    expect(world.events("token.revoked")).toMatchObject([{ token_id: spare.tokenId }]);
    expect(world.events(event)).toMatchObject([{ token_id: "tok_of_the_body" }]);
    expect(world.events(event)[0]).not.toHaveProperty("header_token_id");
  });

  it("is revoked by its other id where what stands before C2M answers for one, and the step is tried again (row 21)", async () => {
    const { world, spare } = await withSpare();
    const { revokeToken } = world.c2m;
    world.c2m.revokeToken = async (request) =>
      request.tokenId === "tok_of_the_body" ? "unclear" : await revokeToken(request);
    const token = { ...spare, tokenId: "tok_of_the_body", headerTokenId: spare.tokenId };
    expect((await failureOf(revoke(world.context(), token))).code).toBe("revocation_unclear");
    expect(world.live()).toEqual([world.current().token_id]);
    expect(world.events("token.revoked")).toMatchObject([{ token_id: spare.tokenId }]);
  });

  it("is sent nowhere where the settings don't name its C2M", async () => {
    const { world, spare } = await withSpare();
    expect(await revoke(world.context(), { ...spare, baseUrl: "https://former.test/v2" })).toBe("unrevocable");
    expect(world.countCalls("c2m")).toEqual({});
    expect(world.events("token.unrevocable")).toMatchObject([{ reason: "its C2M is none of the settings' base URLs" }]);
  });

  it("is not authorized with the current token where its client is another, nor where the id alone is known", async () => {
    const { world, spare } = await withSpare();
    const { accessToken: _, ...known } = spare;
    expect(await revoke(world.context(), { ...known, clientId: "c2m_former" })).toBe("unrevocable");
    expect(await revoke(world.context(), { ...known, clientId: undefined })).toBe("unrevocable");
    expect(world.countCalls("c2m")).toEqual({});
  });
});

describe("an answer that need not be C2M's", () => {
  it("of success is noted as such", async () => {
    const { world, spare } = await withSpare();
    world.fail("revokeToken", { kind: "error", status: 200, code: "fine", message: "done" });
    expect(await revoke(world.context(), spare)).toBe("claimed");
    expect(world.events("token.revoked")).toMatchObject([{ token_id: spare.tokenId, claimed: true }]);
    expect(await revoke(world.context(), spare)).toBe("revoked");
    expect(world.events("token.revoked")[1]).not.toHaveProperty("claimed");
  });

  it.each([
    ["a page", { kind: "garble", status: 200, body: "<html>" }],
    ["a refusal without a code", { kind: "garble", status: 403, body: "<html>" }],
  ] as const)("settles nothing where it is %s", async (_, fault) => {
    const { world, spare } = await withSpare();
    world.fail("revokeToken", fault);
    const failure = await failureOf(revoke(world.context(), spare));
    expect(failure).toMatchObject({ name: "RetryableError", code: "revocation_unclear" });
    expect(failure.message).toMatch(/so the token may live\. Check the base_url/);
    expect(world.events("token.revocation.failed").map(({ code }) => code)).toEqual(["revocation_unclear"]);
  });
});

describe("a label that moves while a revocation is under way", () => {
  /** Makes a token current as soon as a revocation was tried. */
  function promoteAfterTry(world: World, spare: Revocable): void {
    const stop = world.calls.onCall(({ operation }) => {
      if (operation !== "revokeToken") return;
      stop();
      const value = { ...world.current(), token_id: spare.tokenId, access_token: spare.accessToken?.reveal() };
      world.operator.put(JSON.stringify(value));
    });
  }

  it.each([
    ["with another bearer", refused],
    ["again", { kind: "error", status: 503, code: "unavailable", message: "" } as const],
  ])("is seen before it is tried %s", async (_, fault) => {
    const { world, spare } = await withSpare();
    world.fail("revokeToken", fault);
    promoteAfterTry(world, spare);
    expect((await failureOf(revoke(world.context(), spare))).code).toBe("revocation_of_current");
    expect(world.live()).toContain(spare.tokenId);
  });

  it("to the version that was promoted leaves nothing to revoke where that holds the same token", async () => {
    const { world } = await withSpare();
    const token = { tokenId: String(world.current().token_id), expiresAt, clientId };
    expect(await revoke(world.context(), token, world.holder("AWSCURRENT"))).toBe("current");
    expect(world.events("token.revocation.failed")).toEqual([]);
    expect((await failureOf(revoke(world.context(), token, "another"))).code).toBe("revocation_of_current");
  });
});

describe("discarding a token that is in no version", () => {
  const held = (value: Record<string, unknown> | string) =>
    parseValue(new Sensitive(typeof value === "string" ? value : JSON.stringify(value)));

  it("authorizes with the current token, and looks at no secret", async () => {
    const { world, spare } = await withSpare();
    await discard(world.context(), spare, [undefined, held(world.current())]);
    expect(world.countCalls("secretsmanager")).toEqual({});
    expect(bearers(world)).toEqual([world.current().token_id]);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("leaves alone what this run has seen in a version: C2M gave it twice", async () => {
    const { world, spare } = await withSpare();
    const same = held(spare.accessToken?.reveal() ?? "");
    await discard(world.context(), spare, [held(world.current()), same]);
    expect(world.countCalls("c2m")).toEqual({});
    expect(world.events("token.revocation.failed")).toEqual([]);
    expect(world.metrics.map(({ name }) => name)).not.toContain(metricNames.revocationFailed);
  });

  it("leaves what it can't tell from a version to the reconciler, and does not throw", async () => {
    const { world, spare } = await withSpare();
    const { accessToken: _, ...known } = spare;
    await discard(world.context(), known, [held("a-plain-token")]);
    expect(world.countCalls("c2m")).toEqual({});
    expect(world.events("token.revocation.failed").map(({ code }) => code)).toEqual(["revocation_unsafe"]);
  });

  it("throws what is a fault of the program", async () => {
    const { world, spare } = await withSpare();
    const broken = { ...world.c2m, revokeToken: () => Promise.reject(new TypeError("a bug")) };
    await expect(discard(world.context({ c2mAt: () => broken }), spare, [])).rejects.toThrow(TypeError);
  });

  describe("that another secret of the client may hold", () => {
    /** Ten secrets with other tokens, and more where they are asked for. */
    async function withSiblings(count: number, values: Record<number, string> = {}) {
      const { world, spare } = await withSpare();
      const siblings = Array.from({ length: count }, (_, index) => `c2m/sibling-${index}`);
      for (const [index, Name] of siblings.entries()) {
        const { token_id: __, ...other } = world.current();
        const SecretString =
          values[index] ?? JSON.stringify({ ...other, token_id: `tok_${index}`, access_token: `t${index}` });
        world.engine.createSecret(
          { Name, ClientRequestToken: crypto.randomUUID(), ...(SecretString === "" ? {} : { SecretString }) },
          world.administrator,
        );
      }
      return { world, spare, siblings };
    }

    it("looks at each once, and revokes where none holds it", async () => {
      const { world, spare, siblings } = await withSiblings(10, { 3: "" });
      const { id } = await world.foreignToken();
      const from = world.calls.calls.length;
      await discard(world.context({ siblings }), { ...spare, headerTokenId: id }, [held(world.current())]);
      expect(world.countCalls("secretsmanager", from)).toEqual({ GetSecretValue: 10 });
      expect(world.live()).toEqual([world.current().token_id]);
    });

    it.each([
      ["one holds it", (text: string) => text],
      ["one may hold it", () => '{"apiKey":"abc"}'],
    ])("leaves it to the reconciler where %s", async (_, sibling) => {
      const { world, spare } = await withSpare();
      const { accessToken, ...named } = spare;
      const value = sibling(accessToken?.reveal() ?? "");
      const token = value === accessToken?.reveal() ? spare : named;
      world.engine.createSecret(
        { Name: "c2m/sibling", ClientRequestToken: crypto.randomUUID(), SecretString: value },
        world.administrator,
      );
      const context = world.context({ siblings: ["c2m/sibling"] });
      await discard(context, token, [held(world.current())]);
      expect(world.live()).toContain(spare.tokenId);
      expect(world.events("token.revocation.failed").map(({ code }) => code)).toEqual(["revocation_unsafe"]);
      expect(await siblingThatHolds(context, token)).toBe("c2m/sibling");
    });

    it("leaves it to the reconciler where they are too many to look at them all", async () => {
      const { world, spare, siblings } = await withSiblings(11);
      await discard(world.context({ siblings }), spare, []);
      expect(world.countCalls("secretsmanager")).toEqual({});
      expect(world.live()).toContain(spare.tokenId);
    });
  });
});
