import { describe, expect, it } from "vitest";
import type { IssuedToken, RevokeAnswer } from "../../src/ports/c2m.ts";
import { AmbiguousError, PermanentError, RetryableError } from "../../src/ports/errors.ts";
import { clientUnderTest, errorOf, issued, json, type Operation, operations } from "../harness/client-under-test.ts";
import type { Script } from "../harness/scripted-server.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();

/** Has the server answer everything like this, and calls. */
function answered(operation: Operation, script: Script) {
  c2m.server.script(script);
  c2m.server.requests.length = 0;
  return clientUnderTest(`${c2m.server.url}/v2`).call(operation);
}

const html = { "content-type": "text/html" };
/** Every shape in which a gateway or C2M may write an error that has this code. */
const errorBodies = (code: string): [string, Script & object][] => [
  ["with a code", json(0, { code, message: "m", details: {} })],
  ["with a message only", json(0, { message: "Forbidden" })],
  ["with a status before the code", json(0, { status: 0, code, message: "m" })],
  ["as HTML", { status: 0, headers: html, body: "<html>no</html>" }],
  ["without a body", { status: 0 }],
  ["with an unknown code", json(0, { code: "toString", message: "m" })],
  ["with the code in another case", json(0, { code: code.toUpperCase(), message: "m" })],
  ["with the code one level down", json(0, { error: { code, message: "m" } })],
  ["with a list", json(0, [{ code }])],
  ["as a page that quotes it", { status: 0, headers: html, body: `<script>last = {"code":"${code}"}</script>` }],
  ["as a text that quotes it", { status: 0, body: `upstream said {"code":"${code}"}` }],
  ["with null", json(0, null)],
  ["of the wrong content type", { ...json(0, { code }), headers: html }],
  ["cut off after the code", { status: 0, body: `{"code":"${code}","message":"…"}`, cutAfter: 40 }],
];

/** The shapes of them that say the code. */
const withCode = [
  "with a code",
  "with a status before the code",
  "of the wrong content type",
  "cut off after the code",
];

describe("a 401 of an exchange", () => {
  it.each(errorBodies("invalid_token"))(
    "%s: only C2M's own code says that the token is not valid",
    async (shape, script) => {
      const outcome = withCode.includes(shape) ? "invalid_token" : "unauthorized";
      expect(await answered("issueShortTermToken", { ...script, status: 401 })).toEqual({ outcome });
      expect(c2m.server.requests).toHaveLength(1);
    },
  );

  it("with another code of C2M's does not say it either", async () => {
    expect(await answered("issueShortTermToken", json(401, { code: "invalid_grant" }))).toEqual({
      outcome: "unauthorized",
    });
  });
});

describe("a status that C2M documents", () => {
  // Per operation and status: the code in the body, the error's code when the body says it, and when it does not.
  const table: [Operation, number, string, string, string][] = [
    ["issueLongTermToken", 400, "invalid_grant", "invalid_grant", "invalid_request"],
    ["issueLongTermToken", 400, "invalid_client", "invalid_client", "invalid_request"],
    ["issueLongTermToken", 400, "invalid_scope", "invalid_scope", "invalid_request"],
    ["issueLongTermToken", 400, "unauthorized_client", "unauthorized_client", "invalid_request"],
    ["issueLongTermToken", 400, "unsupported_grant_type", "unsupported_grant_type", "invalid_request"],
    ["issueLongTermToken", 401, "invalid_grant", "invalid_grant", "unauthorized"],
    ["issueLongTermToken", 401, "invalid_client", "invalid_client", "unauthorized"],
    ["issueLongTermToken", 401, "invalid_token", "invalid_token", "unauthorized"],
    ["issueLongTermToken", 403, "insufficient_scope", "insufficient_scope", "forbidden"],
    ["issueLongTermToken", 404, "not_found", "not_found", "not_found"],
    ["issueLongTermToken", 422, "invalid_request", "invalid_request", "invalid_request"],
    ["issueShortTermToken", 400, "invalid_request", "invalid_request", "invalid_request"],
    ["issueShortTermToken", 400, "invalid_token", "invalid_token", "invalid_request"],
    ["issueShortTermToken", 403, "insufficient_scope", "insufficient_scope", "forbidden"],
    ["issueShortTermToken", 404, "not_found", "not_found", "not_found"],
    ["revokeToken", 400, "invalid_request", "invalid_request", "invalid_request"],
  ];
  const cases = table.flatMap(([operation, status, code, said, unsaid]) =>
    errorBodies(code).map(([shape, script]) => {
      const saysCode = withCode.includes(shape);
      return { operation, status, code, shape, script: { ...script, status }, expected: saysCode ? said : unsaid };
    }),
  );

  it.each(cases)(
    "$operation: $status $code $shape is permanent: $expected",
    async ({ operation, status, script, expected }) => {
      const error = await errorOf(answered(operation, script));
      expect(error).toBeInstanceOf(PermanentError);
      expect(error).toMatchObject({ code: expected });
      expect(error.message).toContain(`${operation}: C2M answered HTTP ${status} (${expected}). `);
      // What to do follows.
      expect(error.message).toMatch(/\. \S.{20,}\.$/);
      expect(c2m.server.requests).toHaveLength(1);
    },
  );
});

const checkCredentials =
  "Check the client id and the credentials in the credentials secret, and that they were made for the C2M at the base_url.";
const checkScopes = "Check the scopes in the settings against those that C2M allows this client.";
const checkBaseUrl = "Check the base_url in the settings: scheme, host, stage and version, without /auth.";
const noReason = "C2M or a gateway before it does not say why.";

it.each([
  [400, "invalid_grant", checkCredentials],
  [400, "invalid_client", checkCredentials],
  [400, "unauthorized_client", "Ask C2M to allow this client the mechanism in the settings, or choose another one."],
  [400, "unsupported_grant_type", "Choose another mechanism in the settings; C2M does not know this one."],
  [400, "invalid_scope", checkScopes],
  [403, "insufficient_scope", `${checkScopes} The mechanism short_token needs tokens:write besides.`],
  [401, "invalid_token", "The token is expired, revoked or not one of C2M's: it has to be replaced."],
  [
    422,
    "invalid_request",
    "Check the scopes and the lifetime in the settings; if they are right, this release does not fit C2M's API.",
  ],
  [404, "not_found", checkBaseUrl],
  [302, "redirected", `Redirects are not followed, since credentials go to the base_url only. ${checkBaseUrl}`],
  [401, "unauthorized", `${noReason} ${checkCredentials} ${checkBaseUrl}`],
  [403, "forbidden", `${noReason} ${checkBaseUrl}`],
])("an issue call that is answered %i and %s tells what to do", async (status, code, remedy) => {
  const { message } = await errorOf(answered("issueLongTermToken", json(status, { code, message: "m" })));
  expect(message).toBe(`issueLongTermToken: C2M answered HTTP ${status} (${code}). ${remedy}`);
});

it.each(
  operations.flatMap((operation) => [300, 301, 302, 303, 307, 308, 399].map((status) => ({ operation, status }))),
)("$operation: the redirect $status is refused", async ({ operation, status }) => {
  const error = await errorOf(answered(operation, { status, headers: { location: `${c2m.server.url}/elsewhere` } }));
  expect(error).toBeInstanceOf(PermanentError);
  expect(error).toMatchObject({ code: "redirected" });
  expect(c2m.server.requests).toHaveLength(1);
});

describe.each([408, 500, 502, 503, 504, 599])("HTTP %i", (status) => {
  it("is ambiguous for issueLongTermToken, and not repeated", async () => {
    const error = await errorOf(answered("issueLongTermToken", json(status, { message: "Internal server error" })));
    expect(error).toBeInstanceOf(AmbiguousError);
    expect(error).toMatchObject({ code: "server_error", tokenId: undefined });
    expect(error.message).toContain(`HTTP ${status}`);
    expect(error.message).toContain("its id is not known");
    expect(c2m.server.requests).toHaveLength(1);
  });

  it("tells the id of the token that issueLongTermToken may have made", async () => {
    const error = await errorOf(answered("issueLongTermToken", { status, headers: { "x-token-id": "tok_lost" } }));
    expect(error).toMatchObject({ code: "server_error", tokenId: "tok_lost" });
    expect(error.message).toContain("revoke it by its id");
  });

  it.each(["issueShortTermToken", "revokeToken"] as const)("is repeated for %s", async (operation) => {
    const error = await errorOf(answered(operation, { status, body: "<html>" }));
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code: "server_error" });
    expect(error.message).toContain(`${operation}: C2M answered HTTP ${status}.`);
    expect(c2m.server.requests).toHaveLength(8);
  });
});

it.each(operations)("%s: 429 is repeated, since nothing was done", async (operation) => {
  const error = await errorOf(answered(operation, json(429, { code: "rate_limited", message: "Too many" })));
  expect(error).toBeInstanceOf(RetryableError);
  expect(error).toMatchObject({ code: "rate_limited", retryAfterMs: undefined });
  expect(error.message).toContain(`${operation}: C2M answered HTTP 429`);
  expect(c2m.server.requests).toHaveLength(8);
});

describe.each(["issueLongTermToken", "issueShortTermToken"] as const)("%s", (operation) => {
  const token = async (script: Script): Promise<IssuedToken> => {
    const answer = (await answered(operation, script)) as IssuedToken | { outcome: "works"; token: IssuedToken };
    return "outcome" in answer ? answer.token : answer;
  };

  it.each([200, 201, 202])("takes a token with HTTP %i", async (status) => {
    const result = await token(json(status, { ...issued, unknown_field: { a: 1 } }));
    expect(result.accessToken.reveal()).toBe(issued.access_token);
    expect(result).toEqual({
      accessToken: expect.anything(),
      tokenType: "Bearer",
      tokenId: "tok_lt_b8e0aa",
      headerTokenId: undefined,
      scopes: ["jobs:submit", "tokens:revoke"],
      expiresAt: "2026-11-21T19:00:00Z",
      lifetimeSeconds: 7_200,
    });
  });

  it("does not care about the content type", async () => {
    const result = await token({ ...json(201, issued), headers: { "content-type": "text/plain" } });
    expect(result.accessToken.reveal()).toBe(issued.access_token);
  });

  it.each([
    ["the body before the header", issued, "tok_lt_b8e0aa"],
    ["the header where the body has none", { ...issued, token_id: undefined }, "tok_header"],
    ["the header where the body's is empty", { ...issued, token_id: "" }, "tok_header"],
    ["the header where the body's is no text", { ...issued, token_id: 17 }, "tok_header"],
    ["the header where the body's is a list", { ...issued, token_id: ["tok_listed"] }, "tok_header"],
    ["the header where the body's is a step in a path", { ...issued, token_id: ".." }, "tok_header"],
    ["the header where the body's can't be encoded", { ...issued, token_id: "\ud800" }, "tok_header"],
    ["the header where the body's is endless", { ...issued, token_id: "x".repeat(257) }, "tok_header"],
    ["the body where it is just not endless", { ...issued, token_id: "x".repeat(256) }, "x".repeat(256)],
  ])("takes the id from %s", async (_, body, tokenId) => {
    expect(await token(json(201, body, { "x-token-id": "tok_header" }))).toMatchObject({ tokenId });
  });

  it("takes both ids where the header's is another than the body's, and one where they are the same", async () => {
    expect(await token(json(201, issued, { "x-token-id": "tok_header" }))).toMatchObject({
      tokenId: "tok_lt_b8e0aa",
      headerTokenId: "tok_header",
    });
    for (const header of ["tok_lt_b8e0aa", ".."]) {
      const result = await token(json(201, issued, { "x-token-id": header }));
      expect(result).toMatchObject({ tokenId: "tok_lt_b8e0aa", headerTokenId: undefined });
    }
  });

  it.each([
    ["tok_header, tok_header", undefined, "tok_header", undefined],
    ["tok_lt_b8e0aa, tok_lt_b8e0aa", issued.token_id, "tok_lt_b8e0aa", undefined],
    ["tok_lt_b8e0aa, tok_header", issued.token_id, "tok_lt_b8e0aa", "tok_header"],
    ["tok_a, tok_b", undefined, "tok_a", "tok_b"],
    ["tok,with:signs", undefined, "tok,with:signs", undefined],
  ])("takes the ids from a header that comes twice: %s (row 21)", async (header, token_id, tokenId, headerTokenId) => {
    const result = await token(json(201, { ...issued, token_id }, { "x-token-id": header }));
    expect(result).toMatchObject({ tokenId, headerTokenId });
  });

  it("knows no id where C2M gives none", async () => {
    expect(await token(json(201, { ...issued, token_id: undefined }))).toMatchObject({ tokenId: undefined });
    expect(await token(json(201, { ...issued, token_id: "." }))).toMatchObject({ tokenId: undefined });
    const another = { ...issued, token_id: undefined, replaces: { token_id: "tok_other" } };
    expect(await token(json(201, another))).toMatchObject({ tokenId: undefined });
  });

  it.each([
    ["with milliseconds", "2026-11-21T19:00:00.123Z"],
    ["without milliseconds", "2026-11-21T19:00:00Z"],
    ["with an offset", "2026-11-22T00:30:00+05:30"],
    ["that is past by the five minutes that clocks may differ", "2026-11-21T16:55:00Z"],
  ])("takes an expires_at %s as it is written", async (_, expires_at) => {
    expect(await token(json(201, { ...issued, expires_at }))).toMatchObject({ expiresAt: expires_at });
  });

  it.each([
    undefined,
    "soon",
    "2026-11-21T19:00:00",
    "2026-13-41T19:00:00Z",
    "x2026-11-21T19:00:00Z",
    1795287600,
    "2026-11-21",
  ])("reckons the end from expires_in where expires_at is %j", async (expires_at) => {
    expect(await token(json(201, { ...issued, expires_at }))).toMatchObject({ expiresAt: "2026-11-21T19:00:00.000Z" });
  });

  it.each([undefined, "7200", 0, -1, 315_360_001, null])(
    "needs no expires_in (%j) beside expires_at",
    async (expires_in) => {
      expect(await token(json(201, { ...issued, expires_in }))).toMatchObject({ expiresAt: issued.expires_at });
    },
  );

  // 7,200 s and 1 s from C2M's own time to the end, and what is no lifetime.
  it.each([
    ["Sat, 21 Nov 2026 17:00:00 GMT", issued.expires_at, 7_200],
    ["Sat, 21 Nov 2026 18:59:59 GMT", issued.expires_at, 1],
    ["Sat, 21 Nov 2026 19:00:00 GMT", issued.expires_at, undefined],
    ["Sat, 21 Nov 2026 17:00:00 GMT", "2036-11-18T17:00:00Z", 315_360_000],
    ["Sat, 21 Nov 2026 17:00:00 GMT", "2036-11-18T17:00:01Z", undefined],
    ["some day", issued.expires_at, undefined],
  ])("without expires_in, answered at %s, ends at %s after %j seconds", async (date, expires_at, lifetimeSeconds) => {
    const answer = json(201, { ...issued, expires_at, expires_in: undefined }, { date });
    expect(await token(answer)).toMatchObject({ expiresAt: expires_at, lifetimeSeconds });
  });

  it.each([undefined, "jobs:submit", [1], null])("takes scopes of %j for not said", async (scopes) => {
    expect(await token(json(201, { ...issued, scopes }))).toMatchObject({ scopes: undefined });
  });

  it("takes Bearer for the token type where there is none", async () => {
    expect(await token(json(201, { ...issued, token_type: undefined }))).toMatchObject({ tokenType: "Bearer" });
    expect(await token(json(201, { ...issued, token_type: "bearer" }))).toMatchObject({ tokenType: "bearer" });
  });

  const noToken = "it is not a JSON object with a usable access_token";
  const whole = JSON.stringify(issued);
  const unusable: [string, Script & object, string][] = [
    ["without an access token", json(201, { ...issued, access_token: undefined }), noToken],
    ["with an empty access token", json(201, { ...issued, access_token: "" }), noToken],
    ["with a token that no header can carry", json(201, { ...issued, access_token: "a\nb" }), noToken],
    ["with a token in another script", json(201, { ...issued, access_token: "tökén" }), noToken],
    ["with a token that is no text", json(201, { ...issued, access_token: { a: 1 } }), noToken],
    [
      "without any end",
      json(201, { ...issued, expires_at: undefined, expires_in: undefined }),
      "neither its expires_at nor its expires_in is usable",
    ],
    [
      "with an end that nobody can reckon",
      json(201, { ...issued, expires_at: "x", expires_in: 315_360_001 }),
      "neither its expires_at",
    ],
    ["with no time left", json(201, { ...issued, expires_at: "x", expires_in: 0 }), "neither its expires_at"],
    [
      "that has ended",
      json(201, { ...issued, expires_at: "2026-11-21T16:54:59Z", expires_in: undefined }),
      "its expires_at is in the past",
    ],
    ["that is an array", json(201, [issued]), noToken],
    ["that is null", json(201, null), noToken],
    ["that is HTML", { status: 201, headers: html, body: "<html></html>" }, noToken],
    ["that is empty", { status: 201 }, noToken],
    ["with HTTP 204", { status: 204 }, noToken],
    ["cut off", { status: 201, body: whole, cutAfter: whole.length - 1 }, "its body was cut off"],
  ];

  it.each(unusable)("has no use for an answer %s", async (_, script, problem) => {
    const error = await errorOf(
      answered(operation, { ...script, headers: { ...script.headers, "x-token-id": "tok_h" } }),
    );
    const issues = operation === "issueLongTermToken";
    expect(error).toBeInstanceOf(issues ? AmbiguousError : RetryableError);
    expect(error).toMatchObject({ code: "bad_answer" });
    expect(error.message).toContain(`${operation}: C2M answered HTTP ${script.status}, but ${problem}`);
    expect(c2m.server.requests).toHaveLength(issues ? 1 : 8);
    if (issues) expect(error.tokenId).toMatch(/^tok_/);
  });
});

/** By a clock of ours that is ahead of C2M's by hours. */
describe("a token that has ended by our clock, of which C2M tells a lifetime,", () => {
  const expires_at = "2026-11-21T13:00:00Z";
  it.each([
    ["in expires_in", json(201, { ...issued, expires_at })],
    [
      "by its own clock",
      json(201, { ...issued, expires_at, expires_in: undefined }, { date: "Sat, 21 Nov 2026 12:45:00 GMT" }),
    ],
  ])("%s: a short one is taken, and a long one is of no use", async (_, script) => {
    expect(await answered("issueShortTermToken", script)).toMatchObject({ outcome: "works" });
    const error = await errorOf(answered("issueLongTermToken", script));
    expect(error).toMatchObject({ code: "bad_answer", tokenId: issued.token_id });
    expect(error.message).toContain("its expires_at is in the past; compare the clocks");
  });
});

describe("an error that was cut off", () => {
  it.each([
    ['{"code":"invalid_token","details":', "invalid_token"],
    [' {\n "message" : "say \\"no\\", \\\\" , "reason":"","code" : "invalid_token" , "details":', "invalid_token"],
    ['{"code":"invalid_tok', "unauthorized"],
    ['{"details":{"code":"invalid_token"},"message":', "unauthorized"],
    ['{"message":"\\"code\\":\\"invalid_token\\"","details":', "unauthorized"],
    ['{"message":"m" "code":"invalid_token","details":', "unauthorized"],
    ['x{"code":"invalid_token","details":', "unauthorized"],
  ])("%s: says no more than its own code", async (body, outcome) => {
    const script = { status: 401, body: `${body}${" ".repeat(9)}`, cutAfter: Buffer.byteLength(body) };
    expect(await answered("issueShortTermToken", script)).toEqual({ outcome });
  });
});

it("finds the id in an answer that was cut off after it", async () => {
  const body = JSON.stringify({ token_id: "tok_early", access_token: "x".repeat(500) });
  const error = await errorOf(answered("issueLongTermToken", { status: 201, body, cutAfter: 60 }));
  expect(error).toMatchObject({ code: "bad_answer", tokenId: "tok_early" });
});

it("does not take half an id for one", async () => {
  const body = JSON.stringify({ token_id: "tok_early", access_token: "x".repeat(500) });
  const error = await errorOf(answered("issueLongTermToken", { status: 201, body, cutAfter: 18 }));
  expect(error).toMatchObject({ code: "bad_answer", tokenId: undefined });
});

describe("revokeToken", () => {
  it.each<[string, Script, RevokeAnswer]>([
    ["204", { status: 204 }, "revoked"],
    ["404 with C2M's code", json(404, { code: "not_found", message: "no such token" }), "revoked"],
    ["200 with JSON", json(200, { revoked: true }), "claimed"],
    ["200 with an HTML page", { status: 200, headers: html, body: "<html>" }, "unclear"],
    ["202 without a body", { status: 202 }, "unclear"],
    ["200 with a text in JSON", json(200, "OK"), "unclear"],
    ["200 with null", json(200, null), "unclear"],
    ["200 with a list", json(200, []), "unclear"],
    ["200 with an empty object", json(200, {}), "claimed"],
    ["200 with a text", { status: 200, body: "OK" }, "unclear"],
    ["204 with a body", { status: 204, headers: html, body: "<html>" }, "revoked"],
    ["200 with half a body", { status: 200, body: "{}{}{}", cutAfter: 2 }, "unclear"],
    ["404 of a gateway", json(404, { message: "Not Found" }), "not_found"],
    ["404 without a body", { status: 404 }, "not_found"],
    ["401 with C2M's code", json(401, { code: "invalid_token" }), "refused"],
    ["403 with C2M's code", json(403, { code: "insufficient_scope" }), "refused"],
    [
      "404 of a gateway that quotes the code",
      { status: 404, headers: html, body: '<p>{"code":"not_found"}</p>' },
      "not_found",
    ],
    ["404 with an error of another shape", json(404, { error: "not_found" }), "not_found"],
    ["404 with the code in another case", json(404, { code: "NOT_FOUND" }), "not_found"],
    ["403 with a gateway's own code", json(403, { code: "AccessDenied", message: "m" }), "unclear"],
    ["403 with a number for a code", json(403, { code: 403, message: "m" }), "unclear"],
    ["403 with a gateway's rule for a code", json(403, { code: "waf_rule_1020", message: "m" }), "unclear"],
    ["403 with a list for a code", json(403, { code: ["insufficient_scope"] }), "unclear"],
    ["403 with null for a code", json(403, { code: null }), "unclear"],
    ["401 with a number in a text", json(401, { code: "401", message: "m" }), "unclear"],
    ["401 of a gateway", json(401, { message: "Unauthorized" }), "unclear"],
    ["403 of a firewall", { status: 403, headers: html, body: "<html>" }, "unclear"],
  ])("answered %s is asked once", async (_, script, expected) => {
    expect(await answered("revokeToken", script)).toBe(expected);
    expect(c2m.server.requests).toHaveLength(1);
  });
});
