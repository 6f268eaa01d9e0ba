import { describe, expect, test } from "vitest";
import { C2mEngine } from "../../c2m/engine.ts";
import { VirtualClock } from "../../clock.ts";
import { address, allScopes, clientId, letter, startLocalC2m } from "./local-c2m.ts";

const jobOptions = {
  documentClass: "Letter 8.5 x 11",
  layout: "Address on Separate Page",
  productionTime: "Next Day",
  envelope: "#10 Double Window",
  color: "Black and White",
  paperType: "White 24#",
  printOption: "Printing both sides",
  mailClass: "First Class",
};

async function ready(...[knobs]: Parameters<typeof startLocalC2m>) {
  const c2m = await startLocalC2m(knobs);
  const { json } = await c2m.issue();
  return { ...c2m, token: String(json.access_token), tokenId: String(json.token_id) };
}

describe("a submission is accepted", () => {
  test("and registered, with the token that it came with", async () => {
    const c2m = await ready();
    const reply = await c2m.submit(c2m.token);
    expect([reply.status, reply.json]).toEqual([
      200,
      { status: "accepted", message: "The job was accepted", requestId: 1 },
    ]);
    expect(c2m.engine.jobs.all).toEqual([
      {
        requestId: 1,
        clientId,
        tokenId: c2m.tokenId,
        acceptedAt: c2m.clock.now(),
        submission: letter,
        repeats: undefined,
      },
    ]);
  });

  test("with a short token that has the scope", async () => {
    const c2m = await ready();
    const { json } = await c2m.exchange(c2m.token, { scopes: ["jobs:submit"] });
    expect((await c2m.submit(json.access_token)).status).toBe(200);
  });

  test("with a requestId that is a text, by the knob", async () => {
    const c2m = await ready({ requestIdAsText: true });
    expect((await c2m.submit(c2m.token)).json).toMatchObject({ requestId: "1" });
  });

  test.each([
    ["the id of a document", { documentIdSource: { documentId: 1 } }],
    ["an id as a text", { documentIdSource: { documentId: "17" } }],
    ["a bare id in a form", { documentIdSource: 17 }],
    ["the id of a request", { requestIdSource: { requestId: 123 } }],
    ["a bare id", 17],
    ["a bare id as a text", "17"],
    ["an id by its name alone", { documentId: 17 }],
    ["a URL", { url: "https://example.com/letter.pdf" }],
  ])("for a document told as %s", async (_form, docSourceAll) => {
    const c2m = await ready();
    expect((await c2m.submit(c2m.token, { ...letter, docSourceAll })).status).toBe(200);
  });

  test.each([
    ["an address", { singleAddress: { ...address, address2: "Suite 4", address3: "Floor 2", organization: "Acme" } }],
    ["a list of addresses", { recipientAddressByList: { addressList: [address, address] } }],
    ["a bare id", 9],
    ["the id of a stored address", { addressId: 9 }],
    ["the id of a stored list", { addressListId: "9" }],
  ])("for a recipient told as %s", async (_form, recipientAddressSource) => {
    const c2m = await ready();
    expect((await c2m.submit(c2m.token, { ...letter, recipientAddressSource })).status).toBe(200);
  });

  test.each([
    ["a template", { jobTemplate: "monthly" }],
    ["options", { jobOptions }],
    ["null for what is not given", { jobTemplate: null, jobOptions, tags: null }],
    [
      "a return address, payment details, tags",
      { returnAddress: address, paymentDetails: { kind: "invoice" }, tags: ["a"] },
    ],
    ["a stored return address", { returnAddress: { addressId: 4 } }],
    ["a field that nobody knows", { note: "x" }],
  ])("with %s", async (_what, fields) => {
    const c2m = await ready();
    expect((await c2m.submit(c2m.token, { ...letter, ...fields })).status).toBe(200);
  });
});

describe("a caller is refused", () => {
  const codeOf = ({ status, json }: { status: number; json: Record<string, unknown> }) => [status, json.errorCode];

  test("with 401 MISSING_AUTH_HEADER without the header, in the shape of the jobs API", async () => {
    const c2m = await ready();
    const reply = await c2m.call("/static", { json: letter });
    expect([reply.status, reply.json]).toEqual([
      401,
      {
        errorType: "AuthenticationError",
        errorMessage: "The Authorization header is missing",
        errorCode: "MISSING_AUTH_HEADER",
      },
    ]);
  });

  test("with 401 INVALID_TOKEN for a token that is unknown, revoked, or not accepted yet", async () => {
    const c2m = await ready({ activationDelayMs: 1_000 });
    expect(codeOf(await c2m.submit("unknown"))).toEqual([401, "INVALID_TOKEN"]);
    expect(codeOf(await c2m.call("/static", { headers: { authorization: "Basic abc" }, json: letter }))).toEqual([
      401,
      "INVALID_TOKEN",
    ]);
    expect(codeOf(await c2m.submit(c2m.token))).toEqual([401, "INVALID_TOKEN"]);
    await c2m.clock.advanceBy(1_000);
    expect(codeOf(await c2m.submit(c2m.token))).toEqual([200, undefined]);
    await c2m.revoke(c2m.tokenId, c2m.token);
    expect(codeOf(await c2m.submit(c2m.token))).toEqual([401, "INVALID_TOKEN"]);
  });

  test("with 401 EXPIRED_TOKEN for a token that has expired", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue({ ttl_seconds: 3_600 });
    await c2m.clock.advanceBy(3_600_000);
    expect(codeOf(await c2m.submit(json.access_token))).toEqual([401, "EXPIRED_TOKEN"]);
  });

  test("with 403 INSUFFICIENT_PERMISSIONS without the scope jobs:submit", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue({ scopes: ["jobs:read", "tokens:revoke"] });
    expect(codeOf(await c2m.submit(json.access_token))).toEqual([403, "INSUFFICIENT_PERMISSIONS"]);
  });

  test("with 403 ACCOUNT_SUSPENDED while its client is suspended", async () => {
    const c2m = await ready();
    c2m.engine.registerClient({ clientId, scopes: allScopes, suspended: true });
    expect(codeOf(await c2m.submit(c2m.token))).toEqual([403, "ACCOUNT_SUSPENDED"]);
    expect((await c2m.exchange(c2m.token)).status).toBe(201);
  });

  test("before anything is said about the body, and nothing is registered", async () => {
    const c2m = await ready();
    expect((await c2m.submit("unknown", {})).status).toBe(401);
    expect(c2m.engine.jobs.all).toEqual([]);
  });
});

describe("a submission is refused", () => {
  const { zip: _zip, ...withoutZip } = address;
  const { mailClass: _mailClass, ...withoutMailClass } = jobOptions;
  const broken: [what: string, fields: object, code: string, field: string][] = [
    ["without a document", { docSourceAll: undefined }, "MISSING_REQUIRED_FIELD", "docSourceAll"],
    ["without a recipient", { recipientAddressSource: null }, "MISSING_REQUIRED_FIELD", "recipientAddressSource"],
    ["with a document of no known form", { docSourceAll: { file: "x" } }, "INVALID_ONEOF", "docSourceAll"],
    [
      "with two forms of a document",
      { docSourceAll: { url: "https://example.com/a.pdf", documentIdSource: { documentId: 1 } } },
      "INVALID_ONEOF",
      "docSourceAll",
    ],
    ["with a document that is a text", { docSourceAll: "letter.pdf" }, "INVALID_FORMAT", "docSourceAll"],
    ["with an id of 0", { docSourceAll: { documentIdSource: { documentId: 0 } } }, "INVALID_FORMAT", "docSourceAll"],
    [
      "with a URL of another scheme",
      { docSourceAll: { url: "file:///etc/passwd" } },
      "INVALID_FORMAT",
      "docSourceAll.url",
    ],
    ["with a URL that is none", { docSourceAll: { url: "https://" } }, "INVALID_FORMAT", "docSourceAll.url"],
    [
      "with two forms of a recipient",
      { recipientAddressSource: { singleAddress: address, addressId: 1 } },
      "INVALID_ONEOF",
      "recipientAddressSource",
    ],
    [
      "with no recipient in the list",
      { recipientAddressSource: { recipientAddressByList: { addressList: [] } } },
      "INVALID_FORMAT",
      "addressList",
    ],
    [
      "with an address that lacks a field",
      { recipientAddressSource: { singleAddress: withoutZip } },
      "MISSING_REQUIRED_FIELD",
      "singleAddress.zip",
    ],
    [
      "with an empty field in an address",
      { recipientAddressSource: { singleAddress: { ...address, zip: "" } } },
      "MISSING_REQUIRED_FIELD",
      "singleAddress.zip",
    ],
    [
      "with a blank field in an address",
      { recipientAddressSource: { singleAddress: { ...address, city: " " } } },
      "INVALID_FORMAT",
      "singleAddress.city",
    ],
    [
      "with a zip code that is a number",
      { recipientAddressSource: { singleAddress: { ...address, zip: 22201 } } },
      "INVALID_FORMAT",
      "singleAddress.zip",
    ],
    [
      "with an address2 that is no text",
      { recipientAddressSource: { singleAddress: { ...address, address2: 5 } } },
      "INVALID_FORMAT",
      "address2",
    ],
    [
      "with a second address that lacks a field",
      { recipientAddressSource: { recipientAddressByList: { addressList: [address, withoutZip] } } },
      "MISSING_REQUIRED_FIELD",
      "addressList[1].zip",
    ],
    [
      "with a template and options",
      { jobTemplate: "monthly", jobOptions },
      "MUTUAL_EXCLUSION_VIOLATION",
      "jobTemplate",
    ],
    ["with options that lack one", { jobOptions: withoutMailClass }, "MISSING_REQUIRED_FIELD", "jobOptions.mailClass"],
    [
      "with an option that is no text",
      { jobOptions: { ...jobOptions, color: 1 } },
      "INVALID_FORMAT",
      "jobOptions.color",
    ],
    ["with a template that is no text", { jobTemplate: 5 }, "INVALID_FORMAT", "jobTemplate"],
    ["with tags that are no list", { tags: "a" }, "INVALID_FORMAT", "tags"],
    [
      "with a return address that lacks a field",
      { returnAddress: withoutZip },
      "MISSING_REQUIRED_FIELD",
      "returnAddress.zip",
    ],
  ];
  test.each(broken)("%s", async (_what, fields, code, field) => {
    const c2m = await ready();
    const { status, json } = await c2m.submit(c2m.token, { ...letter, ...fields });
    expect([status, json.errorType, json.errorCode]).toEqual([422, "ValidationError", code]);
    expect(json.errorMessage).toContain(field);
    expect(c2m.engine.jobs.all).toEqual([]);
  });

  test("with 400 instead, by the knob", async () => {
    const c2m = await ready({ invalidJobStatus: 400 });
    expect((await c2m.submit(c2m.token, {})).status).toBe(400);
  });

  test.each([
    ["that is not JSON", { body: "{", headers: { "content-type": "application/json" } }],
    ["that is no object", { json: [letter] }],
    ["that is empty", { body: "", headers: { "content-type": "application/json" } }],
    ["of another content type", { body: JSON.stringify(letter), headers: { "content-type": "text/plain" } }],
  ])("with 400 INVALID_JSON for a body %s", async (_what, ask) => {
    const c2m = await ready();
    const { status, json } = await c2m.call("/static", { bearer: c2m.token, ...ask });
    expect([status, json.errorCode]).toEqual([400, "INVALID_JSON"]);
  });

  test("without repeating what is in it", async () => {
    const c2m = await ready();
    const secret = "a-secret-in-the-wrong-place";
    const { text } = await c2m.submit(c2m.token, { ...letter, docSourceAll: { url: secret }, [secret]: 1 });
    expect(text).not.toContain(secret);
  });
});

describe("a letter that is sent twice", () => {
  test("shows in the register, whatever the order of its fields", async () => {
    const c2m = await ready();
    const { docSourceAll, recipientAddressSource } = letter;
    await c2m.submit(c2m.token, { docSourceAll, recipientAddressSource });
    await c2m.submit(c2m.token, { ...letter, tags: ["another"] });
    await c2m.submit(c2m.token, { recipientAddressSource, docSourceAll });
    expect(c2m.engine.jobs.repeated).toMatchObject([{ requestId: 3, repeats: 1 }]);
  });

  test("shows also when the first answer was lost", async () => {
    const c2m = await ready();
    c2m.faults.add({ service: "c2m", operation: "submitStatic", fault: { kind: "cut", when: "after" } });
    await expect(c2m.submit(c2m.token)).rejects.toThrow();
    expect((await c2m.submit(c2m.token)).status).toBe(200);
    expect(c2m.engine.jobs.repeated).toMatchObject([{ requestId: 2, repeats: 1 }]);
  });

  test("shows also in an engine that goes on where another left off, through JSON", async () => {
    const c2m = await ready();
    await c2m.submit(c2m.token);
    const after = new C2mEngine({ clock: new VirtualClock(), state: JSON.parse(JSON.stringify(c2m.engine.save())) });
    const told: unknown[] = [];
    after.jobs.onAccepted((job) => told.push(job));
    await after.answer({
      method: "POST",
      path: "/static",
      headers: { authorization: `Bearer ${c2m.token}`, "content-type": "application/json" },
      body: JSON.stringify(letter),
    });
    expect(told).toMatchObject([{ requestId: 2, repeats: 1 }]);
  });

  test("is not one that another client has sent", async () => {
    const c2m = await ready();
    c2m.engine.registerClient({ clientId: "c2m_other", clientSecret: "other", scopes: allScopes });
    const { json } = await c2m.call("/auth/tokens/long", {
      headers: { "x-client-id": "c2m_other" },
      json: { grant_type: "client_credentials", client_id: "c2m_other", client_secret: "other" },
    });
    await c2m.submit(c2m.token);
    await c2m.submit(json.access_token);
    expect([c2m.engine.jobs.all.length, c2m.engine.jobs.repeated]).toEqual([2, []]);
  });
});

describe("a fault at POST /static", () => {
  test.each([
    [429, "RATE_LIMITED", "RateLimitError"],
    [500, "INTERNAL_ERROR", "ServerError"],
    [404, "NOT_FOUND", "NotFoundError"],
  ])("is answered %d in the shape of the jobs API, and nothing is accepted", async (status, code, errorType) => {
    const c2m = await ready();
    const fault = { kind: "error", status, code, message: "No", headers: { "retry-after": "7" } } as const;
    c2m.faults.add({ service: "c2m", operation: "submitStatic", fault });
    const reply = await c2m.submit(c2m.token);
    expect([reply.status, reply.json]).toEqual([status, { errorType, errorMessage: "No", errorCode: code }]);
    expect(reply.headers.get("retry-after")).toBe("7");
    expect(c2m.engine.jobs.all).toEqual([]);
  });

  test("that cuts the connection before leaves nothing behind", async () => {
    const c2m = await ready();
    c2m.faults.add({ service: "c2m", operation: "submitStatic", fault: { kind: "cut", when: "before" } });
    await expect(c2m.submit(c2m.token)).rejects.toThrow();
    expect(c2m.engine.jobs.all).toEqual([]);
  });
});

test("the limit of the auth calls does not count jobs", async () => {
  const c2m = await ready({ rateLimitPerMinute: 1 });
  expect((await c2m.submit(c2m.token)).status).toBe(200);
});
