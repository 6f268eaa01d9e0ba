import { PermanentError, type RollbackCode } from "../../src/ports/errors.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode, refused } from "../failure.ts";
import { protocolFor } from "../protocol.ts";
import { endOf } from "../rotation-off.ts";
import { graceMsOf, logGroupOf, onlySecret } from "../target.ts";
import { date, relative } from "../time-text.ts";
import { viewToken } from "../token-view.ts";
import { act, stepTimeOf } from "./confirm-and-act.ts";
import { planRollback, rollback as rollBack } from "./rollback-plan.ts";

export async function rollback(call: Call): Promise<ExitCode> {
  const { options, terminal, clock } = call;
  const timeoutMs = options.duration("timeout", 40_000);
  const target = await call.target();
  const aws = await call.aws();
  const view = await viewToken(aws, onlySecret(target));
  const end = endOf(view);
  if (end) throw end;
  const logGroup = await logGroupOf(aws, target, view.rotationLambdaArn);
  const request = {
    ledger: aws.ledger(logGroup),
    graceMs: graceMsOf(options, target, view.arn),
    stepMs: await stepTimeOf(aws, target, view),
    acceptExpiry: options.flag("accept-expiry"),
  };
  const { context, log } = protocolFor(call, aws, target, view, timeoutMs);
  const plan = await planRollback(context, request).catch(refusal);
  if (options.flag("dry-run")) {
    const { token } = plan;
    terminal.result({ name: view.name, dryRun: true, tokenId: token.tokenId ?? null }, () => {
      terminal.line(
        `Would exchange ${token.tokenId ?? "the previous token"} and make it current; it lives until ${date(Date.parse(token.expiresAt))}.`,
      );
    });
    return exitCode.done;
  }
  await act(
    call,
    { aws, log, logGroup, ifCut },
    () => rollBack(context, request).catch(refusal),
    (done) =>
      terminal.result({ name: view.name, ...done }, () => {
        const endsAt = Date.parse(done.expiresAt);
        const { nextRotationAt } = plan;
        terminal.line(`${done.tokenId ?? "The previous token"} is current again; it expires ${date(endsAt)}.`);
        terminal.line(`The replaced version ${done.replacedVersionId} keeps its grace.`);
        if (nextRotationAt !== undefined && nextRotationAt < endsAt) {
          terminal.line(`The schedule goes on: the next rotation is due by ${date(nextRotationAt)}.`);
        } else {
          const when = `${relative(endsAt, clock.now())}, before any rotation is due`;
          terminal.line(`It ends ${when}: c2m-tokens rotate --wait --secret ${view.name}`);
        }
      }),
  );
  return exitCode.done;
}

const ifCut = `The previous token may be current or not, an open rotation may have lost AWSPENDING. \`c2m-tokens status\` says which
token is current, and \`c2m-tokens verify\` whether it works. Run rollback again only where it has not moved, or does not work: it
goes to whatever token is the previous one then. Where it has not moved, the previous token is kept from being revoked until
\`c2m-tokens unstick\`, another rollback or the next rotation.`;

/** Each of these leaves AWSCURRENT where it was. */
const reasons: ReadonlySet<string> = new Set<RollbackCode>([
  "no_previous",
  "previous_foreign",
  "previous_expired",
  "previous_revoked",
  "previous_ends_early",
  "previous_elsewhere",
  "previous_dead",
]);

function refusal(error: unknown): never {
  if (error instanceof PermanentError && reasons.has(error.code)) throw refused(error.message);
  throw error;
}
