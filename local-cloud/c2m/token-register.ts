import { randomBytes } from "node:crypto";
import type { C2mKnobs } from "./knobs.ts";

export type TokenKind = "long" | "short";

/** A token that was issued, whatever became of it. Times are epoch ms. */
export interface C2mToken {
  readonly id: string;
  readonly kind: TokenKind;
  readonly clientId: string;
  /** Its text, what a bearer shows. */
  readonly accessToken: string;
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  /** Refused before; later than `issuedAt` where the token works late. */
  readonly acceptedFrom: number;
  readonly expiresAt: number;
  /** The long token that a short one was made from. */
  readonly parent: string | undefined;
  /** When the revoke call came. */
  revokedAt: number | undefined;
  /** Refused from here on; later than `revokedAt` where the revocation bites late. */
  refusedFrom: number | undefined;
}

/** `pending`: issued, not accepted yet. `revoking`: revoked, accepted still. Only `pending` and `live` need to be revoked. */
export type TokenState = "pending" | "live" | "revoking" | "revoked" | "expired";

/** Where in its life a token is at `now`. */
export function tokenState(token: C2mToken, now: number): TokenState {
  if (now >= token.expiresAt) return "expired";
  if (token.revokedAt !== undefined) return isAccepted(token, now) ? "revoking" : "revoked";
  return now < token.acceptedFrom ? "pending" : "live";
}

/** Whether a bearer of the token is let in at `now`. */
export function isAccepted(token: C2mToken, now: number): boolean {
  return (
    now >= token.acceptedFrom && now < token.expiresAt && (token.refusedFrom === undefined || now < token.refusedFrom)
  );
}

/** Whether the token is a risk that somebody must still revoke: neither revoked nor expired. */
export function isLive(token: C2mToken, now: number): boolean {
  return token.revokedAt === undefined && now < token.expiresAt;
}

/** Every token that was issued, by id and by text. Ids are never given twice. */
export class TokenRegister {
  readonly #all: C2mToken[] = [];
  readonly #byId = new Map<string, C2mToken>();
  readonly #byAccessToken = new Map<string, C2mToken>();
  readonly #randomId: (kind: TokenKind) => string;

  constructor(randomId: (kind: TokenKind) => string = exampleLikeId) {
    this.#randomId = randomId;
  }

  /** In the order in which they were issued. */
  get all(): readonly C2mToken[] {
    return this.#all;
  }

  byId(id: string): C2mToken | undefined {
    return this.#byId.get(id);
  }

  byAccessToken(text: string): C2mToken | undefined {
    return this.#byAccessToken.get(text);
  }

  add(token: Omit<C2mToken, "id" | "accessToken" | "revokedAt" | "refusedFrom">, knobs: C2mKnobs): C2mToken {
    const parent = token.parent === undefined ? undefined : this.#byId.get(token.parent);
    const added: C2mToken = {
      ...token,
      id: this.unusedId(token.kind),
      accessToken: randomToken(knobs),
      // A revoked long token that still gets in can make short ones: they end when its own revocation bites.
      revokedAt: knobs.revocationEndsShortTokens ? parent?.revokedAt : undefined,
      refusedFrom: knobs.revocationEndsShortTokens ? parent?.refusedFrom : undefined,
    };
    this.restore(added);
    return added;
  }

  /** Takes back a token from a saved state. */
  restore(token: C2mToken): void {
    this.#all.push(token);
    this.#byId.set(token.id, token);
    this.#byAccessToken.set(token.accessToken, token);
  }

  /** Ends the token, and with the knob the short ones made from it. What is revoked or expired already stays as it is. */
  revoke(token: C2mToken, now: number, knobs: C2mKnobs): void {
    if (!isLive(token, now)) return;
    token.revokedAt = now;
    token.refusedFrom = now + knobs.revocationDelayMs;
    if (!knobs.revocationEndsShortTokens) return;
    for (const child of this.#all) if (child.parent === token.id) this.revoke(child, now, knobs);
  }

  /** An id that no token has. */
  unusedId(kind: TokenKind): string {
    // Six hexadecimal digits, as in the example, do meet again in a long run.
    for (let attempt = 0; attempt < 100; attempt++) {
      const id = this.#randomId(kind);
      if (!this.#byId.has(id)) return id;
    }
    throw new Error("randomId gave an id that was used before, 100 times in a row; it must give new ones.");
  }
}

/** `tok_lt_b8e0aa` is the one id that C2M's description shows; that short ones say `st` is ours. */
function exampleLikeId(kind: TokenKind): string {
  return `tok_${kind === "long" ? "lt" : "st"}_${randomBytes(3).toString("hex")}`;
}

/** Lengths of the base64url parts of a JWE with RSA-OAEP-256 and A256GCM, but for the ciphertext, which takes the rest. */
const jwe = { header: 70, encryptedKey: 342, initializationVector: 16, tag: 22 };

function randomToken({ tokenFormat, tokenLength }: C2mKnobs): string {
  const ciphertext = tokenLength - jwe.header - jwe.encryptedKey - jwe.initializationVector - jwe.tag - 4;
  if (tokenFormat === "opaque" || ciphertext < 1) return randomText(tokenLength);
  const lengths = [jwe.header, jwe.encryptedKey, jwe.initializationVector, ciphertext, jwe.tag];
  return lengths.map(randomText).join(".");
}

/** Random text in stock: asking for it is slow, however little it is. */
let stock = "";

function randomText(length: number): string {
  if (stock.length < length) stock = randomBytes(Math.max(6_144, length)).toString("base64url");
  const text = stock.slice(0, length);
  stock = stock.slice(length);
  return text;
}
