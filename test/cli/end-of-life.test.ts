import { expect, it } from "vitest";
import { endTokens, tokensToEnd } from "../../cli/acting/end-of-life.ts";
import { answering, day, endOf, twoTokens, watchedEnd } from "../harness/end-of-life.ts";
import { World } from "../harness/rotation-world.ts";

it("revokes what it can't tell from a current value that nobody knows: all of it is to end (row 20)", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  await world.rotate();
  world.operator.put('{"apiKey":"x"}', ["AWSCURRENT"], crypto.randomUUID());
  expect(await endTokens(endOf(world))).toEqual([{ tokenId: undefined, until: undefined }]);
  expect(world.live()).toEqual([]);
});

it("takes an open rotation's version off, and revokes its token, too", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const current = world.current().token_id;
  world.fail("issueShortTermToken", { kind: "error", status: 403, code: "", message: "" }, Number.POSITIVE_INFINITY);
  await world.rotate();
  world.faults.clear();
  expect(world.holder("AWSPENDING")).not.toBe(world.holder("AWSCURRENT"));
  const [, pending] = world.live();
  const revoked: string[] = [];
  expect(await endTokens(endOf(world, revoked))).toEqual([]);
  expect(revoked).toEqual([pending, current]);
  expect(world.holder("AWSPENDING")).toBeUndefined();
});

it("says in the log, too, that a current value lives on that nobody can revoke", async () => {
  const world = await World.ready();
  const { token_id: _, ...plain } = world.current();
  world.operator.put(JSON.stringify(plain), ["AWSCURRENT"], crypto.randomUUID());
  const from = world.log.length;
  const left = await endTokens(endOf(world));
  expect(left).toEqual([{ tokenId: undefined, until: plain.expires_at }]);
  expect(world.log.slice(from)).toMatchObject([
    { event: "token.unrevocable", fields: { expires_at: plain.expires_at, reason: expect.stringContaining("nobody") } },
  ]);
});

it("spares what is current in another secret, and tells in which", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const first = world.current();
  const { ARN } = world.engine.createSecret(
    { Name: "c2m/other", SecretString: JSON.stringify(first), ClientRequestToken: crypto.randomUUID() },
    world.administrator,
  );
  await world.rotate();
  const current = String(world.current().token_id);
  const revoked: string[] = [];
  const left = await endTokens({ ...endOf(world, revoked), others: [ARN, "c2m/not-there"] });
  expect(left).toEqual([{ tokenId: first.token_id, until: first.expires_at, heldBy: ARN }]);
  expect(revoked).toEqual([current]);
  expect(world.live()).toEqual([first.token_id]);
});

it("spares its own current token where another secret holds it", async () => {
  const world = await World.ready();
  const current = world.current();
  const copy = { Name: "c2m/other", SecretString: JSON.stringify(current), ClientRequestToken: crypto.randomUUID() };
  const { ARN } = world.engine.createSecret(copy, world.administrator);
  expect(await endTokens({ ...endOf(world), others: [ARN] })).toMatchObject([{ heldBy: ARN }]);
  expect(world.live()).toEqual([current.token_id]);
});

it("asks for no end of what has ended", async () => {
  const world = await World.ready();
  world.engine.cancelRotateSecret({ SecretId: world.arn });
  await world.clock.advanceBy(91 * day);
  const from = world.calls.calls.length;
  const revoked: string[] = [];
  expect(await endTokens(endOf(world, revoked))).toEqual([]);
  expect(revoked).toEqual([]);
  expect(world.countCalls("c2m", from)).toEqual({});
});

it("ends nothing of a secret without a value", async () => {
  const world = new World();
  expect(await watchedEnd(world)).toMatchObject({ ended: [], revoked: [], told: [] });
  expect(await tokensToEnd(endOf(world))).toEqual([]);
});

it("names what it would end, the current token last, and changes nothing", async () => {
  const { world, firstId, currentId } = await twoTokens();
  expect(await tokensToEnd(endOf(world))).toEqual([firstId, currentId]);
  world.operator.put("by hand", ["AWSCURRENT"], crypto.randomUUID());
  const named = await tokensToEnd(endOf(world));
  expect(named).toHaveLength(3);
  expect(new Set(named.slice(0, 2))).toEqual(new Set([firstId, currentId]));
  expect(world.live()).toEqual([firstId, currentId]);
});

it("takes AWSPENDING off no version that is current", async () => {
  const { world } = await twoTokens();
  const current = world.holder("AWSCURRENT");
  world.operator.moveStage("AWSPENDING", current);
  expect((await watchedEnd(world)).ended).toEqual([]);
  expect(world.holder("AWSPENDING")).toBe(current);
});

it("lists no current token without an id that C2M rejects already", async () => {
  const world = await World.ready();
  const { token_id, ...unnamed } = world.current();
  world.operator.put(JSON.stringify(unnamed), ["AWSCURRENT"], crypto.randomUUID());
  await world.clock.advanceBy(20 * 60_000);
  expect(await endTokens(endOf(world))).toEqual([{ tokenId: undefined, until: unnamed.expires_at }]);
  world.operator.revokeByHand(String(token_id));
  expect(await endTokens(endOf(world))).toEqual([]);
});

it("leaves a pending token without an id with its expiry, and says why it was taken off", async () => {
  const world = await World.ready();
  const currentId = world.current().token_id;
  const { token_id: _, ...pending }: Record<string, unknown> = {
    ...world.current(),
    access_token: (await world.foreignToken()).text,
  };
  const versionId = await world.open();
  world.engine.putSecretValue(
    {
      SecretId: world.arn,
      ClientRequestToken: versionId,
      SecretString: JSON.stringify(pending),
      VersionStages: ["AWSPENDING"],
    },
    world.administrator,
  );
  const { ended, revoked, told } = await watchedEnd(world);
  expect(ended).toEqual([{ tokenId: undefined, until: pending.expires_at }]);
  expect(revoked).toEqual([currentId]);
  const reason = "its secret is decommissioned";
  expect(told).toContainEqual(
    expect.objectContaining({ event: "pending.detached", fields: expect.objectContaining({ reason }) }),
  );
});

it("tells an issue call of which nobody knows the end, until when its token would live", async () => {
  const world = await World.ready();
  world.fail("issueLongTermToken", { kind: "cut", when: "after" }, Number.POSITIVE_INFINITY);
  await world.rotate();
  world.faults.clear();
  const [started] = world.events("token.issue.started").slice(-1);
  expect((await watchedEnd(world)).ended).toContainEqual({ tokenId: undefined, until: started?.latest_expires_at });
});

it("tells each of several tokens that live on: by version without an id, by id where the version is the same", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const { token_id: _, ...plain } = world.current();
  for (const text of ["one", "two"]) {
    world.operator.put(JSON.stringify({ ...plain, access_token: (await world.foreignToken()).text }), [text]);
  }
  const ids = [(await world.foreignToken()).id, (await world.foreignToken()).id];
  for (const token_id of ids) {
    const c2m = { token_id, expires_at: String(plain.expires_at), client_id: "c2m_client" };
    const fields = { secret: world.arn, version_id: "lost", attempt_id: token_id, ...c2m };
    world.log.push({ at: world.clock.now(), event: "token.issued", fields });
  }
  await world.clock.advanceBy(2 * 3_600_000);
  answering(world, Object.fromEntries(ids.map((id) => [id, "claimed"])));
  const until = plain.expires_at;
  const { ended } = await watchedEnd(world);
  expect(ended).toHaveLength(4);
  expect(ended).toEqual(
    expect.arrayContaining([
      ...ids.map((tokenId) => ({ tokenId, until, unseen: true })),
      ...[0, 1].map(() => ({ tokenId: undefined, until })),
    ]),
  );
});

it("tells of each secret that holds one of its tokens, also beside values that nobody knows", async () => {
  const { world, first, firstId } = await twoTokens();
  const second = world.current();
  world.operator.put('{"apiKey":"x"}', ["AWSCURRENT"], crypto.randomUUID());
  const others = [first, second].map((held, index) => {
    const copy = { Name: `c2m/other-${index}`, SecretString: JSON.stringify(held) };
    return world.engine.createSecret({ ...copy, ClientRequestToken: crypto.randomUUID() }, world.administrator).ARN;
  });
  const { ended, revoked } = await watchedEnd(world, { others });
  expect(ended).toHaveLength(3);
  expect(ended).toEqual(
    expect.arrayContaining([
      { tokenId: firstId, until: first.expires_at, heldBy: others[0] },
      { tokenId: second.token_id, until: second.expires_at, heldBy: others[1] },
      { tokenId: undefined, until: undefined },
    ]),
  );
  expect(revoked).toEqual([]);
});
