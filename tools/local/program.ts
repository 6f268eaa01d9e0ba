import { type Plan, plan } from "../../local-cloud/pulumi/plan.ts";

/** The client at the local C2M. Its secret is no secret. */
export const client = {
  clientId: "c2m_local",
  clientSecret: "local-client-secret",
  scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
};

/** The secret that apps read. */
export const secretName = "c2m/api-token";

/** Stands for the local C2M's base URL, so that the program can run before the port is known. */
const anyC2mUrl = "http://127.0.0.1:9/v2";

/** Runs the Pulumi program, which takes the most of the start: to be begun first. `graceSeconds` as in the stack's config. */
export function planProgram(graceSeconds: number): Promise<Plan> {
  return plan({
    config: {
      clientId: client.clientId,
      clientSecret: client.clientSecret,
      baseUrl: anyC2mUrl,
      tokens: JSON.stringify([{ name: secretName, scopes: client.scopes, grace: `${graceSeconds} seconds` }]),
      recoveryWindowInDays: "0",
      protect: "false",
    },
    secretKeys: ["clientSecret"],
  });
}

/** The plan with the base URL that it is for. */
export function planFor(c2mUrl: string, program: Plan): Plan {
  return JSON.parse(JSON.stringify(program).replaceAll(anyC2mUrl, c2mUrl)) as Plan;
}
