import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { C2mKnobs } from "../../local-cloud/c2m/knobs.ts";
import type { Fault } from "../../local-cloud/faults.ts";
import { type FunctionLog, functionLog } from "../../src/aws/function-log.ts";
import { presentable } from "../../src/ports/errors.ts";
import { World } from "../harness/rotation-world.ts";
import { everythingOf } from "./invariants.ts";

const clientSecret = "client+secret/with=signs & spaces";

let printed: string[] = [];
let log: FunctionLog;
beforeEach(() => {
  printed = [];
  const keep = (chunk: unknown) => {
    printed.push(String(chunk));
    return true;
  };
  vi.spyOn(process.stdout, "write").mockImplementation(keep);
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
  log = functionLog();
});
afterEach(() => vi.restoreAllMocks());

/** Each secret as it is, in base64 and base64url, URL-encoded; and the beginning of a long one, as a cut text shows it. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString("base64").replace(/=+$/, "");
  return [...new Set([secret, base64, bytes.toString("base64url"), encodeURIComponent(secret), secret.slice(0, 24)])];
}

/** Everything that was printed about a world's life, searched for every secret in it. */
function leaks(world: World, rotationTokens: Iterable<string>): string[] {
  const outcomes = world.failures.flatMap((error) => [everythingOf(error), everythingOf(presentable(error))]);
  const text = [...printed, JSON.stringify(world.log), JSON.stringify(world.metrics), ...outcomes].join("\n");
  const tokens = world.c2mEngine.tokens.map(({ accessToken }) => accessToken);
  return [clientSecret, ...tokens, ...rotationTokens].flatMap(forms).filter((form) => text.includes(form));
}

/** What a careless server could say: all that it was told. */
function echoOf(world: World): string {
  return [
    clientSecret,
    encodeURIComponent(clientSecret),
    ...world.c2mEngine.tokens.map((token) => token.accessToken),
  ].join(" ");
}

interface Trouble {
  c2mKnobs?: Partial<C2mKnobs>;
  operation?: string;
  fault?: (echo: string) => Fault;
  /** The part of the life that it strikes. */
  phase?: number;
}

/** A secret's life: first token, rotation, replays, a late pending token, a changed client. Whatever fails, it goes on. */
async function live({ c2mKnobs = {}, operation, fault, phase }: Trouble): Promise<string[]> {
  const world = new World({ clientSecret, c2mKnobs, alsoTo: log });
  const rotationTokens = new Set<string>();
  const { invoke } = world;
  world.invoke = (event) => {
    rotationTokens.add(event.RotationToken);
    return invoke(event);
  };
  const attempt = async (run: () => Promise<unknown>) => {
    try {
      printed.push(JSON.stringify((await run()) ?? null));
    } catch (error) {
      world.failures.push(error);
    }
    log.publishMetrics();
  };
  const phases = [
    () => attempt(() => world.bootstrap()),
    () => attempt(() => world.enableRotation()),
    () => attempt(() => world.rotate()),
    async () => {
      rotationTokens.add("rotation-token-by-hand");
      const version = await world.open().catch(() => "none");
      for (const step of ["createSecret", "createSecret", "testSecret"] as const) {
        await attempt(() => world.run(step, version, "rotation-token-by-hand"));
      }
      await world.clock.advanceBy(11 * 60_000);
      const pending = world.text(version) === undefined ? undefined : String(world.value(version).token_id);
      if (pending !== undefined && world.c2mEngine.byId(pending)) world.operator.revokeByHand(pending);
      await attempt(() => world.run("testSecret", version, "rotation-token-by-hand"));
    },
    () => attempt(() => world.bootstrap()),
  ];
  for (const [index, run] of phases.entries()) {
    if (operation !== undefined && fault && index === phase) world.fail(operation, fault(echoOf(world)), Infinity);
    await run();
    world.faults.clear();
  }
  world.engine.stop();
  expect(printed.join("")).toContain("step.started");
  return leaks(world, rotationTokens);
}

const faults: Record<string, (echo: string) => Fault> = {
  "is cut before": () => ({ kind: "cut", when: "before" }),
  "is cut after": () => ({ kind: "cut", when: "after" }),
  "is denied with an echo": (echo) => ({ kind: "error", status: 403, code: "AccessDeniedException", message: echo }),
  "is refused with an echo": (echo) => ({ kind: "error", status: 400, code: "InvalidRequestException", message: echo }),
  "is rejected with an echo": (echo) => ({ kind: "error", status: 401, code: "invalid_token", message: echo }),
  "fails with an echo": (echo) => ({ kind: "error", status: 500, code: "InternalServiceError", message: echo }),
  "is throttled with an echo": (echo) => ({ kind: "error", status: 429, code: "ThrottlingException", message: echo }),
};
const garbled: Record<string, (echo: string) => Fault> = {
  "answers an echo for a success": (echo) => ({ kind: "garble", status: 201, body: `{"access_token":"${echo}` }),
  "answers HTML with an echo": (echo) => ({ kind: "garble", status: 502, body: `<html>${echo}</html>` }),
};
const stores = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"];
const calls = ["issueLongTermToken", "issueShortTermToken", "revokeToken"];

describe("no secret is printed when", () => {
  const cases = [...stores, ...calls].flatMap((operation) =>
    Object.entries(calls.includes(operation) ? { ...faults, ...garbled } : faults).map(([what, fault]) => ({
      operation,
      what,
      fault,
    })),
  );
  it.each(cases)("$operation $what", async ({ operation, fault }) => {
    for (const phase of [0, 2, 3, 4]) expect(await live({ operation, fault, phase })).toEqual([]);
  });

  it.each<Partial<C2mKnobs>>([
    {},
    { maximumTtlSeconds: 3_600 },
    { ungrantedScopes: "drop" },
    { issueStatus: 200 },
    { tokenIdInBody: false, tokenIdInHeader: false },
    { scopesInBody: false },
    { expiresAtMilliseconds: true },
    { tokenFormat: "opaque" },
    { revokeAnswer: "200-json" },
    { revokeDeadStatus: 404 },
    { selfRevocation: false },
    { revocationDelayMs: 300_000 },
    { activationDelayMs: 30_000 },
    { activationDelayMs: 600_000 },
    { wrongCredentialsStatus: 401 },
    { insufficientScopeStatus: 401 },
    { errorBody: "message" },
    { errorBody: "html" },
    { errorBody: "empty" },
    { rateLimitPerMinute: 1, retryAfter: "seconds" },
    { rateLimitPerMinute: 1, retryAfter: "date" },
  ])("C2M behaves like %j", async (c2mKnobs) => {
    expect(await live({ c2mKnobs })).toEqual([]);
  });

  it("something unexpected breaks a call, with a secret in its message", async () => {
    const world = await World.ready({ clientSecret, alsoTo: log });
    const error = new TypeError(`cannot read ${clientSecret}`, {
      cause: new Error(String(world.current().access_token)),
    });
    const store = { ...world.store, describe: () => Promise.reject(error) };
    const { runStep } = await import("../../src/rotation/steps/run-step.ts");
    const target = { secretId: world.arn, versionId: "v", rotationToken: undefined };
    const thrown = await runStep(world.context({ store }), "finishSecret", target).catch((caught: unknown) => caught);
    world.failures.push(presentable(thrown));
    expect(leaks(world, [])).toEqual([]);
    expect(printed.join("")).toContain("An unexpected TypeError");
  });
});

it("the search finds what is there, in every form", async () => {
  const world = await World.ready({ clientSecret });
  const token = String(world.current().access_token);
  for (const form of [...forms(clientSecret), ...forms(token)]) {
    printed = [`before ${form} after`];
    expect(leaks(world, [])).toContain(form);
  }
  printed = [];
  world.failures.push(new Error("outer", { cause: Object.assign(new Error("inner"), { sent: { token } }) }));
  expect(leaks(world, [])).toContain(token);
});
