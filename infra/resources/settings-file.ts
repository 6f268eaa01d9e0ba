import * as pulumi from "@pulumi/pulumi";
import type { SettingsFile, TokenSettingsEntry } from "../../src/formats/settings.ts";
import { rotatorTimeoutSeconds } from "../../src/formats/time-table.ts";
import type { RotationPlan } from "../args/plan.ts";
import type { TokenPlan } from "../args/token-rules.ts";
import type { StoredCredentials } from "./credentials.ts";

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
      lifetimeSeconds: token.lifetimeSeconds,
      graceSeconds: token.graceSeconds,
      pendingMaxAgeSeconds: token.pendingMaxAgeSeconds,
      revocation: token.revocation,
      ...(plan.formerBaseUrls.length > 0 ? { formerBaseUrls: plan.formerBaseUrls } : {}),
      ...(token.retire ? { retire: true } : {}),
      ...(token.deadVersions.length > 0 ? { deadVersions: token.deadVersions } : {}),
    });
    const tokens = Object.fromEntries(plan.tokens.map((token) => [token.name, entryOf(token)]));
    return { rotatorTimeoutSeconds, ...(plan.paused ? { paused: true } : {}), tokens };
  });
}
