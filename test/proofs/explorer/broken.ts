import { decommissionLabel } from "../../../src/formats/labels.ts";
import type { StoredToken } from "../../../src/formats/stored-token.ts";
import { parseValue } from "../../../src/formats/stored-token.ts";
import type { TokenUser } from "../../../src/ports/c2m.ts";
import { PermanentError } from "../../../src/ports/errors.ts";
import type { SecretStore } from "../../../src/ports/secret-store.ts";
import { reconcile } from "../../../src/reconcile/reconcile.ts";
import type { ListedSecret, ReconcileContext } from "../../../src/reconcile/run.ts";
import type { RotationContext, SecretContext } from "../../../src/rotation/context.ts";
import { runBootstrap, runStep } from "../../../src/rotation/steps/run-step.ts";
import { type Protocol, theProtocol } from "./functions.ts";
import type { Move } from "./moves.ts";

type RunStep = Protocol["runStep"];

/** What a double has broken, the invariant that it breaks, and the scenario in which that shows. */
export interface BrokenProtocol {
  fault: string;
  breaks: string;
  scenario: string;
  /**
   * What strikes it when it shows: one of these after the other, at any effects, or at those of this name, which takes less
   * time. None: it shows undisturbed.
   */
  shownBy: readonly (Move | readonly [kind: Move, effect: string])[];
  protocol: Protocol;
}

/** The protocol with one mistake each, as somebody might make it. */
export const brokenProtocols: readonly BrokenProtocol[] = [
  {
    fault: "revokes the old token before it promotes the new one",
    breaks: "I1",
    scenario: "no-grace",
    shownBy: [],
    protocol: withStep(async (context, step, target) => {
      if (step === "finishSecret") await revokeCurrent(context);
      await runStep(context, step, target);
    }),
  },
  {
    fault: "revokes in testSecret a token that fails its test",
    breaks: "I1",
    scenario: "grace",
    shownBy: [["denied", "testSecret issueShortTermToken"]],
    protocol: withStep(async (context, step, target) => {
      try {
        await runStep(context, step, target);
      } catch (error) {
        if (step === "testSecret") await revokeVersion(context, target.versionId);
        throw error;
      }
    }),
  },
  {
    fault: "returns early from finishSecret when the version is current already",
    breaks: "I4",
    scenario: "stale-retry",
    shownBy: ["crash"],
    protocol: withStep(async (context, step, target) => {
      if (step === "finishSecret") {
        const { stages } = await context.store.describe(context.arn);
        if (stages.get(target.versionId)?.includes("AWSCURRENT")) return;
      }
      await runStep(context, step, target);
    }),
  },
  {
    fault: "reads by stage label twice and takes the two for one state",
    breaks: "I1",
    scenario: "no-grace",
    shownBy: ["operator-back"],
    protocol: withStep(async (context, step, target) => {
      if (step !== "finishSecret") return await runStep(context, step, target);
      // The guard looks at AWSCURRENT once and the revocation takes whatever AWSCURRENT is by then for the old one.
      const before = await context.store.readCurrent(context.arn);
      const old = await context.store.readCurrent(context.arn);
      await promoteFrom(context, target, before?.versionId);
      if (old && old.versionId !== target.versionId) await revokeVersion(context, old.versionId);
    }),
  },
  {
    fault: "detaches a stuck version and revokes its token in one run",
    breaks: "I1",
    scenario: "stale-retry",
    shownBy: [
      ["crash", "finishSecret UpdateSecretVersionStage"],
      ["reconcile", "finishSecret UpdateSecretVersionStage"],
    ],
    protocol: {
      ...theProtocol,
      reconcile: async (context, request) => {
        const report = await reconcile(context, request);
        for (const [index, { detached }] of report.secrets.entries()) {
          const own = context.secrets[index];
          const secret = own && (await own.parts.store.describe(own.settings.secretName));
          for (const versionId of detached)
            if (secret) await revokeVersion({ ...own.parts, arn: secret.arn }, versionId);
        }
        return report;
      },
    },
  },
  {
    fault: "does not revoke a token that the store refused for good",
    breaks: "I2",
    scenario: "grace",
    shownBy: ["denied"],
    protocol: withStep((context, step, target) => {
      const c2mAt = (said: string | undefined): TokenUser | undefined => {
        const c2m = context.c2mAt(said);
        return c2m && step === "createSecret" ? { ...c2m, revokeToken: async () => "revoked" } : c2m;
      };
      return runStep({ ...context, c2mAt }, step, target);
    }),
  },
  {
    fault: "writes the issued id to the log after the store",
    breaks: "I3",
    scenario: "grace",
    shownBy: [],
    protocol: withStep(async (context, step, target) => {
      const held: (() => void)[] = [];
      const log: RotationContext["log"] = {
        metric: (name, value) => context.log.metric(name, value),
        event: (name, fields) => {
          if (name === "token.issued") held.push(() => context.log.event(name, fields));
          else {
            if (name === "token.stored") for (const say of held.splice(0)) say();
            context.log.event(name, fields);
          }
        },
      };
      await runStep({ ...context, log }, step, target);
    }),
  },
  {
    fault: "revokes without looking at AWSCURRENT immediately before",
    breaks: "I1",
    scenario: "grace",
    shownBy: ["operator-back"],
    protocol: { ...theProtocol, reconcile: (context, request) => reconcile(withoutGuard(context), request) },
  },
  {
    fault: "puts a secret into an error",
    breaks: "I5",
    scenario: "grace",
    shownBy: ["denied"],
    protocol: withStep(async (context, step, target) => {
      try {
        await runStep(context, step, target);
      } catch (error) {
        const version = await context.store.read(context.arn, target.versionId);
        throw version ? new PermanentError("unexpected", `It failed for ${version.value.reveal()}`) : error;
      }
    }),
  },
  {
    fault: "promotes a token that was not tested",
    breaks: "I1",
    scenario: "grace",
    shownBy: [],
    protocol: withStep(async (context, step, target) => {
      if (step === "testSecret") return;
      const c2mAt = saying(context.c2mAt, { issueShortTermToken: async () => works });
      await runStep(step === "finishSecret" ? { ...context, c2mAt } : context, step, target);
    }),
  },
  {
    fault: "does not revoke a token for which the secret has no room",
    breaks: "I2",
    scenario: "grace",
    shownBy: [["limit-spell", "createSecret PutSecretValue"]],
    protocol: withStep((context, step, target) => {
      const c2mAt = saying(context.c2mAt, { revokeToken: async () => "revoked" });
      return runStep(step === "createSecret" ? { ...context, c2mAt } : context, step, target);
    }),
  },
  {
    fault: "says that nothing of a retired secret lives while a superseded token does",
    breaks: "truth",
    scenario: "grace",
    shownBy: [
      ["up-retires", "finishSecret UpdateSecretVersionStage"],
      ["c2m-down", "reconcile DescribeSecret"],
    ],
    protocol: {
      ...theProtocol,
      reconcile: async (context, request) => {
        const report = await reconcile(context, request);
        return { ...report, secrets: report.secrets.map((secret) => ({ ...secret, quiet: true })) };
      },
    },
  },
  {
    fault: "issues a token for a secret whose tokens are being ended",
    breaks: "truth",
    scenario: "grace",
    shownBy: [
      ["decommission", "reconcile DescribeSecret"],
      ["up-client", "decommission DeleteSecret"],
    ],
    protocol: {
      ...theProtocol,
      runBootstrap: ({ store, ...context }) => {
        const describe = async (secretId: string) => {
          const secret = await store.describe(secretId);
          const stages = [...secret.stages].map(
            ([versionId, labels]) => [versionId, labels.filter((label) => label !== decommissionLabel)] as const,
          );
          return { ...secret, stages: new Map(stages) };
        };
        return runBootstrap({ ...context, store: { ...methodsOf(store), describe } });
      },
    },
  },
];

const works = { outcome: "works", token: undefined as never } as const;

/** A C2M of which some calls are answered otherwise. */
export function saying(
  c2mAt: SecretContext["c2mAt"],
  answers: Partial<TokenUser> | ((c2m: TokenUser) => Partial<TokenUser>),
): SecretContext["c2mAt"] {
  return (said) => {
    const c2m = c2mAt(said);
    return c2m && { ...c2m, ...(typeof answers === "function" ? answers(c2m) : answers) };
  };
}

export function withStep(step: RunStep): Protocol {
  return { ...theProtocol, runStep: step };
}

async function promoteFrom(
  context: RotationContext,
  { versionId }: Parameters<RunStep>[2],
  from: string | undefined,
): Promise<void> {
  if (from === versionId) return;
  const fromVersionId = from === undefined ? {} : { fromVersionId: from };
  await context.store.moveStage({
    secretId: context.arn,
    stage: "AWSCURRENT",
    toVersionId: versionId,
    ...fromVersionId,
  });
}

async function revokeCurrent(context: SecretContext): Promise<void> {
  const current = await context.store.readCurrent(context.arn);
  if (current) await revokeVersion(context, current.versionId);
}

/** Without any of the product's precautions. */
async function revokeVersion(context: SecretContext, versionId: string): Promise<void> {
  const version = await context.store.read(context.arn, versionId);
  const parsed = version && parseValue(version.value);
  if (parsed?.kind === "ours") await revokeToken(context, parsed.token);
}

async function revokeToken(context: SecretContext, token: StoredToken): Promise<void> {
  const { tokenId, accessToken, expiresAt } = token;
  if (tokenId === undefined) return;
  await context.c2mAt(token.baseUrl)?.revokeToken({ tokenId, bearer: accessToken, deadline: context.deadline });
  context.log.event("token.revoked", { secret: context.arn, token_id: tokenId, expires_at: expiresAt });
}

/** What was at AWSCURRENT at the run's first look is taken for what is there ever after. */
function withoutGuard(context: ReconcileContext): ReconcileContext {
  const secrets = context.secrets.map(({ settings, parts }): ListedSecret => {
    const { store } = parts;
    let first: ReturnType<typeof store.readCurrent> | undefined;
    const readFirst = (secretId: string) => {
      first ??= store.readCurrent(secretId);
      return first;
    };
    return {
      settings,
      parts: {
        ...parts,
        store: {
          ...methodsOf(store),
          describe: async (secretId) => {
            await readFirst(secretId);
            return await store.describe(secretId);
          },
          readCurrent: readFirst,
        },
      },
    };
  });
  return { ...context, secrets };
}

/** Its methods as they are, to be replaced one by one. */
function methodsOf(store: SecretStore): SecretStore {
  return {
    describe: (secretId) => store.describe(secretId),
    read: (secretId, versionId) => store.read(secretId, versionId),
    readCurrent: (secretId) => store.readCurrent(secretId),
    listVersions: (secretId) => store.listVersions(secretId),
    put: (version) => store.put(version),
    moveStage: (move) => store.moveStage(move),
  };
}
