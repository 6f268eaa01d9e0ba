import * as pulumi from "@pulumi/pulumi";
import type { SettingsFile, TokenSettingsEntry } from "../../src/formats/settings.ts";
import type { RotationPlan } from "../args/plan.ts";
import type { TokenPlan } from "../args/token-rules.ts";
import type { StoredCredentials } from "./credentials.ts";

/** Longer than any step takes: an issue call of 15 s and its retries, the store, and waiting for a token to work. */
export const rotatorTimeoutSeconds = 120;

/** What the functions are told: the settings of every token, by the name of its secret. */
export function settingsOf(plan: RotationPlan, { secretId }: StoredCredentials): pulumi.Output<SettingsFile> {
  return pulumi.all([plan.clientId, plan.baseUrl, secretId]).apply(([clientId, baseUrl, credentialsSecretId]) => {
    const entryOf = (token: TokenPlan): TokenSettingsEntry => ({
      clientId,
      baseUrl,
      ...(credentialsSecretId === undefined ? {} : { credentialsSecretId }),
      ...(plan.credentials.kind === "shortToken" && plan.credentials.grantType !== undefined
        ? { shortTokenGrantType: plan.credentials.grantType }
        : {}),
      scopes: token.scopes,
      ttlSeconds: token.lifetimeSeconds,
      graceSeconds: token.graceSeconds,
      pendingMaxAgeSeconds: token.pendingMaxAgeSeconds,
      revocation: token.revocation,
    });
    const tokens = Object.fromEntries(plan.tokens.map((token) => [token.name, entryOf(token)]));
    return { rotatorTimeoutSeconds, tokens };
  });
}
