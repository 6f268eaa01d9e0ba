import { generateKeyPairSync } from "node:crypto";
import { exportJWK } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkExchange } from "../../local-cloud/c2m/contract.ts";
import { C2mEngine } from "../../local-cloud/c2m/engine.ts";
import { plainKnobs } from "../../local-cloud/c2m/knobs.ts";
import { type C2mServer, startC2mServer } from "../../local-cloud/c2m/server.ts";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { Faults } from "../../local-cloud/faults.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import { parseCredentials } from "../../src/c2m/credentials-secret.ts";
import type { IssuedToken } from "../../src/ports/c2m.ts";
import { clientId, clientSecret, clientUnderTest, errorOf, now } from "../harness/client-under-test.ts";

// The local C2M was written from the same facts by somebody else: where the two meet, neither repeats its own mistake.

const clock = new VirtualClock(now);
const engine = new C2mEngine({ clock });
const faults = new Faults(clock);
const problems: string[] = [];
const oldKey = generateKeyPairSync("ec", { namedCurve: "P-256" });
const newKey = generateKeyPairSync("ed25519");
const pem = (key: typeof oldKey) => key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const otpSeed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const scopes = ["jobs:submit", "jobs:read", "tokens:revoke", "tokens:write"];

let server: C2mServer;
beforeAll(async () => {
  const publicKeys = { "2025": await exportJWK(oldKey.publicKey), "2026": await exportJWK(newKey.publicKey) };
  engine.registerClient({ clientId, clientSecret, otpSeed, publicKeys, scopes });
  server = await startC2mServer({
    engine,
    faults,
    clock,
    onExchange: ({ request, answer, faulty }) => {
      if (!faulty) problems.push(...checkExchange(request, { ...answer, body: String(answer.body) }));
    },
  });
});
afterAll(() => server.close());
beforeEach(async () => {
  Object.assign(engine.knobs, plainKnobs);
  faults.clear();
  problems.length = 0;
  // Past the time step of the one-time code that was used last.
  await clock.advanceBy(60_000);
});

const secretOf = (fields: object) => parseCredentials(JSON.stringify({ client_id: clientId, ...fields }));
const mechanisms: [string, Credentials][] = [
  ["client_secret", secretOf({ client_secret: clientSecret })],
  ["otp", secretOf({ otp_seed: otpSeed })],
  [
    "assertion with the old key",
    secretOf({ private_keys: { "2025": pem(oldKey), "2026": pem(newKey) }, key_id: "2025" }),
  ],
  [
    "assertion with the new key",
    secretOf({ private_keys: { "2025": pem(oldKey), "2026": pem(newKey) }, key_id: "2026" }),
  ],
  ["short_token", { mechanism: "short_token", clientId, longToken: undefined }],
];

const clientWith = (credentials?: Credentials) =>
  clientUnderTest(server.url, { clock, ...(credentials && { credentials }) }).client;

function issue(credentials?: Credentials): Promise<IssuedToken> {
  const deadline = clock.now() + 60_000;
  return clientWith(credentials).issueLongTermToken({
    scopes,
    lifetimeSeconds: 3600,
    deadline,
  });
}

describe("at the local C2M", () => {
  it.each(mechanisms)(
    "a token is issued by %s, exchanged and revoked, all as the API describes",
    async (_, credentials) => {
      const token = await issue(
        credentials.mechanism === "short_token"
          ? { ...credentials, longToken: (await issue()).accessToken }
          : credentials,
      );
      expect(token).toMatchObject({ tokenType: "Bearer", scopes });
      expect(Date.parse(token.expiresAt)).toBe(clock.now() + 3_600_000);
      const client = clientWith(credentials);
      const deadline = clock.now() + 60_000;
      const short = await client.issueShortTermToken({ longToken: token.accessToken, scopes: ["jobs:read"], deadline });
      expect(short).toMatchObject({ outcome: "works", token: { scopes: ["jobs:read"] } });
      const tokenId = token.tokenId ?? "";
      expect(await client.revokeToken({ tokenId, bearer: token.accessToken, deadline })).toBe("revoked");
      expect(engine.isLive(tokenId)).toBe(false);
      const dead = await client.issueShortTermToken({ longToken: token.accessToken, deadline });
      expect(dead).toEqual({ outcome: "invalid_token" });
      expect(problems).toEqual([]);
    },
  );

  it("a short token is revoked by its id", async () => {
    const long = await issue();
    const deadline = clock.now() + 60_000;
    const exchange = await clientWith().issueShortTermToken({ longToken: long.accessToken, deadline });
    if (exchange.outcome !== "works") throw new Error(exchange.outcome);
    const short = exchange.token;
    await clientWith().revokeToken({ tokenId: short.tokenId ?? "", bearer: long.accessToken, deadline });
    expect(engine.isLive(short.tokenId ?? "")).toBe(false);
    expect(engine.isLive(long.tokenId ?? "")).toBe(true);
  });

  it.each([400, 401] as const)("wrong credentials, answered %i, are an invalid_grant", async (status) => {
    Object.assign(engine.knobs, { wrongCredentialsStatus: status });
    const error = await errorOf(issue(secretOf({ client_secret: "wrong" })));
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_grant" });
  });

  it("a token without tokens:revoke can't revoke", async () => {
    const deadline = clock.now() + 60_000;
    const client = clientWith();
    const weak = await client.issueLongTermToken({
      scopes: ["jobs:read"],
      lifetimeSeconds: 3600,
      deadline,
    });
    const request = { tokenId: weak.tokenId ?? "", bearer: weak.accessToken, deadline };
    expect(await client.revokeToken(request)).toBe("refused");
  });

  it.each([
    ["an id in the header alone", { tokenIdInBody: false }],
    ["a chunked answer with milliseconds", { transfer: "chunked", expiresAtMilliseconds: true }],
    ["200 and no scopes", { issueStatus: 200, scopesInBody: false }],
  ] as const)("%s will do", async (_, knobs) => {
    Object.assign(engine.knobs, knobs);
    const token = await issue();
    expect(engine.isLive(token.tokenId ?? "")).toBe(true);
    expect(problems).toEqual([]);
  });

  it.each(["seconds", "date"] as const)("a rate limit that ends is waited for, told in %s", async (retryAfter) => {
    Object.assign(engine.knobs, { retryAfter, rateLimitedUntil: clock.now() + 20_000 });
    const before = engine.tokens.length;
    await issue();
    expect(engine.tokens).toHaveLength(before + 1);
  });

  it("an answer that is lost leaves one token and not two", async () => {
    faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "cut", when: "after" } });
    const before = engine.tokens.length;
    expect(await errorOf(issue())).toMatchObject({ name: "AmbiguousError", code: "no_answer" });
    expect(engine.tokens).toHaveLength(before + 1);
  });
});

describe("at a local C2M that is as strict as C2M may be", () => {
  const clockOfAnotherProcess = { now: () => clock.now(), sleep: (ms: number) => clock.sleep(ms) } as VirtualClock;
  const otp = secretOf({ otp_seed: otpSeed });

  it("an assertion is taken by a C2M whose clock is 1.5 s behind", async () => {
    engine.knobs.clockAheadMs = -1_500;
    await issue(secretOf({ private_key: pem(newKey), key_id: "2026" }));
  });

  it("a one-time code that was waited for is taken by a C2M whose clock is 1.5 s behind", async () => {
    engine.knobs.clockAheadMs = -1_500;
    await clock.advanceBy(10_000);
    await issue(otp);
    await issue(otp);
  });

  it("two processes get a token each in the same half minute", async () => {
    await issue(otp);
    const { call } = clientUnderTest(server.url, { clock: clockOfAnotherProcess, credentials: otp });
    await call("issueLongTermToken");
  });

  it("a token is issued for a short one where C2M wants X-Client-Id as well", async () => {
    const longToken = (await issue()).accessToken;
    engine.knobs.longTokenAuthorization = "both";
    await issue({ mechanism: "short_token", clientId, longToken });
  });
});

describe("at a C2M whose clock is not ours", () => {
  const credentialsOf = (name: string) => mechanisms.find(([one]) => one.startsWith(name))?.[1] as Credentials;
  const startOfStep = () => clock.advanceTo(Math.ceil((clock.now() + 1) / 30_000) * 30_000);

  it.each([-2_900, -1_500, 0, 1_500])("%d ms ahead, a one-time code sent as its step begins is taken", async (ms) => {
    engine.knobs.clockAheadMs = ms;
    await startOfStep();
    const { call } = clientUnderTest(server.url, { clock, credentials: credentialsOf("otp") });
    await call("issueLongTermToken");
    await call("issueLongTermToken");
  });

  it("a code that C2M takes for one of another step is followed by the next", async () => {
    engine.knobs.clockAheadMs = 29_000;
    await startOfStep();
    const { call } = clientUnderTest(server.url, { clock, credentials: credentialsOf("otp") });
    expect(await errorOf(call("issueLongTermToken"))).toMatchObject({ code: "invalid_grant" });
    engine.knobs.clockAheadMs = 0;
    await call("issueLongTermToken");
  });

  it.each([-59_000, -1_500, 200_000])("%d ms ahead, an assertion is taken", async (ms) => {
    engine.knobs.clockAheadMs = ms;
    await clientUnderTest(server.url, { clock, credentials: credentialsOf("assertion") }).call("issueLongTermToken");
  });
});

it.each(["either", "exactly-one", "both"] as const)("short_token issues where C2M wants %s", async (wanted) => {
  engine.knobs.longTokenAuthorization = wanted;
  const { accessToken: longToken } = (await clientUnderTest(server.url, {
    clock,
    credentials: secretOf({ client_secret: clientSecret }),
  }).client.issueLongTermToken({ scopes, lifetimeSeconds: 3_600, deadline: clock.now() + 60_000 })) as IssuedToken;
  await clientUnderTest(server.url, { clock, credentials: { mechanism: "short_token", clientId, longToken } }).call(
    "issueLongTermToken",
  );
});
