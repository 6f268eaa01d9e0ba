import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { BundleUnderTest, clientId } from "./bundle-under-test.ts";

const scopes = ["jobs:submit", "tokens:revoke"];

describe("the rotator's archive", () => {
  let bundle: BundleUnderTest | undefined;
  afterEach(() => bundle?.stop());

  it("issues with a one-time code, by a library that is loaded for it", async () => {
    bundle = await BundleUnderTest.start({ client_id: clientId, otp_seed: "JBSWY3DPEHPK3PXP" });
    bundle.cloud.c2m.registerClient({ clientId, otpSeed: "JBSWY3DPEHPK3PXP", scopes });
    const told = await bundle.bootstrap();
    expect(told.error).toBeUndefined();
    expect(told.libraries).toEqual(["otpauth.js"]);
    expect(bundle.cloud.c2m.liveLongTokens()).toHaveLength(1);
  });

  it("issues with a signed assertion, by a library that is loaded for it", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    bundle = await BundleUnderTest.start({ client_id: clientId, private_key: pem, key_id: "one" });
    bundle.cloud.c2m.registerClient({ clientId, publicKeys: { one: publicKey.export({ format: "jwk" }) }, scopes });
    const told = await bundle.bootstrap();
    expect(told.error).toBeUndefined();
    expect(told.libraries).toEqual(["jose.js"]);
    expect(bundle.cloud.c2m.liveLongTokens()).toHaveLength(1);
  });
});
