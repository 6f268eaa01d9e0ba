/** Tokens for apps that call C2M, from a secret that is rotated: `import { … } from "c2m-token-rotation/client"`. */

export type { HttpAnswer, HttpRequest, HttpSend } from "../src/c2m/http.ts";
export type { Clock } from "../src/ports/clock.ts";
export { AmbiguousError, PermanentError, RetryableError, RotationError } from "../src/ports/errors.ts";
export type { Sensitive } from "../src/ports/sensitive.ts";
export { type C2mFetch, type C2mFetchOptions, createC2mFetch } from "./c2m-fetch.ts";
export { type FetchAnswer, type JobsError, type JobsErrorKind, readJobsError } from "./jobs-error.ts";
export type { SecretsManager } from "./read-secret.ts";
export { type Letter, type LetterOutcome, sendLetter } from "./send-letter.ts";
export { createTokenSource, type TokenSource, type TokenSourceOptions } from "./token-source.ts";
export { authorizationOf, type LongTermToken, type ShortTermToken, type Token } from "./tokens.ts";
