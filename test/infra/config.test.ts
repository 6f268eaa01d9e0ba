import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import { writtenOut } from "../../tools/config-docs.ts";
import { plan } from "../harness/program.ts";

const good = {
  clientId: "c2m_x",
  clientSecret: "config-secret-77",
  tokens: JSON.stringify([{ name: "c2m/api-token" }]),
};

/** The keys that Pulumi.yaml declares, with what the Pulumi CLI would set where the stack sets nothing. */
const declared = (
  parse(readFileSync(resolve(import.meta.dirname, "../../Pulumi.yaml"), "utf8")) as {
    config: Record<string, { default?: unknown; description: string; type: string; secret?: boolean }>;
  }
).config;

/** What the program prints when it refuses the config. */
async function refusal(config: Record<string, string>): Promise<string> {
  try {
    await plan({ config, secretKeys: ["clientSecret"], preview: true });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("The program took the config.");
}

const defaults = Object.entries(declared).flatMap(([key, { default: value }]) =>
  value === undefined ? [] : [[key, typeof value === "object" ? JSON.stringify(value) : String(value)]],
);
const [bare, spelledOut] = (await Promise.all(
  [good, { ...Object.fromEntries(defaults), ...good }].map((config) => plan({ config, secretKeys: ["clientSecret"] })),
)) as [Plan, Plan];

describe("the stack's config", () => {
  it("needs a client, its secret and one token's name, and has defaults for the rest", () => {
    const [code] = bare.resources.filter(({ type }) => type.endsWith(":Function")).map(({ inputs }) => inputs.code);
    const { files } = code as { files: Record<string, string> };
    expect(JSON.parse(files["tokens.json"] ?? "")).toEqual({
      rotatorTimeoutSeconds: 120,
      tokens: {
        "c2m/api-token": {
          clientId: "c2m_x",
          baseUrl: "https://api.click2mail.com/v2",
          credentialsSecretId: "c2m/client-credentials",
          scopes: ["jobs:submit", "tokens:revoke"],
          lifetimeSeconds: 60 * 86_400,
          graceSeconds: 3_600,
          pendingMaxAgeSeconds: 26 * 3_600,
          revocation: true,
        },
      },
    });
  });

  it("declares the same defaults in Pulumi.yaml as the program has", () => {
    // Components record their arguments as they were given.
    const built = ({ resources }: Plan) => resources.filter(({ custom }) => custom);
    expect(built(spelledOut)).toEqual(built(bare));
  });

  it("declares no secret, and nothing without default: Pulumi would demand it, and tell of nothing else", () => {
    const demanded = Object.entries(declared).filter(([, { default: value, secret }]) => value === undefined || secret);
    expect(demanded).toEqual([]);
    for (const [key, { description }] of Object.entries(declared)) expect(description, key).toMatch(/\.$/);
  });

  it("is written out where people read it as the one table of keys has it: run `node tools/config-docs.ts`", () => {
    for (const [path, text] of Object.entries(writtenOut())) {
      expect(readFileSync(resolve(import.meta.dirname, "../..", path), "utf8"), path).toBe(text);
    }
  });

  it("says at preview what is missing, all of it at once", async () => {
    const message = await refusal({});
    expect(message).toContain("- clientId (the C2M client that the tokens are issued to): must be");
    expect(message).toContain("- clientSecret (how the client proves itself): must be set");
    expect(message).toContain("- tokens (the token secrets to keep fresh): must name at least one token secret");
  });

  it("names every wrong key with its meaning and its rule at once, and shows no value", async () => {
    const message = await refusal({
      ...good,
      name: "has space",
      otpSeed: "OTPSEED",
      alarmEmail: "ops@example.com",
      zzz: "1",
      baseUrl: "https://user:hunter2@api.click2mail.com/v2",
      recoveryWindowInDays: "three",
      protect: "perhaps",
      alarmEmails: '["nobody"]',
      replicaRegions: '["Frankfurt"]',
      readers: "not json",
      tags: '["a"]',
      logRetentionDays: "30",
      tokens: JSON.stringify([
        { name: "t", lifetime: "91 days", grace: "soon", schedule: "weekly", scopes: ["jobs:submit"], colour: "red" },
        { lifetime: "20 days", grace: "30 days" },
        "c2m/api-token",
      ]),
    });
    for (const line of [
      "- name (what the names of all resources begin with): must be 1 to 40",
      "- clientSecret (how the client proves itself): must be set, `pulumi config set --secret clientSecret`, or one of otpSeed",
      "- baseUrl (the C2M API): ",
      "- alarmEmail (not a key of this project): did you mean alarmEmails?",
      "- zzz (not a key of this project): remove it; docs/deploy.md has all keys",
      "- recoveryWindowInDays (how long a deleted secret can be restored): must be a number",
      "- protect (whether the secrets and the log can't be deleted): must be true or false",
      "- alarmEmails[0] (who gets the alarms): must be an e-mail address",
      "- replicaRegions[0] (regions with a copy of each token secret): must be a region",
      "- readers (who may read the token secrets): must be a list",
      "- tags (tags for everything): must be an object",
      "- tokens[0].lifetime (the lifetime to ask C2M for): must be from 1 hour to 90 days",
      "- tokens[0].grace (how long a superseded token stays alive): must be a duration",
      "- tokens[0].schedule (when to rotate): must be as in",
      "- tokens[0].scopes (what the token may do): must hold tokens:revoke",
      "- tokens[0].colour (not an argument of a token): there are name,",
      "- tokens[1].name (the secret that apps read): must be set",
      "- tokens[1].lifetime (the lifetime to ask C2M for): must be longer than",
      "- tokens[1].grace (how long a superseded token stays alive): must be shorter than",
      "- tokens[2] (a token): must be an object",
    ]) {
      expect(message).toContain(line);
    }
    for (const value of ["hunter2", "config-secret-77", "OTPSEED"]) expect(message).not.toContain(value);
  });
});
