import type { C2mState } from "../../local-cloud/c2m/engine.ts";
import type { CloudState } from "../../local-cloud/cloud.ts";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";

/** The resources that live in the cloud's state; all others are made anew at each start. */
const lasting = [
  "aws:secretsmanager/secret:Secret",
  "aws:secretsmanager/secretVersion:SecretVersion",
  "aws:secretsmanager/secretRotation:SecretRotation",
  "aws:cloudwatch/logGroup:LogGroup",
  // What it leaves is the first token, which is in the secret.
  "aws:lambda/invocation:Invocation",
];

/**
 * What of a deployed plan is still there after a restart: what hangs on secrets that nobody has deleted meanwhile. The
 * rest is to be deployed again.
 */
export function survivingPlan({ resources }: Plan, isThere: (secretArn: string) => boolean = () => true): Plan {
  const gone = new Set<string>();
  const survivors = resources.filter(({ type, urn, id, dependencies }) => {
    if (!lasting.includes(type)) return false;
    if (!dependencies.some((dependency) => gone.has(dependency)) && (!type.endsWith(":Secret") || isThere(id)))
      return true;
    gone.add(urn);
    return false;
  });
  return { resources: survivors, outputs: {} };
}

/**
 * With the log groups that are there and that the saved plan does not name: states that were written by release 0.1.0 have
 * their lines, and not the groups' resources.
 */
export function withKeptGroups(saved: Plan, declared: Plan, isThere: (group: string) => boolean): Plan {
  const groups = declared.resources.filter(
    ({ type, urn, inputs }) =>
      type === "aws:cloudwatch/logGroup:LogGroup" &&
      isThere(String(inputs.name)) &&
      !saved.resources.some((resource) => resource.urn === urn),
  );
  return { ...saved, resources: [...saved.resources, ...groups] };
}

/** Log lines that are kept besides the ledger, per group. */
const recentLines = 2_000;

/** Accepted jobs that are kept. */
const recentJobs = 2_000;

/** How long a dead token is remembered, in ms: somebody may look for it. */
const deadTokenMs = 86_400_000;

/** The lines from which the product knows what was issued and revoked. */
const ofLedger = /"message":"(token|pending)\./;

/** What is worth keeping: without tokens that are long dead, the older jobs, and the older log lines that are not the ledger. */
export function worthKeeping(state: CloudState, now: number): CloudState {
  const kept = ({ clients, tokens, jobs }: C2mState): C2mState => ({
    clients,
    tokens: tokens.filter(
      ({ revokedAt, expiresAt }) => Math.min(revokedAt ?? expiresAt, expiresAt) > now - deadTokenMs,
    ),
    ...(jobs && { jobs: jobs.slice(-recentJobs) }),
  });
  return {
    ...state,
    logs: state.logs.map((group) => ({
      ...group,
      events: group.events.filter(
        ({ message }, index) => index >= group.events.length - recentLines || ofLedger.test(message),
      ),
    })),
    c2m: kept(state.c2m),
    ...(state.c2mStage && { c2mStage: kept(state.c2mStage) }),
  };
}
