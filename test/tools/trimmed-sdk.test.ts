import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BundleUnderTest, clientId, clientSecret, secretName } from "./bundle-under-test.ts";

describe("the rotator's bundle, with its trimmed SDK,", () => {
  let bundle: BundleUnderTest;
  beforeEach(async () => {
    bundle = await BundleUnderTest.start();
    bundle.cloud.c2m.registerClient({ clientId, clientSecret, scopes: ["jobs:submit", "tokens:revoke"] });
  });
  afterEach(() => bundle.stop());

  const statuses = (operation: string) =>
    bundle.cloud.calls.calls.filter((call) => call.operation === operation).map(({ status }) => status);

  it("signs with the credentials of the Lambda environment", async () => {
    const told = await bundle.bootstrap();
    expect(told.error).toBeUndefined();
    expect(bundle.cloud.secretsManager.engine.getSecretValue({ SecretId: secretName }).SecretString).toContain("tok_");
  });

  it("signs with a role's session token too", async () => {
    const { identities, accountId } = bundle.cloud;
    const key = identities.issue({ kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/session` });
    identities.adopt({ kind: "administrator", accountId, arn: "session" }, { ...key, sessionToken: "session-token" });
    const environment = {
      ...bundle.environment(),
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    };
    expect((await bundle.bootstrap({ ...environment, AWS_SESSION_TOKEN: "session-token" })).error).toBeUndefined();
    expect((await bundle.bootstrap({ ...environment, AWS_SESSION_TOKEN: "another" })).error).toContain(
      "UnrecognizedClient",
    );
  });

  it("repeats a call that was throttled, and one whose connection was cut", async () => {
    const service = "secretsmanager";
    const operation = "DescribeSecret";
    const throttling = { kind: "error", status: 400, code: "ThrottlingException", message: "Rate exceeded" } as const;
    bundle.cloud.faults.add({ service, operation, fault: throttling });
    bundle.cloud.faults.add({ service, operation, nth: 2, fault: { kind: "cut", when: "before" } });
    expect((await bundle.bootstrap()).error).toBeUndefined();
    expect(statuses(operation).slice(0, 3)).toEqual([400, 0, 200]);
  });

  it("does not repeat what was refused", async () => {
    const denied = { kind: "error", status: 400, code: "AccessDeniedException", message: "no" } as const;
    bundle.cloud.faults.add({ service: "secretsmanager", operation: "DescribeSecret", times: 5, fault: denied });
    expect((await bundle.bootstrap()).error).toContain("AccessDeniedException");
    expect(statuses("DescribeSecret")).toEqual([400]);
  });

  it("loads no fetch, and no library of another mechanism", async () => {
    expect(await bundle.bootstrap()).toMatchObject({ result: expect.anything(), undici: [], libraries: [] });
  });

  describe("outside of Lambda", () => {
    let home: string;
    beforeEach(() => {
      home = mkdtempSync(join(tmpdir(), "c2m-home-"));
      mkdirSync(join(home, ".aws"));
      writeFileSync(
        join(home, ".aws", "credentials"),
        "[default]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret\n",
      );
    });
    afterEach(() => rmSync(home, { recursive: true }));

    it("says that there are no credentials, looks for no profile, and calls nobody", async () => {
      const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, ...environment } = bundle.environment();
      const { error } = await bundle.bootstrap({ ...environment, HOME: home });
      expect(error).toContain("There are no AWS credentials");
      expect(bundle.cloud.calls.calls).toEqual([]);
    });
  });
});
