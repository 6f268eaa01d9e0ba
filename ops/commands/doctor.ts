import { DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand, InvokeCommand } from "@aws-sdk/client-lambda";
import { ListSecretVersionIdsCommand } from "@aws-sdk/client-secrets-manager";
import { version } from "../../lambdas/c2m/version.ts";
import { proveToken } from "../../lambdas/rotation/prove-token.ts";
import type { Call, Command } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { failed, failureOf } from "../failure.ts";
import { protocolFor } from "../protocol.ts";
import { readHistory } from "../rotation-history.ts";
import { logGroupOf, reconcilerOf, rotatorOf, type Target } from "../target.ts";
import { date, relative, span } from "../time-text.ts";
import { expiryOf, type TokenView, tokenOf, viewToken } from "../token-view.ts";

/** The reconciler runs hourly. In ms. */
const heartbeatMs = 3 * 3_600_000;

export const doctor: Command = {
  name: "doctor",
  summary: "check everything that a token's life depends on, line by line",
  description: `Tries what can be tried without changing anything: account and region, what you may do, the functions, the log group
and its retention, the schedule against the token's lifetime, the reconciler's heartbeat, what the functions were denied lately, and
whether C2M answers. What can't be tried without doing it (RotateSecret, say) is not.`,
  examples: [
    ["doctor --stack production", "after a deployment, or when nothing seems to work"],
    ["doctor --secret c2m/api-token --json", "for a script; exit status 1 when a check fails"],
  ],
  options: {
    timeout: { type: "string", value: "DURATION", help: 'how long C2M may take (default "20 seconds")' },
  },
  async run(call) {
    const target = await call.target();
    const { terminal } = call;
    const tokens: { secret: string; checks: Finding[] }[] = [];
    for (const secretId of target.secrets)
      tokens.push({ secret: secretId, checks: await examine(call, target, secretId) });
    const result = { version, node: process.version, tokens };
    terminal.result(result, () => {
      terminal.line(`c2m-tokens ${version} on Node ${process.version}`);
      for (const { secret, checks } of tokens) {
        terminal.line(terminal.paint("strong", secret));
        for (const { check, ok, said, fix } of checks) {
          terminal.line(
            `  ${ok ? terminal.paint("good", "ok   ") : terminal.paint("bad", "wrong")}  ${check}: ${said}`,
          );
          if (fix !== null) terminal.line(`         ${terminal.paint("strong", `→ ${fix}`)}`);
        }
      }
    });
    return tokens.every(({ checks }) => checks.every(({ ok }) => ok)) ? exitCode.done : exitCode.failed;
  },
};

interface Finding {
  check: string;
  ok: boolean;
  said: string;
  fix: string | null;
}

/** What one check says when all is well; throws a Failure where not. */
type Check = [name: string, look: () => Promise<string>];

async function examine(call: Call, target: Target, secretId: string): Promise<Finding[]> {
  const seen: { view?: TokenView } = {};
  const secret = await found("secret", async () => {
    const view = await viewToken(call.aws(), secretId);
    seen.view = view;
    const [, , , region, account] = view.arn.split(":");
    return `${view.name} in account ${account}, ${region}`;
  });
  if (!seen.view) return [secret];
  const findings = [secret];
  for (const [name, look] of checksOf(call, target, seen.view)) findings.push(await found(name, look));
  return findings;
}

function checksOf(call: Call, target: Target, view: TokenView): Check[] {
  const { secrets, lambda, logs } = call.aws();
  const now = call.clock.now();
  const lambdaArn = view.rotationLambdaArn;
  const logGroup = () => logGroupOf(call.aws(), target, lambdaArn);
  const functionOf = async (FunctionName: string) => {
    const { Runtime, State, Timeout } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    if (State !== undefined && State !== "Active") throw failed(`${FunctionName} is ${State}.`, "pulumi up");
    return `${FunctionName}, ${Runtime}, ${Timeout} s`;
  };
  return [
    [
      "value",
      async () => {
        if (view.deletedAt !== undefined)
          throw failed(
            "The secret is marked for deletion.",
            `aws secretsmanager restore-secret --secret-id ${view.name}`,
          );
        const token = tokenOf(view.current);
        if (!token) throw failed("AWSCURRENT holds no token of ours.", "pulumi up, or rotate");
        return `${token.tokenId ?? "a token without id"}, expires ${date(Date.parse(token.expiresAt))}`;
      },
    ],
    [
      "versions",
      async () => {
        const { Versions = [] } = await secrets.send(
          new ListSecretVersionIdsCommand({ SecretId: view.arn, IncludeDeprecated: true }),
        );
        return `${Versions.length}`;
      },
    ],
    ["rotation function", () => functionOf(rotatorOf(target, lambdaArn))],
    [
      "rotation",
      async () => {
        if (!view.rotationEnabled) throw failed("Switched off.", "pulumi up");
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
        await lambda.send(
          new InvokeCommand({ FunctionName: reconcilerOf(target, lambdaArn), InvocationType: "DryRun" }),
        );
        return "yes";
      },
    ],
    [
      "log retention",
      async () => {
        const name = await logGroup();
        const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
        const group = logGroups.find(({ logGroupName }) => logGroupName === name);
        if (!group) throw failed(`There is no log group ${name}.`, "pulumi up");
        return aboutRetention(view, group.retentionInDays);
      },
    ],
    [
      "the functions' log",
      async () => {
        const history = await readHistory(call.aws(), await logGroup(), view, now);
        if (history.lastFailure) {
          const { at, step, reason } = history.lastFailure;
          throw failed(
            `The last rotation failed ${relative(at, now)} in ${step}: ${reason}`,
            `c2m-tokens unstick --secret ${view.name}`,
          );
        }
        const { lastReconciledAt = 0, reconcileFailure } = history;
        // A new stack's first run comes within the hour.
        if (lastReconciledAt < now - heartbeatMs && (view.createdAt ?? 0) < now - heartbeatMs) {
          throw failed(
            "The reconciler has not run for hours.",
            "Look at its schedule in EventBridge; `c2m-tokens reconcile` runs it now.",
          );
        }
        if (reconcileFailure !== undefined)
          throw failed(
            `The reconciler could not do all: ${reconcileFailure}`,
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
        const { context } = protocolFor(call, target, view, call.options.duration("timeout", 20_000));
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

async function found(check: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, said: await look(), fix: null };
  } catch (error) {
    const { message, remedy } = failureOf(error);
    return { check, ok: false, said: message, fix: remedy ?? null };
  }
}
