import fc from "fast-check";
import { expect, it } from "vitest";
import type { HttpAnswer } from "../../src/c2m/http.ts";
import type { Exchange, IssuedToken, RevokeAnswer } from "../../src/ports/c2m.ts";
import { RotationError } from "../../src/ports/errors.ts";
import { clientUnderTest, issued, operations } from "../harness/client-under-test.ts";

const odd = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.double(),
  fc.constant(null),
  fc.boolean(),
  fc.array(fc.string()),
);
/** A body much like C2M's in which any field may be anything, or gone. */
const nearlyIssued = fc
  .record(
    Object.fromEntries(
      Object.entries(issued).map(([name, value]) => [
        name,
        fc.oneof({ weight: 3, arbitrary: fc.constant<unknown>(value) }, { weight: 1, arbitrary: odd }),
      ]),
    ),
    { requiredKeys: [] },
  )
  .map((body) => JSON.stringify(body));

const answer: fc.Arbitrary<HttpAnswer> = fc.record({
  status: fc.oneof(fc.constantFrom(200, 201, 400, 401, 403, 404, 429, 500), fc.integer({ min: 200, max: 599 })),
  headers: fc.record({
    "x-token-id": fc.option(fc.oneof(fc.string(), fc.constant("tok_header")), { nil: undefined }),
    "retry-after": fc.option(fc.oneof(fc.string(), fc.integer().map(String)), { nil: undefined }),
  }),
  body: fc.oneof(
    { weight: 4, arbitrary: nearlyIssued },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string() },
  ),
  bodyFault: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "cut_off" as const,
        "timed_out" as const,
        "too_large" as const,
        "undecodable" as const,
      ),
    },
  ),
});

it("whatever is answered, a call gives a usable token or an error that says what to do", async () => {
  const seen = { tokens: 0, errors: 0 };
  await fc.assert(
    fc.asyncProperty(answer, fc.constantFrom(...operations), async (given, operation) => {
      const { call } = clientUnderTest("https://c2m.invalid", { send: async () => given });
      try {
        const result = (await call(operation)) as IssuedToken | Exchange | RevokeAnswer;
        if (typeof result === "string") {
          expect(["revoked", "claimed", "refused", "not_found", "unclear"]).toContain(result);
          // Only what C2M itself says counts.
          if (result === "revoked" && given.status !== 204) expect(given.body).toContain("not_found");
          return;
        }
        if ("outcome" in result && result.outcome !== "works") return;
        const token = "outcome" in result ? result.token : result;
        seen.tokens += 1;
        expect(token.accessToken.reveal()).toMatch(/^[!-~]+$/);
        expect(Date.parse(token.expiresAt)).not.toBeNaN();
        // An id that was taken must be one that can be put into a URL.
        if (token.tokenId !== undefined) expect(encodeURIComponent(token.tokenId)).not.toMatch(/^\.{0,2}$/);
      } catch (error) {
        seen.errors += 1;
        expect(error).toBeInstanceOf(RotationError);
        expect((error as RotationError).message).toMatch(/\.$/);
        expect((error as RotationError).cause).toBeUndefined();
      }
    }),
    { numRuns: 2_000 },
  );
  expect(seen.tokens).toBeGreaterThan(50);
  expect(seen.errors).toBeGreaterThan(50);
});
