import { AmbiguousError, RetryableError, RotationError } from "../src/ports/errors.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";

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

const unavailable = (message: string, remedy?: string) => new Failure(exitCode.unavailable, message, remedy);

const noConnection = /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)$/;
const denied =
  /AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken|InvalidClientTokenId|MissingAuthentication/;

const permissions = "docs/operators.md lists what an operator may need to be allowed.";
const network = "Check the network, AWS_REGION and AWS_ENDPOINT_URL.";

/** What any error means to the person at the terminal. Of what is not known only its kind is told: its text may hold anything. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof RotationError) return ofRotation(error);
  if (!(error instanceof Error)) return failed("Something unexpected was thrown. Report it.");
  const { code } = error as NodeJS.ErrnoException;
  if (error.name === "CredentialsProviderError") {
    const remedy = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for the AWS CLI.";
    return unavailable("There are no AWS credentials.", remedy);
  }
  if (error.message === "Region is missing")
    return usage("The AWS region is missing. Set AWS_REGION, or use --region.");
  if (error.name === "TimeoutError" || (code !== undefined && noConnection.test(code))) {
    return unavailable(`AWS can't be reached (${code ?? error.name}).`, network);
  }
  // AWS's own sentence names the action and the resource; no secret is sent in what these commands ask of it.
  if (denied.test(error.name)) return unavailable(`AWS denied it: ${error.message}`, permissions);
  if ("$metadata" in error) return failed(`AWS refused it: ${error.message || error.name}`);
  return failed(`An unexpected ${error.name}. Report it.`);
}

function ofRotation(error: RotationError): Failure {
  if (error.code === "store_denied") {
    const [operation] = error.message.split(":");
    const what = `you may not call secretsmanager:${operation} on this secret, or may not use its KMS key.`;
    return unavailable(`AWS denied it: ${what}`, permissions);
  }
  if (error.code === "ledger_unavailable" && denied.test(error.message)) {
    return unavailable(
      "AWS denied it: you may not call logs:FilterLogEvents on the functions' log group.",
      permissions,
    );
  }
  if (error.code === "secret_not_found") return failed(error.message, "Check the name, the account and the region.");
  if (error instanceof RetryableError || error instanceof AmbiguousError) {
    return unavailable(error.message, /^(store|ledger)_/.test(error.code) ? network : undefined);
  }
  return failed(error.message);
}
