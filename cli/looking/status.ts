import type { Call } from "../command.ts";
import { type ExitCode, exitCode, Failure, failureOf } from "../failure.ts";
import { type RotationHistory, readHistory } from "../rotation-history.ts";
import { othersLive } from "../survey.ts";
import { graceMsOf, logGroupOf, type Target } from "../target.ts";
import { type Terminal, table } from "../terminal.ts";
import { date, relative, span } from "../time-text.ts";
import { expiryOf, type TokenView, tokenOf, type VersionView, viewToken } from "../token-view.ts";
import { type Diagnosis, diagnose } from "./diagnosis.ts";

export async function status(call: Call): Promise<ExitCode> {
  const target = await call.target();
  const reports: Report[] = [];
  for (const id of target.secrets) reports.push(await reportOn(call, target, id));
  call.terminal.result({ tokens: reports.map(asJson) }, () => {
    for (const report of reports) show(call.terminal, report);
  });
  return reports.every(({ diagnosis }) => diagnosis.problems.length === 0) ? exitCode.done : exitCode.failed;
}

interface Report {
  now: number;
  view: TokenView;
  history: RotationHistory | undefined;
  diagnosis: Diagnosis;
}

async function reportOn(call: Call, target: Target, secretId: string): Promise<Report> {
  const aws = await call.aws();
  const view = await viewToken(aws, secretId);
  const now = call.clock.now();
  const history = view.current?.isCredentials ? undefined : await historyOf(call, target, view, now);
  const graceMs = graceMsOf(call.options, target, secretId);
  const graceSeconds = graceMs === undefined ? undefined : graceMs / 1_000;
  const mayBeRetired = !view.rotationEnabled && view.deletedAt === undefined && history !== undefined;
  const left = mayBeRetired ? await leftAlive(call, target, view) : undefined;
  return { now, view, history, diagnosis: diagnose(view, history, { now, graceSeconds, left }) };
}

/** Whether a token but the current one may live: asked of the whole ledger, since a retired token is old. */
async function leftAlive(call: Call, target: Target, view: TokenView): Promise<boolean | undefined> {
  try {
    const aws = await call.aws();
    const ledger = aws.ledger(await logGroupOf(aws, target, view.rotationLambdaArn));
    const context = { arn: view.arn, store: aws.store, clock: call.clock };
    return await othersLive({ context, ledger, baseUrl: target.baseUrl, others: target.others });
  } catch (error) {
    call.terminal.warn(`whether a superseded token lives could not be found out. ${failureOf(error).message}`);
    return undefined;
  }
}

/** The log tells more, and is not needed for the rest: who may not read it sees the secret's state all the same. */
async function historyOf(
  call: Call,
  target: Target,
  view: TokenView,
  now: number,
): Promise<RotationHistory | undefined> {
  try {
    const aws = await call.aws();
    return await readHistory(aws, await logGroupOf(aws, target, view.rotationLambdaArn), view, now);
  } catch (error) {
    const failure = failureOf(error);
    // A mistyped command line is not something to carry on with.
    if (failure instanceof Failure && failure.exitCode === exitCode.usage) throw error;
    call.terminal.warn(`the functions' log can't be read, so what went wrong before is not shown. ${failure.message}`);
    return undefined;
  }
}

const tones = { ok: "good", "in grace": "good", rotating: "warn", paused: "warn", wrong: "bad" } as const;

function show(terminal: Terminal, { now, view, history, diagnosis }: Report): void {
  const { state, problems, graceEndsAt } = diagnosis;
  terminal.line(`${terminal.paint("strong", view.name)}  ${terminal.paint(tones[state], state)}`);
  const rows: string[][] = [];
  const version = (label: string, shown: VersionView | undefined, more = "") => {
    if (!shown) return;
    const about = view.deletedAt === undefined ? aboutVersion(shown, now) : "can't be read any more";
    rows.push([`  ${label}`, tokenOf(shown)?.tokenId ?? "-", shown.versionId.slice(0, 13), `${about}${more}`]);
  };
  version("current", view.current, view.pendingLeftOver ? " (AWSPENDING is still on it, which does no harm)" : "");
  version("pending", view.pending);
  version("previous", view.previous, aboutGrace(view, history, graceEndsAt, now));
  for (const line of table(rows)) terminal.line(line);
  terminal.line(`  rotation  ${aboutRotation(view, now)}`);
  if (history?.paused)
    terminal.line("  paused    no rotation is begun and nothing is revoked, until the stack's config says otherwise");
  for (const { what, remedy } of problems) {
    terminal.line(`  ${terminal.paint("bad", "wrong")}     ${what}`);
    terminal.line(`            ${terminal.paint("strong", `→ ${remedy}`)}`);
  }
  terminal.line();
}

function aboutVersion(version: VersionView, now: number): string {
  const token = tokenOf(version);
  if (version.held === undefined) return "has no value yet";
  if (!token) return version.isCredentials ? "the client's credentials" : "a value from before us";
  const expiresAt = expiryOf(version) ?? 0;
  const age = token.issuedAt === undefined ? "" : `issued ${relative(Date.parse(token.issuedAt), now)}, `;
  return `${age}${expiresAt > now ? "expires" : "expired"} ${relative(expiresAt, now)} (${date(expiresAt)})`;
}

function aboutGrace(
  view: TokenView,
  history: RotationHistory | undefined,
  endsAt: number | undefined,
  now: number,
): string {
  const id = tokenOf(view.previous)?.tokenId;
  if (id !== undefined && history?.revokedIds.has(id)) return "; revoked";
  if (id !== undefined && history?.unrevocableIds.has(id)) return "; C2M lets nobody revoke it";
  if (endsAt === undefined) return "";
  return endsAt > now ? `; in grace for ${span(endsAt - now)} more` : "; its grace is over";
}

function aboutRotation(view: TokenView, now: number): string {
  const last = view.lastRotatedAt === undefined ? "never completed yet" : `last ${relative(view.lastRotatedAt, now)}`;
  if (!view.rotationEnabled) return `off; ${last}`;
  const next =
    view.nextRotationAt === undefined
      ? ""
      : `; next by ${date(view.nextRotationAt)} (${relative(view.nextRotationAt, now)})`;
  return `${view.schedule ?? "on"}; ${last}${next}`;
}

function asJson({ view, history, diagnosis }: Report): object {
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  const version = (shown: VersionView | undefined) => {
    if (!shown) return null;
    const token = tokenOf(shown);
    return {
      versionId: shown.versionId,
      stages: shown.stages,
      holds: shown.held?.kind === "ours" ? "token" : (shown.held?.kind ?? "nothing"),
      tokenId: token?.tokenId ?? null,
      scopes: token?.scopes ?? null,
      issuedAt: token?.issuedAt ?? null,
      expiresAt: token?.expiresAt ?? null,
    };
  };
  return {
    name: view.name,
    arn: view.arn,
    state: diagnosis.state,
    problems: diagnosis.problems,
    rotation: {
      enabled: view.rotationEnabled,
      schedule: view.schedule ?? null,
      lastRotatedAt: iso(view.lastRotatedAt),
      nextRotationAt: iso(view.nextRotationAt),
      lastFailure: history?.lastFailure ?? null,
    },
    graceEndsAt: iso(diagnosis.graceEndsAt),
    current: version(view.current),
    pending: version(view.pending),
    previous: version(view.previous),
  };
}
