import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { Secret, TOTP } from "otpauth";
import { expect, it, vi } from "vitest";
import type { Credentials } from "../../src/c2m/credentials.ts";
import { parseCredentials } from "../../src/c2m/credentials-secret.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import {
  clientId,
  clientSecret,
  clientUnderTest,
  errorOf,
  issued,
  json,
  longToken,
  type Operation,
  operations,
} from "../harness/client-under-test.ts";
import type { Script } from "../harness/scripted-server.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();

const pem = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
const seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const mechanisms: Record<string, Credentials> = {
  client_secret: { mechanism: "client_secret", clientId, clientSecret: new Sensitive(clientSecret) },
  otp: parseCredentials(JSON.stringify({ client_id: clientId, otp_seed: seed })),
  assertion: parseCredentials(JSON.stringify({ client_id: clientId, private_key: pem })),
  short_token: { mechanism: "short_token", clientId, longToken: new Sensitive(longToken) },
};

/** All that went to the server as a secret, and all that came from it as one. */
function secretsInPlay(): string[] {
  const sent = c2m.server.requests.flatMap(({ headers, body }) => {
    const { client_secret, otp_code, assertion } = JSON.parse(body || "{}");
    return [headers.authorization?.replace("Bearer ", ""), client_secret, otp_code, assertion];
  });
  const keyLines = pem.split("\n").filter((line) => line && !line.startsWith("-"));
  const fixed = [clientSecret, longToken, issued.access_token, seed, ...keyLines];
  return [...new Set([...fixed, ...sent])].filter((secret) => typeof secret === "string");
}

function forms(secret: string): string[] {
  const base64 = Buffer.from(secret).toString("base64");
  const hex = Buffer.from(secret).toString("hex");
  return [
    secret,
    base64,
    base64.replace(/=+$/, ""),
    Buffer.from(secret).toString("base64url"),
    encodeURIComponent(secret),
    hex,
  ];
}

/** Everything that anybody could print of an error. */
function printed(error: unknown): string {
  const chain: unknown[] = [];
  for (let at = error; at instanceof Error && !chain.includes(at); at = at.cause) chain.push(at);
  return chain
    .flatMap((at) => [
      String(at),
      (at as Error).stack,
      JSON.stringify(at),
      JSON.stringify(at, Object.getOwnPropertyNames(at)),
      inspect(at, { depth: 20, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null }),
    ])
    .join("\n");
}

/** What a hostile or careless server could say: everything that it knows. */
const echo = `${clientSecret} ${longToken} ${issued.access_token} ${pem}`;
const failures: [string, Script][] = [
  ["an error that quotes everything", json(400, { code: "invalid_grant", message: echo, details: { echo } })],
  ["a code that quotes a secret", json(400, { code: clientSecret, message: echo })],
  ["a 401", json(401, { code: "invalid_token", message: echo })],
  ["a 403", json(403, { message: echo })],
  ["a 429", json(429, { message: echo }, { "retry-after": longToken.replaceAll("\n", "") })],
  ["a 500", { status: 500, body: echo }],
  [
    "a redirect that quotes everything",
    { status: 302, headers: { location: `https://evil.invalid/?${encodeURIComponent(echo)}` } },
  ],
  ["a success that is not JSON", { status: 201, body: `${JSON.stringify(issued)},${echo}` }],
  ["a success that was cut off", { status: 201, body: JSON.stringify(issued), cutAfter: 90 }],
  [
    "a success of the wrong shape",
    json(201, { ...issued, expires_at: issued.access_token, expires_in: longToken, scopes: longToken }),
  ],
  ["a success that has ended", json(201, { ...issued, expires_at: "2020-01-01T00:00:00Z", expires_in: undefined })],
  [
    "a success that can't be decoded",
    { status: 201, headers: { "content-encoding": "gzip" }, body: JSON.stringify(issued) },
  ],
  ["a broken connection", "reset"],
  ["another protocol", "garbage"],
  ["a time-out", "hang"],
];

const cases = failures.flatMap(([failure, script]) =>
  operations.flatMap((operation) =>
    Object.keys(mechanisms)
      .filter((mechanism) => operation === "issueLongTermToken" || mechanism === "client_secret")
      // Eight time-outs in a row for each call that is repeated would only cost time.
      .filter((mechanism) => script !== "hang" || (operation === "issueLongTermToken" && mechanism !== "short_token"))
      .map((mechanism) => ({ failure, script, operation, mechanism })),
  ),
);

it.each(cases)("$failure tells no secret ($operation, $mechanism)", async ({ script, operation, mechanism }) => {
  const written = vi.spyOn(process.stdout, "write");
  const credentials = mechanisms[mechanism];
  const exchangedFirst: Script[] =
    mechanism === "short_token" ? [json(201, { ...issued, access_token: "short.token.secret" })] : [];
  c2m.server.script(...exchangedFirst, script);
  const { call } = clientUnderTest(c2m.server.url, { requestTimeoutMs: 250, ...(credentials && { credentials }) });
  const outcome = await outcomeOf(call, operation);
  const text = `${printed(outcome)}\n${JSON.stringify(outcome)}\n${inspect(outcome, { depth: 20, showHidden: true })}`;
  for (const secret of secretsInPlay()) {
    // A six-digit code can stand in a port number or a line of the stack by chance; it is searched for as a word.
    if (/^\d{6}$/.test(secret)) expect(text).not.toMatch(new RegExp(`\\b${secret}\\b`));
    else for (const form of forms(secret)) expect(text).not.toContain(form);
  }
  expect(c2m.server.requests.length).toBeGreaterThan(0);
  expect(written).not.toHaveBeenCalled();
});

/** Some of these answers are results; then what it resolves with is searched. */
function outcomeOf(call: (operation: Operation) => Promise<unknown>, operation: Operation): Promise<unknown> {
  return operation === "issueLongTermToken"
    ? errorOf(call(operation))
    : call(operation).catch((error: unknown) => error);
}

it("an issued token is printed without the token", async () => {
  c2m.server.script(json(201, issued));
  const token = await clientUnderTest(c2m.server.url).call("issueLongTermToken");
  const text = `${JSON.stringify(token)}${inspect(token, { depth: 20, showHidden: true })}`;
  expect(text).toContain(issued.token_id);
  for (const form of forms(issued.access_token)) expect(text).not.toContain(form);
});

it("a code is not always found by chance: the search finds what is there", () => {
  const code = new TOTP({ secret: Secret.fromBase32(seed) }).generate({ timestamp: 0 });
  expect(printed(new Error("outer", { cause: new Error(`inner ${code}`) }))).toContain(code);
  expect(printed(Object.assign(new Error("m"), { request: { headers: { authorization: longToken } } }))).toContain(
    longToken,
  );
});
