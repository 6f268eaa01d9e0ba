import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { createC2mClient } from "../../src/c2m/client.ts";
import type { OtpCredentials } from "../../src/c2m/credentials.ts";
import { makeOtpGrant } from "../../src/c2m/grants/otp.ts";
import { RetryableError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientId, clientUnderTest, errorOf, issued, json } from "../harness/client-under-test.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();

const common = { client_id: clientId, scopes: ["jobs:submit"], ttl_seconds: 3600 };

describe("one-time codes", () => {
  // The test vectors of RFC 6238, appendix B, whose seed is "12345678901234567890", repeated as far as it is needed.
  const base32 = {
    SHA1: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    SHA256: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA",
  };
  const otp = (overrides: Partial<OtpCredentials> = {}): OtpCredentials => ({
    mechanism: "otp",
    clientId,
    seed: new Sensitive(base32.SHA1),
    algorithm: "SHA1",
    digits: 8,
    periodSeconds: 30,
    ...overrides,
  });
  const at = (seconds: number) => new VirtualClock(seconds * 1000);

  it.each([
    [59, otp(), "94287082"],
    [1_111_111_109, otp(), "07081804"],
    [1_234_567_890, otp(), "89005924"],
    [59, otp({ digits: 6 }), "287082"],
    [59, otp({ algorithm: "SHA256", seed: new Sensitive(base32.SHA256) }), "46119246"],
    [119, otp({ periodSeconds: 60 }), "94287082"],
  ])("are those of RFC 6238 at %i s", async (seconds, credentials, otp_code) => {
    await clientUnderTest(c2m.server.url, { clock: at(seconds), credentials }).call("issueLongTermToken");
    expect(c2m.issueBodies()).toEqual([{ ...common, grant_type: "client_credentials", otp_code }]);
    expect(c2m.server.requests[0]?.headers["x-client-id"]).toBe(clientId);
  });

  it("are used once: the next call waits for the next time step", async () => {
    const clock = at(1_111_111_109);
    const { call } = clientUnderTest(c2m.server.url, { clock, credentials: otp() });
    await call("issueLongTermToken");
    await clientUnderTest(c2m.server.url, { clock, credentials: otp() }).call("issueLongTermToken");
    expect(c2m.issueBodies().map((body) => body.otp_code)).toEqual(["07081804", "14050471"]);
    // Some seconds into it: C2M's clock may be behind.
    expect(clock.now()).toBe(1_111_111_113_000);
    // With a time step of its own, the third waits for nobody.
    await clock.advanceTo(1_234_567_890_000);
    await call("issueLongTermToken");
    expect(c2m.issueBodies().at(-1)?.otp_code).toBe("89005924");
    expect(clock.now()).toBe(1_234_567_893_000);
  });

  it("of two calls at once differ", async () => {
    const { call } = clientUnderTest(c2m.server.url, { clock: at(1_111_111_109), credentials: otp() });
    await Promise.all([call("issueLongTermToken"), call("issueLongTermToken")]);
    expect(new Set(c2m.issueBodies().map((body) => body.otp_code))).toEqual(new Set(["07081804", "14050471"]));
  });

  it("are each for a time step of its own, however many are made at once", async () => {
    const clock = at(1_111_111_109);
    const grants = await Promise.all([1, 2, 3].map(() => makeOtpGrant(otp(), clock, Number.POSITIVE_INFINITY)));
    expect(new Set(grants.map(({ otpCode }) => otpCode.reveal())).size).toBe(3);
  });

  it("are not repeated when an attempt is", async () => {
    c2m.server.script(json(429, {}), json(201, issued));
    await clientUnderTest(c2m.server.url, { clock: at(1_111_111_109), credentials: otp() }).call("issueLongTermToken");
    expect(c2m.issueBodies().map((body) => body.otp_code)).toEqual(["07081804", "14050471"]);
  });

  it("of other clients and other clocks stand alone", async () => {
    await clientUnderTest(c2m.server.url, { clock: at(59), credentials: otp() }).call("issueLongTermToken");
    await clientUnderTest(c2m.server.url, { clock: at(59), credentials: otp() }).call("issueLongTermToken");
    expect(c2m.issueBodies().map((body) => body.otp_code)).toEqual(["94287082", "94287082"]);
    const clock = at(59);
    for (const name of ["c2m_a", "c2m_b"]) {
      const credentials = async () => otp({ clientId: name });
      const client = createC2mClient({ baseUrl: c2m.server.url, clientId: name, credentials, clock });
      await client.issueLongTermToken({ scopes: [], lifetimeSeconds: 3600, deadline: 120_000 });
    }
    expect(clock.now()).toBe(59_000);
  });

  it.each([
    [73_000, 63_000],
    [72_999, 59_000],
  ])("are waited for only within the deadline (%i)", async (deadline, end) => {
    const clock = at(59);
    const { client } = clientUnderTest(c2m.server.url, { clock, credentials: otp() });
    const request = { scopes: [], lifetimeSeconds: 3600, deadline };
    await client.issueLongTermToken(request);
    const second = client.issueLongTermToken(request);
    if (end === 63_000) await second;
    else {
      const error = await errorOf(second);
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).toMatchObject({ code: "no_time", message: expect.stringContaining("one-time code") });
    }
    expect(clock.now()).toBe(end);
  });

  it("wait in a short time step for a third of it", async () => {
    const clock = at(59);
    const { call } = clientUnderTest(c2m.server.url, { clock, credentials: otp({ periodSeconds: 6 }) });
    await call("issueLongTermToken");
    await call("issueLongTermToken");
    expect(clock.now()).toBe(62_000);
  });

  it("need a seed in Base32", async () => {
    const credentials = otp({ seed: new Sensitive("hunter2-0189") });
    const error = await errorOf(clientUnderTest(c2m.server.url, { credentials }).call("issueLongTermToken"));
    expect(error).toMatchObject({ name: "PermanentError", code: "credentials_invalid" });
    expect(error.message).toBe("The credentials secret: otp_seed must be Base32.");
    expect(c2m.server.requests).toHaveLength(0);
  });
});
