import { type Plan, planOnce } from "../../local-cloud/pulumi/plan.ts";
import { anyC2mUrl } from "../../local-cloud/pulumi/program.ts";
import { program } from "../../test/harness/program.ts";
import { remembered } from "./remembered.ts";

/** The client at the local C2M. Its secret is no secret. */
export const client = {
  clientId: "c2m_local",
  clientSecret: "local-client-secret",
  scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
};

/** The secret that apps read. */
export const secretName = "c2m/api-token";

/**
 * What the Pulumi program declares. It runs in a process of its own and bundles the functions, which takes the most of a
 * start: to be begun first. `graceSeconds` as in the stack's config.
 */
export function planProgram(graceSeconds: number): Promise<Plan> {
  const options = {
    program,
    config: {
      clientId: client.clientId,
      clientSecret: client.clientSecret,
      baseUrl: anyC2mUrl,
      tokens: JSON.stringify([{ name: secretName, scopes: client.scopes, grace: `${graceSeconds} seconds` }]),
      recoveryWindowInDays: "0",
      protect: "false",
    },
    secretKeys: ["clientSecret"],
  };
  return remembered(JSON.stringify(options), () => planOnce(options));
}
