import { parseValue } from "../../../src/formats/stored-token.ts";
import { entriesByName, reconcile } from "../../../src/reconcile/reconcile.ts";
import type { ReconcileContext } from "../../../src/reconcile/run.ts";
import { runStep } from "../../../src/rotation/steps/run-step.ts";
import { type BrokenProtocol, withStep } from "./broken.ts";
import { ask, commanding } from "./broken-commands.ts";
import { runCommand } from "./commands.ts";
import { theProtocol } from "./functions.ts";
import type { World } from "./parts.ts";

/** Broken in what follows from `pulumi up`: secrets that are added, removed or renamed, and a change freeze. */
export const brokenUps: readonly BrokenProtocol[] = [
  {
    fault: "revokes in a change freeze",
    breaks: "freeze",
    scenario: "no-grace",
    shownBy: [
      ["up-paused", "finishSecret DescribeSecret"],
      ["crash", "finishSecret revokeToken"],
    ],
    protocol: {
      ...theProtocol,
      reconcile: (context, request) => reconcile({ ...context, paused: false }, request),
    },
  },
  {
    fault: "begins a rotation in a change freeze",
    breaks: "freeze",
    scenario: "grace",
    shownBy: [
      ["up-paused", "reconcile DescribeSecret"],
      ["operator-rotate", "reconcile FilterLogEvents"],
    ],
    protocol: withStep((context, step, target) => runStep({ ...context, paused: false }, step, target)),
  },
  {
    fault: "revokes the tokens of a secret that the settings don't list, which apps may still read",
    breaks: "I1",
    scenario: "two-secrets",
    shownBy: [["up-removes", "reconcile DescribeSecret"]],
    protocol: {
      ...theProtocol,
      reconcile: async (context, request) => {
        const report = await reconcile(context, request);
        await revokeUnlisted(context);
        return report;
      },
    },
  },
  {
    fault: "deletes a renamed secret as if its tokens lived on under the new name",
    breaks: "truth",
    scenario: "grace",
    shownBy: [["up-renames", "reconcile DescribeSecret"]],
    protocol: commanding("decommission", async (world, run, index) => {
      const isRenamed = world.secrets.some((other) => other.index > index);
      if (!isRenamed) return await runCommand(world, run, "decommission", index);
      const input = { SecretId: world.of(index).arn };
      await ask(world, run, "CancelRotateSecret", input);
      await ask(world, run, "DeleteSecret", input);
      return { exitCode: 0, result: {} };
    }),
  },
  {
    fault: "revokes without regard to a secret that was added and holds the same token",
    breaks: "I1",
    scenario: "no-grace",
    shownBy: [
      ["up-adds", "createSecret DescribeSecret"],
      ["same-token", "bootstrap issueLongTermToken"],
    ],
    protocol: withStep((context, step, target) => runStep({ ...context, siblings: [] }, step, target)),
  },
  {
    fault: "decommissions a secret without regard to what another one holds",
    breaks: "I1",
    scenario: "grace",
    shownBy: [
      ["up-renames", "reconcile DescribeSecret"],
      ["same-token", "bootstrap issueLongTermToken"],
    ],
    protocol: commanding("decommission", (world, run, index) =>
      runCommand(withoutOthers(world, index), run, "decommission", index),
    ),
  },
];

/** What the ledger names and no listed secret has is taken for left over. */
async function revokeUnlisted({ ledger, secrets, log, deadline }: ReconcileContext): Promise<void> {
  const listed = new Set(secrets.map(({ settings }) => settings.secretName));
  const [one] = secrets;
  const current = one && (await one.parts.store.readCurrent(one.settings.secretName));
  const parsed = current && parseValue(current.value);
  if (!one || parsed?.kind !== "ours") return;
  for (const [name, entries] of entriesByName((await ledger.read(0)).entries)) {
    if (listed.has(name)) continue;
    for (const { event, fields } of entries) {
      if (event !== "token.issued" || fields.token_id === undefined) continue;
      const { secret, token_id, expires_at } = fields;
      const bearer = parsed.token.accessToken;
      await one.parts.c2mAt(fields.base_url)?.revokeToken({ tokenId: token_id, bearer, deadline });
      log.event("token.revoked", { secret, token_id, expires_at });
    }
  }
}

/** The world as a command sees it that knows of one secret. */
function withoutOthers(world: World, index: number): World {
  const others = world.secrets.map((secret) => secret.index).filter((other) => other !== index);
  return Object.create(world, { decommissioned: { value: new Set(others) } });
}
