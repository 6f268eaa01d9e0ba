import { describe, expect, it } from "vitest";
import { plan } from "../harness/pulumi/plan.ts";

const good = {
  clientId: "c2m_x",
  clientSecret: "config-secret-77",
  tokens: JSON.stringify([{ name: "c2m/api-token" }]),
};

/** What the program prints when it refuses the config. */
async function refusal(config: Record<string, string>): Promise<string> {
  try {
    await plan({ config, secretKeys: ["clientSecret"], preview: true });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("The program took the config.");
}

describe("the stack's config", () => {
  it("needs a client and one token's name, and has defaults for the rest", async () => {
    const { resources } = await plan({ config: good, secretKeys: ["clientSecret"] });
    const [code] = resources.filter(({ type }) => type.endsWith(":Function")).map(({ inputs }) => inputs.code);
    const { files } = code as { files: Record<string, string> };
    expect(JSON.parse(files["tokens.json"] ?? "")).toEqual({
      rotatorTimeoutSeconds: 120,
      tokens: {
        "c2m/api-token": {
          clientId: "c2m_x",
          baseUrl: "https://api.click2mail.com/v2",
          credentialsSecretId: "c2m/client-credentials",
          scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
          ttlSeconds: 60 * 86_400,
          graceSeconds: 3_600,
          pendingMaxAgeSeconds: 26 * 3_600,
          revocation: true,
        },
      },
    });
  });

  it("says at preview what is missing, all of it at once", async () => {
    const message = await refusal({});
    expect(message).toContain("- clientId: must be set");
    expect(message).toContain("- clientSecret: must be set");
    expect(message).toContain("- tokens: must name at least one token secret");
  });

  it("names every wrong field with its rule, and shows no value", async () => {
    const message = await refusal({
      ...good,
      baseUrl: "https://user:hunter2@api.click2mail.com/v2/auth",
      recoveryWindowInDays: "3",
      tokens: JSON.stringify([
        {
          name: "has space",
          lifetime: "91 days",
          grace: "soon",
          schedule: "weekly",
          scopes: ["jobs:submit"],
          colour: "red",
        },
        { name: "twice" },
        { name: "twice" },
        { lifetime: "59 minutes" },
      ]),
    });
    for (const rule of [
      "- baseUrl: ",
      "- recoveryWindowInDays: must be 0 or 7 to 30",
      "- tokens[0].name: must be 1 to 512 of the characters",
      '- tokens[0].lifetime: must be a duration from "1 hour" to "90 days"',
      "- tokens[0].grace: must be a duration",
      '- tokens[0].schedule: must be as in "rate(30 days)"',
      "- tokens[0].scopes: must hold tokens:revoke",
      "- tokens[0].colour: is not a setting of a token",
      "- tokens[2].name: must be unique",
      "- tokens[3].lifetime: must be a duration",
      "- tokens[3].name: must be set",
    ]) {
      expect(message).toContain(rule);
    }
    expect(message).not.toContain("hunter2");
    expect(message).not.toContain("config-secret-77");
  });

  it.each([
    ["ends in /auth", "https://api.click2mail.com/v2/auth"],
    ["is not https", "http://api.click2mail.com/v2"],
  ])("refuses a base URL that %s", async (_, baseUrl) => {
    expect(await refusal({ ...good, baseUrl })).toContain("- baseUrl: ");
  });
});
