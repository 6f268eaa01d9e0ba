import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import type { ReconcileReport } from "../../../src/reconcile/report.ts";
import { anotherIdOf } from "./c2m-client.ts";
import type { World } from "./parts.ts";
import { kept } from "./settle.ts";
import { tokenTextOf } from "./stored-text.ts";

/** What a quiet world looks like: every live long token is accounted for, and the labels are as they should be. */
export function checkQuiet(world: World, report: ReconcileReport): void {
  for (const index of kept(world)) checkLabels(world, index);
  checkTokens(world, report);
}

function checkLabels(world: World, index: number): void {
  const { versions } = world.secret(index).state;
  const holders = (stage: string) => [...versions.values()].filter(({ stages }) => stages.has(stage));
  const current = holders("AWSCURRENT");
  // Where C2M was down at every rotation of an empty secret, there is nothing to be current yet.
  const wasEver = [...versions.keys()].some((id) => world.watch.wereCurrent.has(id));
  if (current.length === 0 && !wasEver) return;
  if (current.length !== 1) world.watch.violation("labels", `${current.length} versions are at AWSCURRENT`);
  if (!current[0]?.value) world.watch.violation("labels", "the version at AWSCURRENT is empty");
  if (world.holder(index, "AWSPENDING", "AWSCURRENT") !== undefined) {
    world.watch.violation("labels", "AWSPENDING is left on a version that is not current");
  }
}

/** I2: issued = current + revoked + expired + reported as unrevocable + reported as suspects. */
function checkTokens(world: World, report: ReconcileReport): void {
  const { c2m, c2ms, watch } = world;
  // By a clock that is ahead it has expired.
  const now = Math.max(world.clock.now(), c2m.clock.now()) + watch.happened.aheadMs;
  const wanted = new Set(kept(world).map((index) => currentText(world, index)));
  const unrevocable = [
    ...report.secrets.flatMap((secret) => [...secret.unrevocable, ...secret.held]),
    ...watch.happened.reported.map(({ tokenId, until }) => ({ tokenId, expiresAt: until })),
  ];
  const suspects = new Map(
    report.secrets.flatMap((secret) => secret.suspects.map((one) => [one.attemptId, one.latestExpiresAt] as const)),
  );
  for (const token of c2ms.engines.flatMap((engine) => engine.liveLongTokens(now))) {
    if (wanted.has(token.accessToken)) continue;
    // Who deletes a secret for good is told to decommission it before: what was put there by hand nobody knows any more.
    if (watch.happened.forgotten.has(token.accessToken)) continue;
    // Nobody can look after what somebody stores by hand while the secret is being deleted.
    if (world.decommissioned.size > 0 && watch.happened.byHand.has(token.accessToken)) continue;
    // A command says of a suspect until when it may live, and cannot say which token it is.
    if (
      watch.happened.reported.some(
        ({ tokenId, until }) => tokenId === undefined && Date.parse(until ?? "") > token.expiresAt,
      )
    ) {
      continue;
    }
    const latest = suspects.get(watch.happened.attemptOf.get(token.id) ?? "");
    if (latest !== undefined) {
      if (Date.parse(latest) < token.expiresAt) {
        watch.violation("I2", `the suspect ${token.id} can live longer than is reported`);
      }
      continue;
    }
    const index = unrevocable.findIndex(
      ({ tokenId, expiresAt }) =>
        (isTheOne(token, tokenId) && Date.parse(expiresAt ?? "") === token.expiresAt) ||
        // Of a text that was there before us nobody knows more.
        (isPlain(world, token) && tokenId === undefined && expiresAt === undefined),
    );
    if (index >= 0) unrevocable.splice(index, 1);
    else if (!watch.happened.isUntold(token)) {
      watch.violation("I2", `${token.id} lives, is not current, and is not reported`);
    }
  }
}

// Without an id in C2M's answer only the expiry tells which one is meant.
function isTheOne(token: C2mToken, reportedId: string | undefined): boolean {
  return reportedId === undefined || reportedId === anotherIdOf(token.id) || reportedId === token.id;
}

function currentText(world: World, index: number): string | undefined {
  const id = world.holder(index, "AWSCURRENT");
  return id === undefined ? undefined : tokenTextOf(world.secret(index).state.versions.get(id)?.value);
}

/** Whether only the text of a token was ever stored. */
function isPlain(world: World, { accessToken }: C2mToken): boolean {
  return world.scenario.initialValue === "plain-token" && world.watch.happened.byHand.has(accessToken);
}
