import { describe, expect, test } from "vitest";
import { checkAnswer, checkExchange, checkRequest } from "../../c2m/contract.ts";
import type { C2mRequest } from "../../c2m/exchange.ts";
import type { C2mKnobs } from "../../c2m/knobs.ts";
import { clientId, clientSecret, letter, startLocalC2m } from "./local-c2m.ts";

const fields = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret };
const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const longHeaders = { "X-Client-Id": clientId, "Content-Type": "application/json" };
const long = (body: object, headers: Record<string, string> = longHeaders): C2mRequest => ({
  method: "POST",
  path: "/auth/tokens/long",
  headers,
  body: JSON.stringify(body),
});
const bearer = { Authorization: "Bearer abc" };
const json = { ...bearer, "Content-Type": "application/json" };
const short = (body: string, headers: Record<string, string> = json): C2mRequest => ({
  method: "POST",
  path: "/auth/tokens/short",
  headers,
  body,
});
const revoke = (changes: Partial<C2mRequest> = {}): C2mRequest => ({
  method: "POST",
  path: "/auth/tokens/tok_lt_b8e0aa/revoke",
  headers: bearer,
  body: "",
  ...changes,
});
const issued = {
  status: 201,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    token_type: "Bearer",
    access_token: "abc",
    expires_in: 3600,
    expires_at: "2026-01-01T01:00:00Z",
  }),
};
const issuedWith = (changes: object) => ({
  ...issued,
  body: JSON.stringify({ ...JSON.parse(issued.body), ...changes }),
});

describe("every answer of the local C2M conforms", () => {
  // startLocalC2m fails the test for each that does not.
  const settings: Partial<C2mKnobs>[] = [
    {},
    { issueStatus: 200, revokeAnswer: "200-json", expiresAtMilliseconds: true, transfer: "chunked" },
    { tokenIdInBody: false, tokenIdInHeader: false, scopesInBody: false, transfer: "gzip" },
    { ungrantedScopes: "drop", maximumTtlSeconds: 3600, tokenFormat: "opaque", tokenLength: 40 },
    { revokeDeadStatus: 404, revokeUnknownStatus: 204, selfRevocation: false, wrongCredentialsStatus: 401 },
    { errorBody: "message", insufficientScopeStatus: 401, rateLimitPerMinute: 5 },
    { errorBody: "html", retryAfter: "seconds", rateLimitPerMinute: 5 },
    { errorBody: "empty", retryAfter: "date", rateLimitPerMinute: 5 },
    { rateLimitedUntil: Date.parse("2027-01-01"), retryAfter: "date" },
  ];
  test.each(settings)("with %o", async (knobs) => {
    const c2m = await startLocalC2m(knobs);
    const issue = await c2m.issue();
    const token = issue.json.access_token;
    await c2m.issue({ client_secret: "wrong" });
    await c2m.issue({ ttl_seconds: 1 });
    await c2m.issue({ scopes: ["admin"] });
    await c2m.submit(token);
    await c2m.submit(token, {});
    await c2m.submit("dead");
    await c2m.exchange(token);
    await c2m.exchange("dead");
    await c2m.exchange(token, { scopes: ["admin"] });
    await c2m.revoke("unknown", token);
    await c2m.revoke(issue.json.token_id, token);
    await c2m.revoke(issue.json.token_id, token);
    expect(c2m.exchanges).toHaveLength(13);
  });
});

describe("a request conforms", () => {
  const conforming: [what: string, request: C2mRequest][] = [
    ["with a client secret", long({ ...fields, scopes: ["a"], ttl_seconds: 3600 })],
    ["with a one-time code", long({ ...fields, client_secret: undefined, otp_code: "123456" })],
    [
      "with an assertion",
      long({ grant_type: "assertion", client_id: clientId, assertion_type: jwtBearer, assertion: "a.b.c" }),
    ],
    ["with a short token", long({ ...fields, client_secret: undefined }, json)],
    [
      "with a short token and X-Client-Id",
      long({ ...fields, client_secret: undefined }, { ...json, "X-Client-Id": clientId }),
    ],
    ["that exchanges without a body", short("", bearer)],
    ["that exchanges for one scope", short('{"scopes":["a"]}')],
    ["that submits", { ...short(JSON.stringify(letter)), path: "/static" }],
    ["that revokes", revoke()],
    ["that revokes an encoded id", revoke({ path: "/auth/tokens/a%2Fb/revoke" })],
  ];
  test.each(conforming)("%s", (_what, request) => {
    expect(checkRequest(request)).toEqual([]);
  });
});

describe("a request is reported", () => {
  const broken: [what: string, request: C2mRequest, problem: RegExp][] = [
    ["below a doubled /auth", revoke({ path: "/auth/auth/tokens/long" }), /not an operation/],
    ["with another method", revoke({ method: "DELETE" }), /not an operation/],
    ["with an id that is not encoded", revoke({ path: "/auth/tokens/a/b/revoke" }), /not an operation/],
    ["without authorization", long(fields, { "content-type": "application/json" }), /needs one of ClientKey/],
    ["with a bearer token and a secret", long(fields, json), /alternatives/],
    ["with X-Client-Id where it does not belong", revoke({ headers: { ...bearer, "x-client-id": "a" } }), /ClientKey/],
    ["with basic authorization", revoke({ headers: { authorization: "Basic abc" } }), /not a bearer token/],
    ["with two mechanisms", long({ ...fields, otp_code: "123456" }), /exactly one schema/],
    [
      "with an assertion of no type",
      long({ grant_type: "assertion", client_id: "a", assertion: "x" }),
      /assertion_type/,
    ],
    ["with an unknown field", long({ ...fields, name: "x" }), /additional properties/],
    ["with a lifetime out of range", long({ ...fields, ttl_seconds: 3599 }), /ttl_seconds must be >= 3600/],
    ["without a client_id", long({ ...fields, client_id: undefined }), /client_id/],
    ["without a body", { ...long({}), body: "" }, /no body/],
    ["with a body that is not JSON", { ...long({}), body: "{" }, /not JSON/],
    [
      "with another content type",
      long(fields, { "x-client-id": clientId, "content-type": "text/plain" }),
      /content-type/,
    ],
    ["with a revoke's body", revoke({ body: "{}" }), /takes none/],
    [
      "with a submission's template beside its options",
      { ...short(JSON.stringify({ ...letter, jobTemplate: "a", jobOptions: {} })), path: "/static" },
      /must NOT be valid/,
    ],
    ["with a field unknown to the exchange", short('{"ttl_seconds":60}'), /additional properties/],
  ];
  test.each(broken)("%s", (_what, request, problem) => {
    expect(checkRequest(request).join("; ")).toMatch(problem);
  });

  test("without repeating what is in it", () => {
    const token = "secret-token";
    const request = long({ ...fields, client_secret: 1, otp_code: token, ttl_seconds: token });
    const problems = checkRequest(request);
    expect(problems).not.toEqual([]);
    expect(problems.join()).not.toContain(token);
  });
});

describe("an answer conforms", () => {
  test.each([
    ["with the required fields", issued],
    ["with fields that nobody knows", issuedWith({ region: "us" })],
    ["with details", { status: 400, headers: issued.headers, body: '{"code":"a","message":"b","details":{"c":1}}' }],
    ["empty, from the gateway", { status: 403, headers: {}, body: "" }],
  ])("%s", (_what, answer) => {
    expect(checkAnswer(long(fields), answer)).toEqual([]);
  });
});

describe("an answer is reported", () => {
  test.each([
    ["without expires_at", long(fields), issuedWith({ expires_at: undefined }), /expires_at/],
    ["with an expires_at that is no time", long(fields), issuedWith({ expires_at: "soon" }), /date-time/],
    ["with expires_in as a text", long(fields), issuedWith({ expires_in: "3600" }), /expires_in/],
    ["of another token type", long(fields), issuedWith({ token_type: "MAC" }), /token_type/],
    ["with a status that is not declared", short(""), { ...issued, status: 403 }, /not declared/],
    [
      "with an empty X-Token-Id",
      long(fields),
      { ...issued, headers: { ...issued.headers, "x-token-id": "" } },
      /X-Token-Id/,
    ],
    [
      "with an error of the auth API for a submission",
      { ...short(""), path: "/static" },
      { ...issued, status: 401, body: '{"code":"invalid_token","message":"No"}' },
      /exactly one schema/,
    ],
    ["204 with a body", revoke(), { status: 204, headers: {}, body: "{}" }, /none is declared/],
    ["with an error that has no message", revoke(), { ...issued, status: 401, body: '{"code":"a"}' }, /message/],
    [
      "429 with a Retry-After that is neither",
      long(fields),
      { status: 429, headers: { "retry-after": "soon" }, body: "" },
      /Retry-After/,
    ],
  ])("%s", (_what, request, answer, problem) => {
    expect(checkAnswer(request, answer).join("; ")).toMatch(problem);
  });
});

test("an exchange is its request and its answer together", () => {
  const problems = checkExchange(long({ ...fields, name: "x" }), { ...issued, status: 418 });
  expect(problems.map((problem) => problem.split(":")[0])).toEqual(expect.arrayContaining(["request", "answer"]));
});

test("the stand-in for the business API is not described, and passes", () => {
  const request = { method: "GET", path: "/account", headers: bearer, body: "" };
  expect(checkExchange(request, { status: 200, headers: {}, body: "anything" })).toEqual([]);
});
