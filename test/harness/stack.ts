import { VirtualClock } from "../../local-cloud/clock.ts";
import { LocalCloud, type LocalCloudOptions } from "../../local-cloud/cloud.ts";
import type { Deployment } from "../../local-cloud/pulumi/deploy.ts";
import type { Plan, PlanOptions } from "../../local-cloud/pulumi/plan.ts";
import { anyC2mUrl } from "../../local-cloud/pulumi/program.ts";
import { plan } from "./program.ts";

export const hour = 3_600_000;
export const day = 24 * hour;
export const secretName = "c2m/api-token";
export const clientId = "c2m_client";
export const clientSecret = "stack-client-secret-9d41";
export const scopes = ["jobs:submit", "jobs:read", "tokens:revoke"];
export const logGroup = "/aws/lambda/c2m-token-rotation";

/** The config of a stack with one token that rotates weekly; `token` adds to or changes that token's settings. */
export function stackConfig(token: Record<string, unknown> = {}): Pick<PlanOptions, "config" | "secretKeys"> {
  return {
    config: {
      clientId,
      clientSecret,
      baseUrl: anyC2mUrl,
      tokens: JSON.stringify([{ name: secretName, schedule: "rate(7 days)", ...token }]),
    },
    secretKeys: ["clientSecret"],
  };
}

/** What the program declares for `stackConfig`. */
export function stackPlan(token: Record<string, unknown> = {}): Promise<Plan> {
  return plan(stackConfig(token));
}

export interface CloudOptions extends Partial<LocalCloudOptions> {
  /** When its time begins. */
  startAt?: number | string;
}

/** A local cloud with the client registered at C2M, and nothing deployed. */
export async function emptyCloud({
  startAt = "2026-01-01T00:00:00Z",
  ...options
}: CloudOptions = {}): Promise<TestCloud> {
  const clock = new VirtualClock(startAt);
  const cloud = await LocalCloud.start({ clock, ...options });
  cloud.c2m.registerClient({ clientId, clientSecret, scopes });
  return { cloud, clock };
}

export interface TestCloud {
  cloud: LocalCloud;
  clock: VirtualClock;
}

/** `pulumi state unprotect --all`. */
export function unprotect(deployment: Deployment): Promise<Deployment> {
  const { plan } = deployment;
  return deployment.update({ ...plan, resources: plan.resources.map((resource) => ({ ...resource, protect: false })) });
}

/** The fields of the token secret's current value. */
export function currentToken(cloud: LocalCloud): Record<string, unknown> {
  return JSON.parse(cloud.secretsManager.engine.getSecretValue({ SecretId: secretName }).SecretString ?? "null");
}
