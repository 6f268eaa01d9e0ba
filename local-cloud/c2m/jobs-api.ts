import type { ClientRegister } from "./clients.ts";
import { bearer, type C2mRequest, header, type Success } from "./exchange.ts";
import type { JobRegister } from "./job-register.ts";
import type { C2mKnobs } from "./knobs.ts";
import { Refusal } from "./refusal.ts";
import { submissionOf } from "./submission.ts";
import { type C2mToken, isAccepted, type TokenRegister, tokenState } from "./token-register.ts";

/** The one call of the jobs API that is known well enough: any token that is accepted and has the scope submits a document. */
export class JobsApi {
  readonly #now: () => number;
  readonly #knobs: C2mKnobs;
  readonly #clients: ClientRegister;
  readonly #tokens: TokenRegister;
  readonly #jobs: JobRegister;

  constructor(parts: {
    now: () => number;
    knobs: C2mKnobs;
    clients: ClientRegister;
    tokens: TokenRegister;
    jobs: JobRegister;
  }) {
    this.#now = parts.now;
    this.#knobs = parts.knobs;
    this.#clients = parts.clients;
    this.#tokens = parts.tokens;
    this.#jobs = parts.jobs;
  }

  /** `POST /static`. Throws the Refusal. */
  submitStatic(request: C2mRequest): Success {
    const token = this.#authenticate(request);
    if (!token.scopes.includes("jobs:submit")) {
      throw new Refusal(403, "INSUFFICIENT_PERMISSIONS", "The scope jobs:submit is required");
    }
    if (this.#clients.get(token.clientId)?.suspended) {
      throw new Refusal(403, "ACCOUNT_SUSPENDED", "The account is suspended");
    }
    const submission = submissionOf(request, this.#knobs);
    const { requestId } = this.#jobs.accept({
      clientId: token.clientId,
      tokenId: token.id,
      acceptedAt: this.#now(),
      submission,
    });
    const body = {
      status: "accepted",
      message: "The job was accepted",
      requestId: this.#knobs.requestIdAsText ? String(requestId) : requestId,
    };
    return { status: 200, body };
  }

  /** Unlike the auth API it tells what is wrong with the token. */
  #authenticate(request: C2mRequest): C2mToken {
    if (header(request, "authorization") === undefined) {
      throw new Refusal(401, "MISSING_AUTH_HEADER", "The Authorization header is missing");
    }
    const shown = bearer(request);
    const token = shown === undefined ? undefined : this.#tokens.byAccessToken(shown);
    const now = this.#now();
    if (token && isAccepted(token, now)) return token;
    if (token && tokenState(token, now) === "expired") {
      throw new Refusal(401, "EXPIRED_TOKEN", "The token has expired");
    }
    throw new Refusal(401, "INVALID_TOKEN", "The token is invalid or revoked");
  }
}
