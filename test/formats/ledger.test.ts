import { describe, expect, it } from "vitest";
import {
  formatLine,
  isOperatorStream,
  ledgerEvents,
  operatorStreams,
  parseLine,
  tokenFields,
} from "../../src/formats/ledger.ts";

const secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/api-token-AbCdEf";
const token = {
  tokenId: "tok_1",
  expiresAt: "2026-03-01T00:00:00Z",
  baseUrl: "https://c2m.test/v2",
  clientId: "c2m_a",
};
const read = (text: string, logStreamName?: string) => parseLine({ text, at: 5, logStreamName });

describe("a line of the ledger", () => {
  it("is one line of JSON with the level and the time that Lambda's filter looks at, and reads back as it was", () => {
    const fields = { version_id: "v", attempt_id: "a", ...tokenFields(secret, token) };
    const line = formatLine("token.issued", fields, Date.parse("2026-01-01T00:00:00Z"), { service: "my-rotation" });
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({
      level: "INFO",
      message: "token.issued",
      timestamp: "2026-01-01T00:00:00.000Z",
      service: "my-rotation",
      secret,
      version_id: "v",
      attempt_id: "a",
      token_id: "tok_1",
      expires_at: "2026-03-01T00:00:00Z",
      base_url: "https://c2m.test/v2",
      client_id: "c2m_a",
    });
    expect(read(line)).toMatchObject({ event: "token.issued", at: 5, byOperator: false, fields });
  });

  it("names the header's id only where there is one (row 21)", () => {
    expect(tokenFields(secret, token)).not.toHaveProperty("header_token_id");
    expect(tokenFields(secret, { ...token, headerTokenId: "tok_2" })).toMatchObject({ header_token_id: "tok_2" });
  });

  it.each([
    {
      message: "token.issue.started",
      attempt_id: "a",
      version_id: "v",
      client_id: "c",
      latest_expires_at: "2026-03-01T00:00:00Z",
    },
    { message: "token.issue.refused", attempt_id: "a", version_id: "v", code: "rate_limited" },
    {
      message: "token.issued",
      attempt_id: "a",
      version_id: "v",
      token_id: "t",
      expires_at: "2026-03-01T00:00:00Z",
      client_id: "c",
    },
    { message: "token.revoked", token_id: "t", expires_at: "2026-03-01T00:00:00Z" },
    { message: "token.unrevocable", reason: "C2M gave no token id" },
    { message: "token.promotion.started", version_id: "v" },
    { message: "token.promoted", version_id: "v", superseded_version_id: "u" },
    { message: "pending.detached", version_id: "v", reason: "its rotation window is over" },
  ])("of release 0.1.0 is read: $message", (line) => {
    const written = { level: "INFO", timestamp: "2026-01-01T00:00:00.000Z", service: "s", sampling_rate: 0, secret };
    expect(read(JSON.stringify({ ...written, ...line }))).toMatchObject({ event: line.message });
  });

  it.each([
    ["null", "null"],
    ["a number", "5"],
    ["a text", '"token.issued"'],
    ["no JSON", '{"message":"token.issued"'],
    ["without its fields", '{"message":"token.issued"}'],
    [
      "with a date that is none",
      JSON.stringify({
        message: "token.issue.started",
        secret,
        version_id: "v",
        attempt_id: "a",
        latest_expires_at: "soon",
      }),
    ],
    ["with a secret that is no text", JSON.stringify({ message: "token.revoked", secret: 5, token_id: "t" })],
  ])("that is %s is skipped and counted (row 17)", (_, text) => {
    expect(read(text)).toBe("unreadable");
  });

  it("that is of another event is no line of the ledger", () => {
    expect(read(JSON.stringify({ message: "step.started", secret }))).toBeUndefined();
    expect(read(JSON.stringify({ message: 5 }))).toBeUndefined();
  });

  it("keeps what a later release adds, and takes a detail that is malformed for not said", () => {
    const line = { message: "token.revoked", secret, token_id: 5, expires_at: "soon", added_later: true };
    const entry = read(JSON.stringify(line));
    expect(entry).toMatchObject({ fields: { token_id: undefined, expires_at: undefined, added_later: true } });
  });

  it.each([
    ["operators/2026-01-01/x", true],
    ["operator/2026-01-01/x", true],
    ["2026/01/01/[$LATEST]operators/x", false],
    ["operatorsx/y", false],
    [undefined, false],
  ])("in the stream %s is an operator's: %s (row 10)", (stream, isOperators) => {
    expect(isOperatorStream(stream)).toBe(isOperators);
    expect(isOperatorStream(`${operatorStreams}x`)).toBe(true);
    const entry = read(JSON.stringify({ message: "token.revoked", secret, token_id: "t" }), stream);
    expect(entry).toMatchObject({ byOperator: isOperators });
  });

  it.each([
    ["token.issue.started", ["secret", "version_id", "attempt_id", "latest_expires_at"]],
    ["token.issue.refused", ["secret", "version_id", "attempt_id"]],
    ["token.issued", ["secret", "version_id", "attempt_id"]],
    ["token.revoked", ["secret"]],
    ["token.revocation.failed", ["secret", "code"]],
    ["token.promotion.started", ["secret", "version_id"]],
    ["token.promoted", ["secret", "version_id"]],
    ["token.adopted", ["secret", "version_id"]],
    ["token.found", ["secret", "version_id"]],
    ["pending.detached", ["secret", "version_id"]],
  ])("of %s can't be read without each of %j", (message, required) => {
    const whole: Record<string, unknown> = {
      ...{ message, secret, version_id: "v", attempt_id: "a", code: "c" },
      latest_expires_at: "2026-03-01T00:00:00Z",
    };
    for (const name of Object.keys(whole).slice(1)) {
      const { [name]: _, ...rest } = whole;
      expect(read(JSON.stringify(rest)) === "unreadable", name).toBe(required.includes(name));
    }
  });

  it("takes a base URL, a client, an id or a superseded version that is no text for not said", () => {
    const said = { base_url: 5, client_id: null, header_token_id: 5, superseded_version_id: 5 };
    for (const message of ["token.promotion.started", "token.promoted"]) {
      const entry = read(JSON.stringify({ message, secret, version_id: "v", ...said }));
      const fields = { base_url: undefined, client_id: undefined, superseded_version_id: undefined };
      expect(entry).toMatchObject({ fields });
    }
    expect(read(JSON.stringify({ message: "token.revoked", secret, claimed: "yes", ...said }))).toMatchObject({
      fields: { base_url: undefined, client_id: undefined, header_token_id: undefined, claimed: undefined },
    });
  });

  it("can be read for every event that is one", () => {
    for (const message of ledgerEvents) {
      const all = {
        secret,
        version_id: "v",
        attempt_id: "a",
        token_id: "t",
        code: "c",
        latest_expires_at: "2026-03-01T00:00:00Z",
      };
      expect(read(JSON.stringify({ message, ...all }))).toMatchObject({ event: message });
    }
  });
});
