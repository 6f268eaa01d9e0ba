import { type EndOfLife, endTokens } from "../../cli/acting/end-of-life.ts";
import { ledgerOf } from "./reconciler-run.ts";
import { World } from "./rotation-world.ts";

/** What the end of a world's tokens is made with. */
export function endOf(world: World, revoked: string[] = []): EndOfLife {
  const { clock, engine, arn, settings } = world;
  return {
    context: world.context({ deadline: clock.now() + 3_600_000 }),
    ledger: ledgerOf(world),
    baseUrl: settings.baseUrl,
    others: [],
    aws: { cancelRotation: async () => void engine.cancelRotateSecret({ SecretId: arn }) },
    stepMs: 120_000,
    signal: new AbortController().signal,
    wait: async (moment) => void (await clock.advanceTo(new Date(moment).toISOString())),
    onRevoked: (id) => revoked.push(id),
  };
}

/** A token that only the log knows. */
export async function orphan() {
  const world = await World.ready();
  const { id } = await world.foreignToken(7 * 86_400);
  const until = "2026-01-08T00:00:00Z";
  const c2m = { token_id: id, expires_at: until, client_id: "c2m_client" };
  const fields = { secret: world.arn, version_id: "lost", attempt_id: "a", ...c2m };
  world.log.push({ at: world.clock.now(), event: "token.issued", fields });
  await world.clock.advanceBy(2 * 3_600_000);
  return { world, left: { tokenId: id, until, unseen: true } };
}

/** 404 without C2M's code. */
export const gateway = { kind: "error", status: 404, code: "", message: "" } as const;

/** 2xx and JSON, where C2M answers 204. */
export const claim = { kind: "error", status: 200, code: "fine", message: "done" } as const;

/** 401 without C2M's code. */
export const unsaid = { kind: "error", status: 401, code: "", message: "" } as const;

export const day = 86_400_000;

/** Somebody stores a token that nobody here has issued. Returns its id. */
export function storeAnother(world: World, token_id: string, stages: string[]): string {
  const value = { ...world.current(), token_id, access_token: `the-text-of-${token_id}` };
  world.operator.put(JSON.stringify(value), stages, crypto.randomUUID());
  return token_id;
}

/** Ends them, and tells what was waited for: `step 17 min`. */
export async function watchedEnd(world: World, change: Partial<EndOfLife> = {}) {
  const [revoked, waits]: [string[], string[]] = [[], []];
  const end = { ...endOf(world, revoked), ...change };
  const wait: EndOfLife["wait"] = async (moment, why) => {
    waits.push(`${why} ${(moment - world.clock.now()) / 60_000} min`);
    await end.wait(moment, why);
  };
  const from = world.log.length;
  const ended = await endTokens({ ...end, wait }).catch((error: { code?: string }) => error.code);
  return { ended, revoked, waits, told: world.log.slice(from) };
}

/** A secret with a superseded token and a current one, both old enough for C2M to know them. */
export async function twoTokens() {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const first = world.current();
  await world.rotate();
  await world.clock.advanceBy(20 * 60_000);
  return { world, first, firstId: String(first.token_id), currentId: String(world.current().token_id) };
}

/** C2M's answers for some ids; the others are C2M's own. */
export function answering(world: World, answers: Record<string, "revoked" | "claimed" | "refused">): void {
  const { revokeToken } = world.c2m;
  world.c2m.revokeToken = async (request) => answers[request.tokenId] ?? (await revokeToken(request));
}
