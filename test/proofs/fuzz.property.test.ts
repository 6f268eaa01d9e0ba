import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEvent as parseReconcileEvent } from "../../lambdas/reconciler/event.ts";
import { parseEvent } from "../../lambdas/rotator/event.ts";
import { parseCredentials } from "../../src/c2m/credentials-secret.ts";
import { parseSettings } from "../../src/formats/settings.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { RotationError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { World } from "../harness/rotation-world.ts";

/** Stands in what is fed, and may stand in no error. */
const planted = "planted-secret-4c1d";

const hostileText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }).map((text) => `${text}${planted}`),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => `${planted}${Buffer.from(bytes).toString("latin1")}`),
);
const hostileValue = fc.oneof(fc.jsonValue(), fc.anything(), fc.constant(planted), hostileText);

/** An object with the fields that a schema knows, some of them missing, wrong, or not of it. */
function nearly(
  fields: Record<string, fc.Arbitrary<unknown>>,
  oddNames = ["__proto__", "constructor", "toString", planted],
): fc.Arbitrary<Record<string, unknown>> {
  const known = Object.fromEntries(
    Object.entries(fields).map(([name, right]) => [name, fc.oneof({ weight: 3, arbitrary: right }, hostileValue)]),
  );
  const odd = fc.dictionary(fc.constantFrom(...oddNames), hostileValue, {
    maxKeys: 2,
  });
  return fc.tuple(fc.record(known, { requiredKeys: [] }), odd).map(([right, wrong]) => ({ ...right, ...wrong }));
}

/** Runs a parser: it may refuse with an error of ours that does not tell what it was fed. */
function isSafe(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    expect(error).toBeInstanceOf(RotationError);
    const { message, stack = "", cause } = error as RotationError;
    for (const told of [message, stack, String(cause)]) expect(told.includes(planted)).toBe(false);
  }
}

const arn = fc.constant("arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/api-token-AbCdEf");
const json = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    value.map((one) => JSON.stringify(one) ?? ""),
    hostileText,
  );
const runs = { numRuns: 2_000 };

describe("hostile input is refused with an error of ours that tells nothing of it", () => {
  it("as an event of a rotation", () => {
    const event = nearly({
      Step: fc.constantFrom("createSecret", "finishSecret", "bootstrap"),
      SecretId: arn,
      ClientRequestToken: fc.string({ minLength: 32, maxLength: 64 }),
      RotationToken: fc.constant(planted),
    });
    fc.assert(
      fc.property(fc.oneof(event, hostileValue), (one) => isSafe(() => parseEvent(one))),
      runs,
    );
  });

  it("as an event of the reconciler", () => {
    const event = nearly({
      scope: fc.constantFrom("recent", "all"),
      graceSeconds: fc.nat(),
      secrets: fc.array(fc.string()),
    });
    fc.assert(
      fc.property(fc.oneof(event, hostileValue), (one) => isSafe(() => parseReconcileEvent(one))),
      runs,
    );
  });

  it("as the settings file", () => {
    // The file is ours, and a refusal names the fields that should not be there: no secret stands in their place.
    const oddNames = ["__proto__", "constructor", "surprise"];
    const tokenFields = {
      clientId: fc.string(),
      baseUrl: fc.webUrl(),
      scopes: fc.array(fc.string()),
      lifetimeSeconds: fc.nat(),
      graceSeconds: fc.nat(),
      pendingMaxAgeSeconds: fc.nat(),
      revocation: fc.boolean(),
    };
    const tokens = fc.dictionary(fc.string(), nearly(tokenFields, oddNames), { maxKeys: 2 });
    const file = nearly({ rotatorTimeoutSeconds: fc.nat(), tokens }, oddNames);
    fc.assert(
      fc.property(json(file), (text) => isSafe(() => parseSettings(text))),
      runs,
    );
  });

  it("as the credentials secret", () => {
    const secret = nearly({
      client_id: fc.string(),
      client_secret: fc.constant(planted),
      otp_seed: fc.string(),
      private_key: fc.constant(planted),
      private_keys: fc.dictionary(fc.string(), fc.constant(planted)),
      key_id: fc.string(),
    });
    fc.assert(
      fc.property(json(secret), (text) => isSafe(() => parseCredentials(text))),
      runs,
    );
  });

  it("as a stored value, which is then taken for somebody else's", () => {
    const value = nearly({
      access_token: fc.constant(planted),
      expires_at: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      client_id: fc.string(),
      token_id: fc.string(),
      scopes: fc.array(fc.string()),
    });
    fc.assert(
      fc.property(json(value), (text) => {
        const parsed = parseValue(new Sensitive(text));
        expect(["ours", "foreign"]).toContain(parsed.kind);
        expect(JSON.stringify(parsed).includes(planted) && parsed.kind === "foreign").toBe(false);
      }),
      runs,
    );
  });
});

describe("a hostile value in the secret", () => {
  const stored = fc.oneof(
    hostileText,
    nearly({
      access_token: fc.constantFrom(planted, `${planted}\r\nX-Evil: 1`),
      expires_at: fc.constantFrom("2027-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "soon"),
      client_id: fc.constantFrom("c2m_client", "other"),
      token_id: fc.constantFrom("tok_1", "../../revoke", "", planted.slice(0, 4)),
      base_url: fc.constant("https://evil.example"),
    }).map((value) => JSON.stringify(value)),
  );

  it("never stops a rotation with an error that is not ours, leaks nothing, and is kept", async () => {
    await fc.assert(
      fc.asyncProperty(stored, async (text) => {
        const world = new World({ initialValue: text === "" ? " " : text, knobs: { retry: "manual" } });
        await world.bootstrap().catch((error: unknown) => expect(error).toBeInstanceOf(RotationError));
        await world.enableRotation();
        await world.rotate();
        for (const failure of world.failures) expect(failure).toBeInstanceOf(RotationError);
        expect(JSON.stringify([world.log, world.metrics, world.failures.map(String)]).includes(planted)).toBe(false);
        const values = world.engine
          .listSecretVersionIds({ SecretId: world.arn, IncludeDeprecated: true })
          .Versions.map(
            ({ VersionId }) => world.engine.getSecretValue({ SecretId: world.arn, VersionId }).SecretString,
          );
        expect(values).toContain(text === "" ? " " : text);
      }),
      { numRuns: 150 },
    );
  });
});
