import { describe, expect, it } from "vitest";
import type { LocalCloud } from "../../local-cloud/cloud.ts";
import { clientApp } from "../harness/apps.ts";
import { burstsPerRotation, runFleet } from "../harness/client-fleet.ts";
import { hour, stackPlan } from "../harness/stack.ts";

const minute = 60_000;

/** What may come of a revocation. The worst for apps comes first: it bites at once and ends short-term tokens. */
const atOnce = { revocationEndsShortTokens: true };
const late = { revocationEndsShortTokens: true, revocationDelayMs: 5 * minute };

/** From the end of each rotation on, nobody can read a secret for as long. */
function outageAfterEachRotation(ms: number): (cloud: LocalCloud) => void {
  return (cloud) =>
    cloud.bus.onEvent(({ detail }) => {
      if (detail.eventName !== "RotationSucceeded") return;
      const withdraw = cloud.faults.add({
        service: "secretsmanager",
        operation: "GetSecretValue",
        times: Number.POSITIVE_INFINITY,
        fault: { kind: "error", status: 503, code: "ServiceUnavailable", message: "down" },
      });
      cloud.clock.at(cloud.clock.now() + ms, withdraw);
    });
}

/** Reads of a secret take 4 seconds, exchanges 8. */
function slowAnswers({ faults }: LocalCloud): void {
  const times = Number.POSITIVE_INFINITY;
  faults.add({ service: "secretsmanager", operation: "GetSecretValue", times, fault: { kind: "latency", ms: 4_000 } });
  faults.add({ service: "c2m", operation: "issueShortTermToken", times, fault: { kind: "latency", ms: 8_000 } });
}

describe.concurrent("200 callers of c2mFetch notice nothing of 20 rotations", () => {
  const apps = { "short-term": clientApp(), "long-term": clientApp({ token: "long-term" }) };
  it.each([
    ["a grace of 0, a revocation that bites at once", "0 hours", atOnce, undefined],
    ["a grace of 1 minute, a revocation that bites after 5 minutes, slow answers", "1 minute", late, slowAnswers],
    ["a grace of 1 hour, Secrets Manager down for half of it", "1 hour", atOnce, outageAfterEachRotation(hour / 2)],
  ])("with %s", async (_, grace, c2m, disturb) => {
    const program = await stackPlan({ schedule: "rate(4 hours)", grace });
    const { rotations, apps: figures } = await runFleet({ program, apps, c2m, ...(disturb && { disturb }) });
    expect(rotations).toBe(20);
    for (const { requests, reasons, secretReads, exchanges } of Object.values(figures)) {
      expect(requests).toBe(20 * 200 * burstsPerRotation);
      expect(reasons).toEqual({});
      // They ask in three lifetimes of what is in memory per rotation.
      expect(exchanges).toBeLessThanOrEqual(20 * 4);
      expect(secretReads).toBeLessThanOrEqual(20 * 4 * (disturb ? 10 : 1));
    }
    // Each revocation ends the short-term token.
    expect(figures["short-term"].exchanges).toBeGreaterThanOrEqual(20);
  });
});

it("with a grace of 0 an outage of Secrets Manager that begins with a revocation can't be hidden", async () => {
  const program = await stackPlan({ schedule: "rate(4 hours)", grace: "0 hours" });
  const apps = { "short-term": clientApp() };
  const disturb = outageAfterEachRotation(10 * minute);
  const figures = await runFleet({ program, apps, c2m: atOnce, rotations: 2, callers: 3, disturb });
  expect(figures.apps["short-term"].failures).toBeGreaterThan(0);
  expect(Object.keys(figures.apps["short-term"].reasons)).toContain("secret_unavailable");
});
