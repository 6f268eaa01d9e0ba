import { proveToken } from "../../src/rotation/prove.ts";
import type { Aws } from "../aws.ts";
import type { Call } from "../command.ts";
import { failed } from "../failure.ts";
import { protocolFor } from "../protocol.ts";
import { readHistory, unwantedFailure } from "../rotation-history.ts";
import { rotationOff } from "../rotation-off.ts";
import { logGroupOf, reconcilerOf, rotatorOf, type Target } from "../target.ts";
import { date, relative, span } from "../time-text.ts";
import { expiryOf, type TokenView, tokenOf, viewToken } from "../token-view.ts";
import { isReconcilerLate } from "./diagnosis.ts";
import { type Check, type Finding, found } from "./finding.ts";

/**
 * Goes through all that one token's life depends on. Never throws.
 *
 * @returns what was found, and the secret as far as it could be seen
 */
export async function examineToken(
  call: Call,
  target: Target,
  secretId: string,
): Promise<{ checks: Finding[]; view: TokenView | undefined }> {
  const seen: { view?: TokenView } = {};
  const secret = await found("secret", async () => {
    const view = await viewToken(await call.aws(), secretId);
    seen.view = view;
    const [, , , region, account] = view.arn.split(":");
    return `${view.name} in account ${account}, ${region}`;
  });
  const checks = [secret];
  if (!seen.view) return { checks, view: undefined };
  const aws = await call.aws();
  for (const [name, look] of checksOf(call, aws, target, seen.view)) checks.push(await found(name, look));
  return { checks, view: seen.view };
}

function checksOf(call: Call, aws: Aws, target: Target, view: TokenView): Check[] {
  const now = call.clock.now();
  const lambdaArn = view.rotationLambdaArn;
  const logGroup = () => logGroupOf(aws, target, lambdaArn);
  const functionOf = async (name: string) => {
    const { runtime, state, timeoutSeconds } = await aws.functionConfiguration(name);
    if (state !== undefined && state !== "Active") throw failed(`${name} is ${state}.`, "pulumi up");
    return `${name}, ${runtime}, ${timeoutSeconds} s`;
  };
  return [
    [
      "value",
      async () => {
        const off = rotationOff(view);
        if (off && (view.deletedAt !== undefined || view.current?.isCredentials)) throw off;
        const token = tokenOf(view.current);
        if (!token) throw failed("AWSCURRENT holds no token of ours.", "pulumi up, or rotate");
        return `${token.tokenId ?? "a token without id"}, expires ${date(Date.parse(token.expiresAt))}`;
      },
    ],
    [
      "versions",
      async () => {
        return `${(await aws.store.listVersions(view.arn)).length}`;
      },
    ],
    ["rotation function", () => functionOf(rotatorOf(target, lambdaArn))],
    [
      "rotation",
      async () => {
        const off = rotationOff(view);
        if (off) throw off;
        const named = lambdaArn?.split(":")[6];
        const { rotator } = target.functions;
        if (rotator !== undefined && rotator !== named) {
          throw failed(`The secret is rotated by ${named}, not by ${rotator}.`, "pulumi up");
        }
        return `${view.schedule ?? "on"}, ${view.lastRotatedAt === undefined ? "never completed yet" : `last ${relative(view.lastRotatedAt, now)}`}`;
      },
    ],
    ["schedule against lifetime", async () => aboutLifetime(view)],
    ["reconciler", () => functionOf(reconcilerOf(target, lambdaArn))],
    [
      "may invoke the reconciler",
      async () => {
        await aws.mayInvoke(reconcilerOf(target, lambdaArn));
        return "yes";
      },
    ],
    [
      "log retention",
      async () => {
        const name = await logGroup();
        const days = await aws.logRetention(name);
        if (days === null) throw failed(`There is no log group ${name}.`, "pulumi up");
        return aboutRetention(view, days);
      },
    ],
    [
      "the functions' log",
      async () => {
        const history = await readHistory(aws, await logGroup(), view, now);
        const failure = unwantedFailure(history);
        if (failure) {
          const { at, step, reason } = failure;
          throw failed(
            `The last rotation failed ${relative(at, now)} in ${step}: ${reason}`,
            `c2m-tokens unstick --secret ${view.name}`,
          );
        }
        if (isReconcilerLate(view, history, now)) {
          throw failed(
            "The reconciler has not run for hours.",
            "Look at its schedule in EventBridge; `c2m-tokens reconcile` runs it now.",
          );
        }
        if (history.reconcileFailure !== undefined)
          throw failed(
            `The reconciler could not do all: ${history.reconcileFailure}`,
            `c2m-tokens reconcile --secret ${view.name}`,
          );
        return "no failure";
      },
    ],
    [
      "C2M",
      async () => {
        const token = tokenOf(view.current);
        if (!token) throw failed("There is no token to try it with.");
        const { context } = protocolFor(call, aws, target, view, call.options.duration("timeout", 20_000));
        if ((await proveToken(context, token, 0)) === "works") return `${target.baseUrl} accepts the current token`;
        throw failed("C2M rejects the current token.", `c2m-tokens rotate --wait --secret ${view.name}`);
      },
    ],
  ];
}

function aboutLifetime(view: TokenView): string {
  const { nextRotationAt } = view;
  const expiresAt = expiryOf(view.current);
  if (nextRotationAt === undefined || expiresAt === undefined) return "nothing to compare";
  if (nextRotationAt < expiresAt)
    return `the next rotation comes ${span(expiresAt - nextRotationAt)} before the token expires`;
  throw failed(
    `The next rotation comes ${span(nextRotationAt - expiresAt)} after the token expires.`,
    `c2m-tokens rotate --wait --secret ${view.name}, and a shorter schedule`,
  );
}

/** The log is the ledger of issued tokens: it must not forget one that lives. */
function aboutRetention(view: TokenView, days: number | undefined): string {
  const token = tokenOf(view.current);
  const lifetimeMs = token?.issuedAt === undefined ? 0 : Date.parse(token.expiresAt) - Date.parse(token.issuedAt);
  if (days === undefined) return "for ever";
  if (days * 86_400_000 >= lifetimeMs) return `${days} d, and a token lives ${span(lifetimeMs)}`;
  throw failed(`${days} d, and a token lives ${span(lifetimeMs)}: ids of live tokens are forgotten.`, "pulumi up");
}
