import { expect, it } from "vitest";
import { deployedLicences, installedLicences } from "../../tools/licences.ts";

it("everything that is deployed to Lambda has a licence that lets anybody deploy it", () => {
  const deployed = deployedLicences();
  expect([...deployed.keys()]).toEqual(
    expect.arrayContaining(["@aws-sdk/client-secrets-manager", "valibot", "jose", "otpauth"]),
  );
  for (const [name, licence] of deployed) expect(["Apache-2.0", "MIT", "MIT-0", "0BSD"], name).toContain(licence);
});

it("nothing that is installed with the package asks for its source in return", () => {
  for (const licence of installedLicences().keys()) expect(licence).not.toMatch(/GPL|SSPL|unknown/);
});
