import type { ClientRegister } from "./clients.ts";
import { bearer, type C2mRequest, header, type Success } from "./exchange.ts";
import { type LongTokenRequest, longTokenRequest, shortTokenScopes } from "./issue-request.ts";
import type { JobRegister } from "./job-register.ts";
import { JobsApi } from "./jobs-api.ts";
import type { C2mKnobs } from "./knobs.ts";
import { RateLimit } from "./rate-limit.ts";
import {
  insufficientScope,
  invalidCredentials,
  invalidRequest,
  invalidToken,
  Refusal,
  unknownPath,
} from "./refusal.ts";
import { route } from "./routes.ts";
import { type C2mToken, isAccepted, isLive, type TokenKind, type TokenRegister } from "./token-register.ts";

/** The API's operations: who may do what, and what becomes of it. */
export class C2mOperations {
  readonly #now: () => number;
  readonly #knobs: C2mKnobs;
  readonly #clients: ClientRegister;
  readonly #tokens: TokenRegister;
  readonly #jobs: JobsApi;
  readonly #rateLimit = new RateLimit();

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
    this.#jobs = new JobsApi(parts);
  }

  /** Throws the Refusal, or rejects with it. A promise only for an assertion. */
  perform(request: C2mRequest): Success | Promise<Success> {
    const target = route(request);
    if (!target) throw unknownPath(this.#knobs);
    if (target.operation === "getAccount") return this.#getAccount(request);
    if (target.operation === "submitStatic") return this.#jobs.submitStatic(request);
    this.#rateLimit.admit(request.sourceIp ?? "127.0.0.1", this.#now(), this.#knobs);
    switch (target.operation) {
      case "issueLongTermToken":
        return this.#issueLongTermToken(request);
      case "issueShortTermToken":
        return this.#issueShortTermToken(request);
      case "revokeToken":
        return this.#revokeToken(request, target.tokenId);
    }
  }

  #issueLongTermToken(request: C2mRequest): Success | Promise<Success> {
    const clientKey = header(request, "x-client-id");
    const shown = header(request, "authorization");
    if (clientKey === undefined && shown === undefined) {
      throw new Refusal(401, "invalid_token", "X-Client-Id or a bearer token is required");
    }
    const { longTokenAuthorization } = this.#knobs;
    if (clientKey !== undefined && shown !== undefined && longTokenAuthorization === "exactly-one") {
      throw invalidRequest("X-Client-Id and Authorization are alternatives: send one of them");
    }
    if (clientKey === undefined && longTokenAuthorization === "both") {
      throw new Refusal(401, "invalid_token", "X-Client-Id is required beside the bearer token");
    }
    const bearerToken = shown === undefined ? undefined : this.#authenticate(request);
    const asked = longTokenRequest(request, bearerToken !== undefined);
    if (clientKey !== undefined && clientKey !== asked.clientId) throw invalidCredentials(this.#knobs);
    const proven = this.#proves(request, asked, bearerToken);
    const issue = (isProven: boolean): Success => {
      if (!isProven) throw invalidCredentials(this.#knobs);
      return this.#issueProven(asked);
    };
    return typeof proven === "boolean" ? issue(proven) : proven.then(issue);
  }

  #proves(
    request: C2mRequest,
    { clientId, proof }: LongTokenRequest,
    bearerToken: C2mToken | undefined,
  ): boolean | Promise<boolean> {
    const now = this.#now();
    switch (proof.mechanism) {
      case "client_secret":
        return this.#clients.provesSecret(clientId, proof.clientSecret);
      case "otp_code":
        return this.#clients.provesOtp(clientId, proof.otpCode, now, this.#knobs);
      case "assertion":
        return this.#clients.provesAssertion(clientId, proof.assertion, now, this.#audiences(request), this.#knobs);
      case "short_token":
        if (bearerToken?.kind !== "short") throw invalidToken();
        this.#requireScope(bearerToken, "tokens:write");
        return bearerToken.clientId === clientId;
    }
  }

  #issueProven({ clientId, scopes, ttlSeconds }: LongTokenRequest): Success {
    const available = this.#clients.get(clientId)?.scopes ?? [];
    // Without scopes in the request: all that the client has. Nothing is known here; OAuth leaves it to the server.
    const granted = this.#grant(scopes ?? available, available, () =>
      insufficientScope(this.#knobs, "The client may not have all of these scopes"),
    );
    const before = this.#knobs.sameTokenAgain ? this.#newestWith(clientId, granted) : undefined;
    if (before) return this.#issued(before);
    const token = this.#add("long", {
      clientId,
      scopes: granted,
      seconds: Math.min(ttlSeconds ?? this.#knobs.defaultTtlSeconds, this.#knobs.maximumTtlSeconds),
      parent: undefined,
    });
    return this.#issued(token);
  }

  #issueShortTermToken(request: C2mRequest): Success {
    const long = this.#authenticate(request);
    if (long.kind !== "long") throw invalidToken();
    const scopes = shortTokenScopes(request, long.accessToken);
    const token = this.#add("short", {
      clientId: long.clientId,
      // The call declares no 403.
      scopes: this.#grant(scopes ?? long.scopes, long.scopes, () =>
        invalidRequest("The long token does not have all of these scopes"),
      ),
      seconds: this.#knobs.shortTokenSeconds,
      parent: long.id,
    });
    return this.#issued(token);
  }

  #revokeToken(request: C2mRequest, tokenId: string): Success {
    const caller = this.#authenticate(request);
    this.#requireScope(caller, "tokens:revoke");
    if (caller.id === tokenId && !this.#knobs.selfRevocation) {
      throw insufficientScope(this.#knobs, "A token may not revoke itself");
    }
    const token = this.#tokens.byId(tokenId);
    // Another client's token is as unknown as one that never was.
    if (token?.clientId !== caller.clientId) return this.#nothingRevoked(this.#knobs.revokeUnknownStatus);
    if (!isLive(token, this.#now())) return this.#nothingRevoked(this.#knobs.revokeDeadStatus);
    this.#tokens.revoke(token, this.#now(), this.#knobs);
    return this.#revoked();
  }

  #nothingRevoked(status: 204 | 404): Success {
    if (status === 404) throw new Refusal(404, "not_found", "No such token");
    return this.#revoked();
  }

  #revoked(): Success {
    return this.#knobs.revokeAnswer === "204" ? { status: 204 } : { status: 200, body: { revoked: true } };
  }

  /** Invented: it lets in any token that is accepted. */
  #getAccount(request: C2mRequest): Success {
    const token = this.#authenticate(request);
    return { status: 200, body: { client_id: token.clientId, token_id: token.id, scopes: token.scopes } };
  }

  #authenticate(request: C2mRequest): C2mToken {
    const shown = bearer(request);
    const token = shown === undefined ? undefined : this.#tokens.byAccessToken(shown);
    if (!token || !isAccepted(token, this.#now())) throw invalidToken();
    return token;
  }

  #requireScope(token: C2mToken, scope: string): void {
    if (!token.scopes.includes(scope)) throw insufficientScope(this.#knobs, `The scope ${scope} is required`);
  }

  #grant(asked: readonly string[], available: readonly string[], refusal: () => Refusal): string[] {
    const granted = asked.filter((scope) => available.includes(scope));
    if (granted.length < asked.length && this.#knobs.ungrantedScopes === "refuse") throw refusal();
    return granted.filter((scope) => !this.#knobs.withheldScopes.includes(scope));
  }

  #add(
    kind: TokenKind,
    token: { clientId: string; scopes: string[]; seconds: number; parent: string | undefined },
  ): C2mToken {
    const { clientId, scopes, seconds, parent } = token;
    const issuedAt = this.#now();
    const { activationDelayMs, shortActivationDelayMs } = this.#knobs;
    const acceptedFrom = issuedAt + (kind === "long" ? activationDelayMs : shortActivationDelayMs);
    // On a whole second, so that `expires_at` is the truth with and without milliseconds.
    const expiresAt = Math.floor(issuedAt / 1000 + seconds) * 1000;
    return this.#tokens.add({ kind, clientId, scopes, parent, issuedAt, acceptedFrom, expiresAt }, this.#knobs);
  }

  #newestWith(clientId: string, scopes: readonly string[]): C2mToken | undefined {
    const asked = new Set(scopes);
    return this.#tokens.all.findLast(
      (token) =>
        token.kind === "long" &&
        token.clientId === clientId &&
        isLive(token, this.#now()) &&
        asked.size === token.scopes.length &&
        token.scopes.every((scope) => asked.has(scope)),
    );
  }

  #issued(token: C2mToken): Success {
    const { tokenIdInBody, tokenIdInHeader } = this.#knobs;
    const expiresAt = new Date(token.expiresAt).toISOString();
    const idFor = (told: true | "another") => (told === "another" ? this.#tokens.unusedId(token.kind) : token.id);
    return {
      status: this.#knobs.issueStatus,
      headers: token.kind === "long" && tokenIdInHeader ? { "x-token-id": idFor(tokenIdInHeader) } : {},
      body: {
        token_type: "Bearer",
        access_token: token.accessToken,
        expires_in: Math.floor((token.expiresAt - this.#now()) / 1000),
        expires_at: this.#knobs.expiresAtMilliseconds ? expiresAt : expiresAt.replace(".000Z", "Z"),
        ...(this.#knobs.scopesInBody && { scopes: token.scopes }),
        ...(tokenIdInBody && { token_id: idFor(tokenIdInBody) }),
      },
    };
  }

  #audiences({ baseUrl }: C2mRequest): readonly string[] | undefined {
    if (this.#knobs.assertionAudiences) return this.#knobs.assertionAudiences;
    return baseUrl === undefined ? undefined : [baseUrl, `${baseUrl}/auth/tokens/long`];
  }
}
