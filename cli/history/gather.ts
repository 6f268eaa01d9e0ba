import { secretNameSaid } from "../../src/formats/settings.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { causeOf } from "../../src/ports/cause.ts";
import type { Aws, DescribedSecret } from "../aws.ts";
import type { Call } from "../command.ts";
import { graceMsOf, logGroupOf, type Target } from "../target.ts";
import type { Gap, Life, Version } from "./life.ts";
import { type Log, readLog } from "./lines.ts";
import { tokenLives } from "./lives.ts";

const day = 86_400_000;

/** C2M grants no token for longer, in ms. */
const longestLifetimeMs = 90 * day;

/** The history of one secret's tokens. Holds no token. */
export interface SecretHistory {
  name: string;
  arn: string;
  lives: Life[];
  /** What is open about all of them. */
  gaps: Gap[];
}

/** The histories that one command tells. Times in epoch ms. */
export interface Histories {
  from: number;
  to: number;
  secrets: SecretHistory[];
}

/** A secret as it is now; `described` is undefined where it is gone. */
interface Seen {
  id: string;
  described: DescribedSecret | undefined;
  versions: Version[];
}

/** Reads versions and log, and tells the lives. */
export async function gather(call: Call, target: Target, from: (now: number) => number): Promise<Histories> {
  const aws = await call.aws();
  const seen: Seen[] = [];
  for (const id of target.secrets) seen.push(await look(aws, target, id));
  const to = call.clock.now();
  const period = { from: from(to), to };
  const logs = new Map<string, Promise<{ log: Log; keptDays: number | undefined | null }>>();
  const logOf = (logGroup: string) => {
    const reading =
      logs.get(logGroup) ??
      Promise.all([readLog(aws, logGroup, period.from), aws.logRetention(logGroup)]).then(([log, keptDays]) => ({
        log,
        keptDays,
      }));
    logs.set(logGroup, reading);
    return reading;
  };
  const secrets: SecretHistory[] = [];
  for (const one of seen) {
    const read = await logOf(await logGroupOf(aws, target, one.described?.rotationLambdaArn));
    secrets.push(tell(one, read, { ...period, graceMs: graceMsOf(call.options, target, one.id) }));
  }
  return { ...period, secrets };
}

async function look(aws: Aws, target: Target, id: string): Promise<Seen> {
  let described: DescribedSecret;
  try {
    described = await aws.describeSecret(id);
  } catch (error) {
    // Of a secret that is gone the log tells, where it is known which.
    if (causeOf(error).kind === "not_found" && target.functions.logGroup !== undefined) {
      return { id, described: undefined, versions: [] };
    }
    throw error;
  }
  const { arn, stages, deletedAt } = described;
  if (deletedAt !== undefined) return { id, described, versions: [] };
  const versions = await Promise.all(
    (await aws.store.listVersions(arn)).map(async ({ versionId, createdAt }): Promise<Version> => {
      const version = await aws.store.read(arn, versionId);
      return { versionId, labels: stages.get(versionId) ?? [], createdAt, held: version && parseValue(version.value) };
    }),
  );
  return { id, described, versions };
}

function tell(
  { id, described, versions }: Seen,
  { log, keptDays }: { log: Log; keptDays: number | undefined | null },
  { from, to, graceMs }: { from: number; to: number; graceMs: number | undefined },
): SecretHistory {
  const name = described?.name ?? secretNameSaid(id);
  const arn = described?.arn ?? id;
  const lives = tokenLives({
    now: to,
    from,
    versions,
    lines: log.lines.filter(({ fields }) => secretNameSaid(String(fields.secret)) === name),
    graceMs,
  });
  const gaps: Gap[] = [];
  const until = to + longestLifetimeMs;
  if (log.unreadable > 0) {
    const text = `Lines of the log that can't be read: ${log.unreadable}. Each may be about any token of this log group.`;
    gaps.push({ kind: "unreadable lines", text, until });
  }
  if (log.isCut) {
    const text = "The log is larger than was read: its newest lines are missing. Ask for a shorter period.";
    gaps.push({ kind: "log cut", text, until });
  }
  const keptFrom = typeof keptDays === "number" ? to - keptDays * day : from;
  if (keptFrom > from) {
    const text = `The log is kept for ${keptDays} days: what was written before is gone.`;
    gaps.push({ kind: "log not kept", text, until: keptFrom + longestLifetimeMs });
  }
  if (!described || described.deletedAt !== undefined) {
    const what = described ? "marked for deletion" : "gone";
    const text = `The secret is ${what}: its values can't be read, and this history is the log's alone.`;
    gaps.push({ kind: "values hidden", text, until });
  }
  return { name, arn, lives, gaps };
}

/** What no history of this kind can know, whatever it reads. */
export const unknowable: readonly string[] = [
  "CloudWatch Logs promises no delivery. A token whose every line was lost and whose version Secrets Manager has removed is not here; C2M has no list of tokens to hold this against. Lines of the last minute may still be on their way.",
  "Tokens that somebody issued with the same credentials elsewhere, and revocations that C2M made by itself or that somebody asked for elsewhere, are not here.",
  "An operator's line names the ARN whose credentials the command had. Whoever may write to the log could have named another: CloudTrail tells who wrote to the log stream.",
  "Whoever may write to the log group can write lines that look like these. Lines of operators' streams are told as an operator's.",
  "Revoked is what C2M answered; seen dead is that it rejected the token afterwards. Nothing was asked of C2M for this history.",
];
