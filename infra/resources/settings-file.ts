import * as pulumi from "@pulumi/pulumi";
import type { SettingsFile, TokenSettingsEntry } from "../../src/formats/settings.ts";
import { rotationDefaults, type TokenRotationArgs } from "../args/rotation-args.ts";
import type { TokenPlan } from "../args/token-rules.ts";
import type { Credentials } from "./credentials.ts";

/** Longer than any step takes: an issue call of 15 s and its retries, the store, and waiting for a token to work. */
export const rotatorTimeoutSeconds = 120;

/** What the functions are told about one token. */
export function settingsOf(
  args: TokenRotationArgs,
  { secretId, shortTokenGrantType }: Credentials,
  token: TokenPlan,
): pulumi.Output<TokenSettingsEntry> {
  return pulumi.output(secretId).apply((credentialsSecretId) => ({
    clientId: args.clientId,
    baseUrl: args.baseUrl ?? rotationDefaults.baseUrl,
    ...(credentialsSecretId === undefined ? {} : { credentialsSecretId }),
    ...(shortTokenGrantType === undefined ? {} : { shortTokenGrantType }),
    scopes: token.scopes,
    ttlSeconds: token.lifetimeSeconds,
    graceSeconds: token.graceSeconds,
    pendingMaxAgeSeconds: token.pendingMaxAgeSeconds,
    revocation: token.revocation,
  }));
}

/** The file that the functions read: the settings of every token, by the name of its secret. */
export function settingsFile(tokens: Map<string, pulumi.Output<TokenSettingsEntry>>): pulumi.Output<string> {
  return pulumi
    .output(Object.fromEntries(tokens))
    .apply((entries) => JSON.stringify({ rotatorTimeoutSeconds, tokens: entries } satisfies SettingsFile));
}
