import type { C2mEngine } from "../../../local-cloud/c2m/engine.ts";
import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";

/** Every C2M of the world: one by each base URL, such as a stage and the production. No two give the same id. */
export class C2ms {
  readonly #engines = new Map<string, C2mEngine>();

  add(baseUrl: string, engine: C2mEngine): void {
    this.#engines.set(baseUrl, engine);
  }

  /** The one at a base URL is at another from now on. */
  move(from: string, to: string): void {
    const engine = this.#engines.get(from);
    if (!engine) return;
    this.#engines.delete(from);
    this.#engines.set(to, engine);
  }

  get byBaseUrl(): ReadonlyMap<string, C2mEngine> {
    return this.#engines;
  }

  get engines(): C2mEngine[] {
    return [...this.#engines.values()];
  }

  /** The one at a base URL. */
  at(baseUrl: string): C2mEngine | undefined {
    return this.#engines.get(baseUrl);
  }

  /** The one that a URL leads to, and its base URL. */
  behind(url: URL): { baseUrl: string; engine: C2mEngine } | undefined {
    for (const [baseUrl, engine] of this.#engines) if (url.href.startsWith(`${baseUrl}/`)) return { baseUrl, engine };
    return undefined;
  }

  /** The base URL of the one that issued a token. */
  baseUrlOf(tokenId: string): string | undefined {
    for (const [baseUrl, engine] of this.#engines) if (engine.byId(tokenId)) return baseUrl;
    return undefined;
  }

  /** Every token that was ever issued, in order. */
  get tokens(): readonly C2mToken[] {
    const [first, ...others] = this.engines;
    if (!first) return [];
    if (others.length === 0) return first.tokens;
    return this.engines.flatMap(({ tokens }) => tokens).sort((one, other) => numberOf(one) - numberOf(other));
  }

  byId(tokenId: string): C2mToken | undefined {
    return this.#first((engine) => engine.byId(tokenId));
  }

  byAccessToken(text: string): C2mToken | undefined {
    return this.#first((engine) => engine.byAccessToken(text));
  }

  /** Whether the token is neither revoked nor expired. */
  isLive(tokenId: string): boolean {
    return this.engines.some((engine) => engine.isLive(tokenId));
  }

  /** Whether a bearer of the token is let in. */
  isAccepted(tokenId: string): boolean {
    return this.engines.some((engine) => engine.isAccepted(tokenId));
  }

  #first<Found>(look: (engine: C2mEngine) => Found | undefined): Found | undefined {
    for (const engine of this.#engines.values()) {
      const found = look(engine);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function numberOf({ id }: C2mToken): number {
  return Number(id.slice("tok_".length));
}
