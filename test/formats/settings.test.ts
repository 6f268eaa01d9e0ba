import { describe, expect, it } from "vitest";
import {
  isSameBaseUrl,
  listedBaseUrl,
  parseSettings,
  settingsOf,
  siblingsOf,
  type TokenSettingsEntry,
} from "../../src/formats/settings.ts";

const entry: TokenSettingsEntry = {
  clientId: "c2m_client",
  baseUrl: "https://api.click2mail.com/v2",
  credentialsSecretId: "c2m/client-credentials",
  scopes: ["jobs:submit"],
  lifetimeSeconds: 3_600,
  graceSeconds: 0,
  pendingMaxAgeSeconds: 1,
  revocation: true,
};
const file = { rotatorTimeoutSeconds: 1, tokens: { "c2m/api-token": entry } };
const arn = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;

function withToken(change: object): string {
  return JSON.stringify({ ...file, tokens: { "c2m/api-token": { ...entry, ...change } } });
}

function refusal(run: () => unknown): Error & { code?: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was accepted.");
}

describe("the settings file", () => {
  it("is accepted at both ends of every range", () => {
    expect(parseSettings(JSON.stringify(file))).toEqual(file);
    const widest = { lifetimeSeconds: 7_776_000, graceSeconds: 1, shortTokenGrantType: "x", credentialsSecretId: "x" };
    expect(parseSettings(withToken(widest)).tokens["c2m/api-token"]).toMatchObject(widest);
  });

  it("of the last release calls the lifetime ttlSeconds", () => {
    const { lifetimeSeconds: ttlSeconds, ...rest } = entry;
    const parsed = parseSettings(JSON.stringify({ ...file, tokens: { t: { ...rest, ttlSeconds } } }));
    expect(parsed.tokens.t).toEqual(entry);
  });

  it.each([null, "text", 5, []])("refuses %j for a token's settings", (token) => {
    const { code, message } = refusal(() => parseSettings(JSON.stringify({ ...file, tokens: { t: token } })));
    expect(code).toBe("settings_invalid");
    expect(message).toContain("tokens.t");
  });

  it("need not name credentials, where the present token authenticates", () => {
    const { credentialsSecretId: _, ...without } = entry;
    const parsed = parseSettings(JSON.stringify({ ...file, tokens: { t: without } }));
    expect(parsed.tokens.t?.credentialsSecretId).toBeUndefined();
  });

  it.each([
    [{ clientId: "" }, "clientId must not be empty"],
    [{ clientId: 5 }, "clientId must be string"],
    [{ credentialsSecretId: "" }, "credentialsSecretId must not be empty"],
    [{ shortTokenGrantType: "" }, "shortTokenGrantType must not be empty"],
    [{ scopes: [] }, "scopes must name at least one scope"],
    [{ scopes: [""] }, "scopes.0 must not be empty"],
    [{ lifetimeSeconds: 3_599 }, "lifetimeSeconds must be at least 3600 (1 hour)"],
    [{ lifetimeSeconds: 7_776_001 }, "lifetimeSeconds must be at most 7776000 (90 days)"],
    [{ lifetimeSeconds: 3_600.5 }, "lifetimeSeconds must be a whole number of seconds"],
    [{ graceSeconds: -1 }, "graceSeconds must not be negative"],
    [{ graceSeconds: 0.5 }, "graceSeconds must be a whole number of seconds"],
    [{ pendingMaxAgeSeconds: 0 }, "pendingMaxAgeSeconds must be positive"],
    [{ pendingMaxAgeSeconds: 1.5 }, "pendingMaxAgeSeconds must be a whole number of seconds"],
    [{ revocation: "yes" }, "revocation must be boolean"],
    [{ surprise: "value-of-it" }, "surprise"],
  ])("refuses %j and names the field and the rule, not the value", (change, problem) => {
    const { code, message } = refusal(() => parseSettings(withToken(change)));
    expect(code).toBe("settings_invalid");
    expect(message).toContain(`tokens.c2m/api-token.${problem}`);
    expect(message).not.toContain("value-of-it");
  });

  it.each([
    [0, "must be positive"],
    [1.5, "must be a whole number of seconds"],
  ])("refuses the rotator's timeout %j", (rotatorTimeoutSeconds, rule) => {
    const { message } = refusal(() => parseSettings(JSON.stringify({ ...file, rotatorTimeoutSeconds })));
    expect(message).toContain(`rotatorTimeoutSeconds ${rule}`);
  });

  it("names every problem at once", () => {
    const { message } = refusal(() => parseSettings(withToken({ clientId: "", graceSeconds: -1 })));
    expect(message).toMatch(/clientId must not be empty; .*graceSeconds must not be negative/);
  });

  it("refuses what is not JSON without quoting it", () => {
    const { code, message } = refusal(() => parseSettings("{hunter2"));
    expect(code).toBe("settings_invalid");
    expect(message).toBe("The settings file is not JSON: deploy the function again.");
  });

  it("refuses what is not an object", () => {
    expect(refusal(() => parseSettings("null")).message).toContain("(the whole) must be Object");
  });
});

describe("the settings of a secret", () => {
  const settings = parseSettings(JSON.stringify(file));

  it("are found by the name in its ARN", () => {
    expect(settingsOf(settings, arn("c2m/api-token"))).toEqual({ ...entry, secretName: "c2m/api-token" });
    const china = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:c2m/api-token-a1B2c3";
    expect(settingsOf(settings, china).secretName).toBe("c2m/api-token");
  });

  it("are found for a name that itself ends like the six characters of an ARN", () => {
    const named = { ...settings, tokens: { "token-abc123": entry } };
    expect(settingsOf(named, arn("token-abc123")).secretName).toBe("token-abc123");
  });

  it.each([["c2m/api-token2"], ["c2m/api"], ["toString"], ["constructor"], ["__proto__"]])(
    "are refused for %s, which is not listed",
    (name) => {
      const { code, message } = refusal(() => settingsOf(settings, arn(name)));
      expect(code).toBe("secret_not_listed");
      expect(message).toBe(
        `SecretId: the secret ${JSON.stringify(name)} is not listed in this function's settings. Add it to the stack's tokens, or remove this function from its rotation.`,
      );
    },
  );

  it("are found by a name that itself ends like the suffix of an ARN, in a full ARN and in a partial one", () => {
    const named = {
      rotatorTimeoutSeconds: 1,
      tokens: { "c2m-abc123": entry, c2m: { ...entry, clientId: "c2m_short" } },
    };
    expect(settingsOf(named, arn("c2m-abc123"))).toMatchObject({ secretName: "c2m-abc123" });
    expect(settingsOf(named, arn("c2m"))).toMatchObject({ secretName: "c2m", clientId: "c2m_short" });
    const alone = { rotatorTimeoutSeconds: 1, tokens: { "c2m-abc123": entry } };
    const partial = "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m-abc123";
    expect(settingsOf(alone, partial)).toMatchObject({ secretName: "c2m-abc123" });
  });

  it.each([
    ["c2m/api-token"],
    ["arn:aws:secretsmanager:us-east-1:123456789012:secret:"],
    ["arn:aws:lambda:us-east-1:123456789012:secret:c2m/api-token-AbCdEf"],
    ["arn:aws:secretsmanager:us-east-1:12345678901:secret:c2m/api-token-AbCdEf"],
    [`x${arn("c2m/api-token")}`],
    [`${arn("c2m/api-token")}-`],
  ])("are refused for %s, which is no secret's ARN", (text) => {
    const { code, message } = refusal(() => settingsOf(settings, text));
    expect(code).toBe("secret_not_listed");
    expect(message).toMatch(/^SecretId: is not the ARN of a secret\./);
  });
});

describe("a base URL", () => {
  const { baseUrl } = entry;
  const former = "https://former.test/v2";

  it.each([
    ["is the settings' own", [], baseUrl, baseUrl],
    ["is the settings' own in another writing", [], "HTTPS://API.click2mail.com:443/v2/", baseUrl],
    ["is a former one, as it is listed", [former], `${former}/`, former],
    ["is none of the listed", [former], "https://other.test/v2", undefined],
    ["is not said, and there was never another one", undefined, undefined, baseUrl],
    ["is not said, and there was another one", [former], undefined, undefined],
  ])("of a token that %s is the listed one, or none (row 1)", (_, formerBaseUrls, said, expected) => {
    const settings = { baseUrl, ...(formerBaseUrls ? { formerBaseUrls } : {}) };
    expect(listedBaseUrl(settings, said)).toBe(expected);
  });

  it("that is no URL is the same as itself only", () => {
    expect(isSameBaseUrl("no url", "no url/")).toBe(true);
    expect(isSameBaseUrl("no url", baseUrl)).toBe(false);
  });
});

it("the siblings of a secret are the others of its client at its C2M", () => {
  const tokens = {
    own: entry,
    sibling: { ...entry, baseUrl: `${entry.baseUrl}/` },
    "of another client": { ...entry, clientId: "c2m_other" },
    "at another C2M": { ...entry, baseUrl: "https://other.test/v2" },
  };
  expect(siblingsOf({ rotatorTimeoutSeconds: 1, tokens }, { ...entry, secretName: "own" })).toEqual(["sibling"]);
});
