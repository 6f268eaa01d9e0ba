import { type CauseKind, causeOf } from "../src/ports/cause.ts";
import { AmbiguousError, RetryableError, RotationError } from "../src/ports/errors.ts";

/** What the process ends with. Documented in `c2m-tokens --help`; scripts rely on it. */
export const exitCode = {
  /** Done, or nothing is wrong. */
  done: 0,
  /** It did not succeed, or something is wrong with a token. */
  failed: 1,
  /** The command line can't be understood. */
  usage: 2,
  /** A precondition or the confirmation was missing. Nothing was changed. */
  refused: 3,
  /** AWS or C2M could not be reached, or denied it. */
  unavailable: 4,
  /** Stopped with Ctrl-C, by SIGTERM, or because the terminal was closed. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Why a command ends without success: what the person reads, and what the script gets. Never holds a secret. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;
  /** What to do about it: a command, or a sentence. */
  readonly remedy: string | undefined;

  constructor(code: ExitCode, message: string, remedy?: string) {
    super(message);
    this.exitCode = code;
    this.remedy = remedy;
  }
}

export const usage = (message: string): Failure => new Failure(exitCode.usage, message);
export const refused = (message: string, remedy?: string): Failure => new Failure(exitCode.refused, message, remedy);
export const failed = (message: string, remedy?: string): Failure => new Failure(exitCode.failed, message, remedy);

const unavailable = new Set<CauseKind>(["network", "tls", "credentials", "denied", "throttled", "timeout"]);

const permissions = "docs/operators.md lists what an operator may need to be allowed.";

/** What any error means to the person at the terminal. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof RotationError) return ofRotation(error);
  // As the SDK chooses its profile. No secret is sent in what these commands ask of AWS, so its own words may be told.
  const { AWS_PROFILE, AWS_DEFAULT_PROFILE } = process.env;
  const cause = causeOf(error, { profile: AWS_PROFILE || AWS_DEFAULT_PROFILE || undefined, mayQuote: true });
  if (cause.said.startsWith("The AWS region is missing")) {
    return usage("The AWS region is missing. Set AWS_REGION, or use --region.");
  }
  const code = unavailable.has(cause.kind) || cause.retryable ? exitCode.unavailable : exitCode.failed;
  const remedy = cause.kind === "denied" ? permissions : cause.remedy;
  const said =
    cause.kind === "not_found"
      ? cause.said.replace(/^AWS does not find it/, `AWS does not find ${aboutOf(error)}`)
      : cause.said;
  return new Failure(code, said, remedy === "" ? undefined : remedy);
}

/** The thing and its region, where the error tells them. */
function aboutOf(error: unknown): string {
  return error instanceof Error && "about" in error ? String(error.about) : "it";
}

function ofRotation(error: RotationError): Failure {
  if (error.code === "store_denied") return new Failure(exitCode.unavailable, error.message, permissions);
  if (error.code === "secret_not_found") return failed(error.message);
  if (error instanceof RetryableError || error instanceof AmbiguousError) {
    return new Failure(exitCode.unavailable, error.message);
  }
  return failed(error.message);
}
