import { RotationError } from "../../src/ports/errors.ts";
import { unmarkDecommissioned } from "../../src/rotation/decommissioned.ts";
import type { Aws } from "../aws.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode, type Failure, failed, refused, usage } from "../failure.ts";
import { protocolFor } from "../protocol.ts";
import { readHistory } from "../rotation-history.ts";
import { deletionOf, noToken } from "../rotation-off.ts";
import { logGroupOf, onlySecret } from "../target.ts";
import { date, span } from "../time-text.ts";
import { type TokenView, viewToken } from "../token-view.ts";
import { waitUntil } from "../wait-until.ts";
import { act, confirmByName, refuseWhileAtWork, stepTimeOf } from "./confirm-and-act.ts";
import { type EndOfLife, endTokens, type Left, mostEffectMs, mostWaitMs, tokensToEnd } from "./end-of-life.ts";

/** For each token's revocation with its repetitions; there are a handful. In ms. */
const timeoutMs = 5 * 60_000;

export async function decommission(call: Call): Promise<ExitCode> {
  const { options, terminal, clock, signal } = call;
  const days = Number(options.text("recovery-days") ?? 30);
  if (!Number.isInteger(days) || days < 7 || days > 30) throw usage("--recovery-days must be a whole number, 7 to 30.");
  const target = await call.target();
  const aws = await call.aws();
  const view = await viewToken(aws, onlySecret(target));
  const deletion = deletionOf(view);
  if (deletion) throw deletion;
  if (view.current?.isCredentials) throw refused(`${view.name}: ${noToken.what}`, noToken.remedy);
  if (options.flag("cancel")) return await cancel(call, aws, view);
  const logGroup = await logGroupOf(aws, target, view.rotationLambdaArn);
  const ledger = aws.ledger(logGroup);
  const history = await readHistory(aws, logGroup, view, clock.now());
  await refuseWhileAtWork(call, aws, { target, view, history });
  const stepMs = await stepTimeOf(aws, target, view);
  const deletes = view.isOurs || options.flag("delete-lent");
  if (deletes && view.replicaRegions.length > 0) throw replicated(view);
  const { context, log } = protocolFor(call, aws, target, view, timeoutMs + stepMs + mostWaitMs(stepMs) + mostEffectMs);
  const subject = { context, ledger, baseUrl: target.baseUrl, others: target.others };
  if (options.flag("dry-run")) {
    const tokens = (await tokensToEnd(subject)).map((id) => id ?? "without id");
    const mostWaitSeconds = mostWaitMs(stepMs) / 1_000;
    terminal.result({ name: view.name, dryRun: true, tokens, deletes, mostWaitSeconds }, () => {
      const end = deletes ? `delete the secret in ${days} days` : lent;
      terminal.line(
        `Would stop the rotation of ${view.name}, wait up to ${span(mostWaitMs(stepMs))} until no step can be at work, revoke ${tokens.join(", ") || "nothing"}, and ${end}.`,
      );
    });
    return exitCode.done;
  }
  const what = `This revokes every token of ${view.name}, the current one too. Apps that use it fail.`;
  await confirmByName(call, view.name, what);
  const end: EndOfLife = {
    ...subject,
    aws,
    stepMs,
    signal,
    wait: async (moment, why) => {
      const waiting = `waiting ${span(moment - clock.now())}, until ${date(moment)}`;
      terminal.line(
        why === "step"
          ? `  rotation  stopped; ${waiting}: then no step can be at work that began before, and the log tells of all`
          : `  revoked, says something that need not be Click2Mail; ${waiting}: then Click2Mail should reject what is revoked`,
      );
      await waitUntil(moment, {
        now: () => clock.now(),
        pause: (ms) => clock.sleep(ms, signal),
        say: (text) => terminal.line(text),
      });
    },
    onRevoked: (tokenId) => terminal.line(`  revoked ${tokenId}`),
  };
  const left = await act(call, { aws, log, logGroup, ifCut }, () => endTokens(end).catch(kept));
  // Told before the secret goes: it holds the last trace of them.
  for (const { tokenId, until, ...rest } of left) {
    const why = whyLeft(rest);
    terminal.line(
      `  ${terminal.paint("bad", "alive")}   ${tokenId ?? "a token whose id is not known"} until ${until ?? "its unknown expiry"}: ${why}`,
    );
  }
  const lost = left.filter(({ heldBy }) => heldBy === undefined);
  const completes = lost.length === 0 || options.flag("accept-alive");
  const goneAt = completes && deletes ? await aws.deleteSecret(view.arn, days) : undefined;
  const deletionDate = goneAt === undefined ? null : new Date(goneAt).toISOString();
  const result = { name: view.name, deleted: completes && deletes, deletionDate, alive: left };
  terminal.result(result, () => {
    if (!completes) {
      terminal.line(`${view.name} is kept while they live. To delete it all the same:`);
      terminal.line(`  c2m-tokens decommission --accept-alive --secret ${view.name}`);
    } else if (deletes) {
      terminal.line(
        `${view.name} is deleted on ${deletionDate ?? "the date that AWS shows"}. Now take it out of the stack's tokens: the reconciler reports that it can't look at it until \`pulumi up\` without it.`,
      );
    } else {
      terminal.line(`${view.name} is kept, with a dead token: ${lent}.`);
    }
  });
  return completes ? exitCode.done : exitCode.failed;
}

function whyLeft({ heldBy, unseen }: Pick<Left, "heldBy" | "unseen">): string {
  if (heldBy !== undefined) return `it is current in ${heldBy}, too`;
  if (unseen) return "perhaps: something that need not be Click2Mail called it revoked; ask Click2Mail";
  return "nobody can revoke it; ask Click2Mail";
}

/** Told before anything is revoked: AWS would refuse only the deletion, at the end. */
function replicated({ name, replicaRegions }: TokenView): Failure {
  return refused(
    `${name} has replicas, and AWS deletes no secret that has any.`,
    `aws secretsmanager remove-regions-from-replication --secret-id ${name} --remove-replica-regions ${replicaRegions.join(" ")} takes it from the apps there at once; then run this again`,
  );
}

/** Gives up a decommission that was begun. */
async function cancel({ options, terminal }: Call, aws: Aws, view: TokenView): Promise<ExitCode> {
  const dryRun = options.flag("dry-run");
  const { arn, name, isDecommissioned } = view;
  if (isDecommissioned && !dryRun) await unmarkDecommissioned({ arn, store: aws.store }, await aws.store.describe(arn));
  terminal.result({ name, dryRun, cancelled: isDecommissioned && !dryRun }, () => {
    if (!isDecommissioned) terminal.line(`No decommission of ${name} was begun.`);
    else if (dryRun) terminal.line(`Would let tokens be issued for ${name} again.`);
    else {
      terminal.line(`Tokens may be issued for ${name} again. What is revoked stays revoked.`);
      if (!view.rotationEnabled) terminal.line("Its rotation is switched off: pulumi up --refresh");
    }
  });
  return exitCode.done;
}

const lent = "it is not this stack's own, and is left to its owner (--delete-lent deletes it)";

const ifCut =
  "What this run has revoked is missing in the functions' log. Run the command again: it goes on where it stopped.";

function kept(error: unknown): Promise<Left[]> {
  if (!(error instanceof RotationError)) throw error;
  throw failed(`Not every token is revoked yet, so the secret is kept: ${error.message}`, "Run the command again.");
}
