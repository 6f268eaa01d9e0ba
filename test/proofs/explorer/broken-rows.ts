import type { IssuedToken, TokenUser } from "../../../src/ports/c2m.ts";
import type { SecretStore } from "../../../src/ports/secret-store.ts";
import { reconcile } from "../../../src/reconcile/reconcile.ts";
import type { ReconcileContext } from "../../../src/reconcile/run.ts";
import type { SecretContext } from "../../../src/rotation/context.ts";
import { runBootstrap, runStep } from "../../../src/rotation/steps/run-step.ts";
import { type BrokenProtocol, saying, withStep } from "./broken.ts";
import { commanding, moveBack } from "./broken-commands.ts";
import { runCommand } from "./commands.ts";
import { type Protocol, theProtocol } from "./functions.ts";

/** A variant that is broken in the way of a row of issue 16's table. */
export interface BrokenRow extends BrokenProtocol {
  row: number;
}

const works = { outcome: "works", token: undefined as never } as const;

/** Every function asks C2M in this way. */
function askingOtherwise(change: (c2mAt: SecretContext["c2mAt"]) => SecretContext["c2mAt"]): Protocol {
  return {
    ...theProtocol,
    runStep: (context, step, target) => runStep({ ...context, c2mAt: change(context.c2mAt) }, step, target),
    runBootstrap: (context) => runBootstrap({ ...context, c2mAt: change(context.c2mAt) }),
    reconcile: (context, request) => reconcile(reconcilingWith(context, change), request),
  };
}

function reconcilingWith(
  context: ReconcileContext,
  change: (c2mAt: SecretContext["c2mAt"]) => SecretContext["c2mAt"],
): ReconcileContext {
  const secrets = context.secrets.map(({ settings, parts }) => ({
    settings,
    parts: { ...parts, c2mAt: change(parts.c2mAt) },
  }));
  return { ...context, secrets };
}

export const brokenRows: readonly BrokenRow[] = [
  {
    row: 1,
    fault: "sends a token to the settings' C2M, whatever C2M it belongs to",
    breaks: "I5",
    scenario: "grace",
    shownBy: ["up-base-url"],
    protocol: askingOtherwise((c2mAt) => () => c2mAt(undefined) ?? c2mAt("https://other-c2m.test/v2")),
  },
  {
    row: 2,
    fault: "takes whatever a gateway says to a revocation for a death",
    breaks: "I2",
    scenario: "grace",
    shownBy: ["gateway-404"],
    protocol: askingOtherwise((c2mAt) =>
      saying(c2mAt, (c2m: TokenUser) => ({
        revokeToken: async (request) => {
          const answer = await c2m.revokeToken(request);
          return answer === "not_found" || answer === "unclear" ? "revoked" : answer;
        },
      })),
    ),
  },
  {
    row: 3,
    fault: "says that a leaked token is dead when it was not seen dead",
    breaks: "truth",
    scenario: "grace",
    shownBy: ["compromised", "gateway-spell"],
    protocol: commanding("compromised", async (world, run, index) => {
      const end = await runCommand(world, run, "compromised", index).catch(() => ({ result: undefined }));
      return { ...end, exitCode: 0 };
    }),
  },
  {
    row: 4,
    fault: "rolls back without regard to a revocation that is on its way",
    breaks: "I1",
    scenario: "grace",
    shownBy: ["rollback"],
    protocol: commanding("rollback", moveBack),
  },
  {
    row: 5,
    fault: "does not look whether the current token works before the last other one goes",
    breaks: "I2",
    scenario: "grace",
    shownBy: [["c2m-revokes-current", "reconcile FilterLogEvents"]],
    protocol: {
      ...theProtocol,
      reconcile: (context, request) => {
        // Of the exchanges only a proof of life is narrowed to a scope.
        const unasked = (c2m: TokenUser): Partial<TokenUser> => ({
          issueShortTermToken: async (exchange) =>
            exchange.scopes === undefined ? await c2m.issueShortTermToken(exchange) : works,
        });
        return reconcile(
          reconcilingWith(context, (c2mAt) => saying(c2mAt, unasked)),
          request,
        );
      },
    },
  },
  {
    row: 8,
    fault: "looks at each secret as if there were no other that holds the same token",
    breaks: "I1",
    scenario: "two-secrets",
    shownBy: [
      ["same-token", "bootstrap issueLongTermToken"],
      ["fewer-scopes", "createSecret issueLongTermToken"],
    ],
    protocol: {
      ...theProtocol,
      reconcile: async (context, request) => {
        const reports = [];
        for (const one of context.secrets) reports.push(await reconcile({ ...context, secrets: [one] }, request));
        const whole = reports[0] ?? (await reconcile(context, request));
        return { ...whole, secrets: reports.flatMap(({ secrets }) => secrets) };
      },
    },
  },
  {
    row: 9,
    fault: "revokes while a replica has failed that may still show the token",
    breaks: "I1",
    scenario: "grace",
    shownBy: ["replica-failed"],
    protocol: {
      ...theProtocol,
      reconcile: (context, request) => {
        const secrets = context.secrets.map(({ settings, parts }) => {
          const store: SecretStore = {
            ...bound(parts.store),
            describe: async (id) => ({ ...(await parts.store.describe(id)), replicasInSync: true }),
          };
          return { settings, parts: { ...parts, store } };
        });
        return reconcile({ ...context, secrets }, request);
      },
    },
  },
  {
    row: 12,
    fault: "promotes in finishSecret what no step before it has proven",
    breaks: "I1",
    scenario: "grace",
    shownBy: ["finish-first"],
    protocol: withStep((context, step, target) => {
      const c2mAt = saying(context.c2mAt, { issueShortTermToken: async () => works });
      return runStep(step === "finishSecret" ? { ...context, c2mAt } : context, step, target);
    }),
  },
  {
    row: 14,
    fault: "reads the ledger of a secret by its ARN, which is another one when it is made again",
    breaks: "I2",
    scenario: "grace",
    shownBy: ["up-made-again"],
    protocol: {
      ...theProtocol,
      reconcile: async (context, request) => {
        const described = context.secrets.map(({ settings, parts }) => parts.store.describe(settings.secretName));
        const arns = new Set((await Promise.all(described)).map(({ arn }) => arn));
        const read = async (from: number) => {
          const part = await context.ledger.read(from);
          return { ...part, entries: part.entries.filter(({ fields }) => arns.has(fields.secret)) };
        };
        return await reconcile({ ...context, ledger: { read } }, request);
      },
    },
  },
  {
    row: 16,
    fault: "does not count a value that was there before us and has no id",
    breaks: "I2",
    scenario: "adopted-token",
    shownBy: [],
    protocol: {
      ...theProtocol,
      reconcile: async (context, request) => {
        const report = await reconcile(context, request);
        const secrets = report.secrets.map((secret) => ({
          ...secret,
          unrevocable: secret.unrevocable.filter(({ tokenId }) => tokenId !== undefined),
        }));
        return { ...report, secrets };
      },
    },
  },
  {
    row: 18,
    fault: "revokes what it could not store, though it is the token that was given before",
    breaks: "I1",
    scenario: "no-grace",
    shownBy: [
      ["same-token", "createSecret issueLongTermToken"],
      ["denied", "createSecret PutSecretValue"],
    ],
    protocol: withStep(async (context, step, target) => {
      let issued: IssuedToken | undefined;
      const issuer: typeof context.issuer = {
        issueLongTermToken: async (request) => {
          issued = await context.issuer.issueLongTermToken(request);
          return issued;
        },
      };
      try {
        await runStep({ ...context, issuer }, step, target);
      } catch (error) {
        const { tokenId, accessToken: bearer } = issued ?? {};
        const { deadline } = context;
        if (tokenId !== undefined && bearer) {
          await context.c2mAt(context.settings.baseUrl)?.revokeToken({ tokenId, bearer, deadline });
        }
        throw error;
      }
    }),
  },
  {
    row: 20,
    fault: "does not report what nobody can revoke",
    breaks: "I2",
    scenario: "grace",
    shownBy: [["no-id", "createSecret issueLongTermToken"]],
    protocol: {
      ...theProtocol,
      reconcile: async (context, request) => {
        const report = await reconcile(context, request);
        return { ...report, secrets: report.secrets.map((secret) => ({ ...secret, unrevocable: [] })) };
      },
    },
  },
  {
    row: 21,
    fault: "forgets the id in the header where the body has another",
    breaks: "I3",
    scenario: "grace",
    shownBy: ["other-id"],
    protocol: withStep((context, step, target) => {
      const issuer: typeof context.issuer = {
        issueLongTermToken: async (request) => ({
          ...(await context.issuer.issueLongTermToken(request)),
          headerTokenId: undefined,
        }),
      };
      return runStep({ ...context, issuer }, step, target);
    }),
  },
  {
    row: 22,
    fault: "keeps the short token with which it has issued a long one",
    breaks: "I2",
    scenario: "short-token",
    shownBy: [],
    protocol: withStep((context, step, target) => {
      Object.assign(context.issuer, { close: async () => {} });
      return runStep(context, step, target);
    }),
  },
];

/** A store whose methods can be exchanged one by one. */
function bound(store: SecretStore): SecretStore {
  return {
    describe: (...of) => store.describe(...of),
    read: (...of) => store.read(...of),
    readCurrent: (...of) => store.readCurrent(...of),
    listVersions: (...of) => store.listVersions(...of),
    put: (...of) => store.put(...of),
    moveStage: (...of) => store.moveStage(...of),
  };
}

/** The rows that no variant here can be one of, and why. */
export const rowsWithout: Readonly<Record<number, string>> = {
  6: "a decommission that does not look again loses only against a rotation that begins in the one moment between its last look and the deletion: shown in test/cli, where that moment is held",
  7: "C2M clamps for some hours here, and a rotation that waits until it does not is no breach; that it never ends is shown in test/rotation",
  11: "an expiry weeks ahead lies beyond the days that a schedule is played for",
  13: "a suspect too many is an alarm and no breach of the promise",
  15: "a false alarm is no breach of the promise",
  17: "an endless page is the adapter's to end (test/aws); lines that are no ledger's are among the moves",
  19: "the rules of EventBridge are the program's (test/infra)",
  23: "Lambda's own filter of the log is not played here; a lost line is",
  24: "a rotation that waits for right credentials breaks no promise",
};
