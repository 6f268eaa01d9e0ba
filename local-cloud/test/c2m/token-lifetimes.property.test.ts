import fc from "fast-check";
import { expect, test } from "vitest";
import { C2mEngine } from "../../c2m/engine.ts";
import type { C2mAnswer, C2mRequest } from "../../c2m/exchange.ts";
import type { C2mKnobs } from "../../c2m/knobs.ts";
import { VirtualClock } from "../../clock.ts";

const clientId = "c2m_acme";
const clientSecret = "the-secret-of-acme";
const scopes = ["jobs:submit", "tokens:revoke"];

/** What the caller of the API knows of a token from the answers that it got. */
interface Known {
  id: string;
  text: string;
  long: boolean;
  from: number;
  until: number;
  parent: Known | undefined;
  revokedAt: number | undefined;
}

type Step =
  | { do: "issue"; ttl: number }
  | { do: "exchange"; token: number }
  | { do: "use"; token: number }
  | { do: "revoke"; token: number; by: number }
  | { do: "wait"; ms: number };

// Small, so that several steps meet the same token.
const index = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("issue" as const), ttl: fc.integer({ min: 3600, max: 7200 }) }),
  fc.record({ do: fc.constant("exchange" as const), token: index }),
  fc.record({ do: fc.constant("use" as const), token: index }),
  fc.record({ do: fc.constant("revoke" as const), token: index, by: index }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 1, 60_000, 299_999, 900_000, 3_600_000) }),
);
const knobs = fc.record({
  activationDelayMs: fc.constantFrom(0, 1, 60_000),
  revocationDelayMs: fc.constantFrom(0, 1, 300_000),
  revocationEndsShortTokens: fc.boolean(),
  selfRevocation: fc.boolean(),
  revokeDeadStatus: fc.constantFrom(204 as const, 404 as const),
  expiresAtMilliseconds: fc.boolean(),
  maximumTtlSeconds: fc.constantFrom(3600, 7_776_000),
  tokenLength: fc.constant(40),
});

/** The promises of the API, applied to what the answers said. */
class Model {
  readonly tokens: Known[] = [];
  readonly #knobs: Partial<C2mKnobs>;

  constructor(settings: Partial<C2mKnobs>) {
    this.#knobs = settings;
  }

  works(token: Known, now: number): boolean {
    const ended = this.#revokedAt(token);
    const bitten = ended !== undefined && now >= ended + (this.#knobs.revocationDelayMs ?? 0);
    return now >= token.from && now < token.until && !bitten;
  }

  live(now: number): string[] {
    return this.tokens.filter((token) => token.long && !this.ended(token, now)).map(({ id }) => id);
  }

  ended(token: Known, now: number): boolean {
    return this.#revokedAt(token) !== undefined || now >= token.until;
  }

  #revokedAt(token: Known): number | undefined {
    return token.revokedAt ?? (this.#knobs.revocationEndsShortTokens ? token.parent?.revokedAt : undefined);
  }
}

test("a token works from its activation until it expires or a revocation bites, and never again", async () => {
  const property = fc.asyncProperty(knobs, fc.array(step, { maxLength: 40 }), async (settings, steps) => {
    const clock = new VirtualClock();
    const engine = new C2mEngine({ clock, knobs: settings });
    engine.registerClient({ clientId, clientSecret, scopes });
    const model = new Model(settings);
    const send = (path: string, bearer?: string, body?: object, method = "POST"): C2mAnswer => {
      const headers: C2mRequest["headers"] = {
        authorization: bearer === undefined ? undefined : `Bearer ${bearer}`,
        "x-client-id": bearer === undefined ? clientId : undefined,
        "content-type": "application/json",
      };
      const answer = engine.answer({ method, path, headers, body: body ? JSON.stringify(body) : "" });
      if (answer instanceof Promise) throw new Error("Only assertions may take a promise.");
      return answer;
    };
    const know = (answer: C2mAnswer, parent: Known | undefined) => {
      const { token_id, access_token, expires_at } = JSON.parse(answer.body);
      const delay = parent ? 0 : settings.activationDelayMs;
      const until = Date.parse(expires_at);
      const long = parent === undefined;
      const from = clock.now() + delay;
      model.tokens.push({ id: token_id, text: access_token, long, from, until, parent, revokedAt: undefined });
    };
    const pick = (nth: number) => model.tokens[nth % Math.max(1, model.tokens.length)];

    for (const next of steps) {
      const now = clock.now();
      if (next.do === "wait") await clock.advanceBy(next.ms);
      else if (next.do === "issue") {
        const body = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret };
        know(send("/auth/tokens/long", undefined, { ...body, ttl_seconds: next.ttl }), undefined);
      } else {
        const token = pick(next.token);
        if (!token) continue;
        if (next.do === "use") {
          expect(send("/account", token.text, undefined, "GET").status).toBe(model.works(token, now) ? 200 : 401);
        } else if (next.do === "exchange") {
          const answer = send("/auth/tokens/short", token.text);
          expect(answer.status).toBe(token.long && model.works(token, now) ? 201 : 401);
          if (answer.status === 201) know(answer, token);
        } else {
          const by = pick(next.by) ?? token;
          const { status } = send(`/auth/tokens/${token.id}/revoke`, by.text);
          if (!model.works(by, now)) expect(status).toBe(401);
          else if (by === token && !settings.selfRevocation) expect(status).toBe(403);
          else if (model.ended(token, now)) expect(status).toBe(settings.revokeDeadStatus);
          else {
            expect(status).toBe(204);
            token.revokedAt = now;
          }
        }
      }
      expect(engine.liveLongTokens().map(({ id }) => id)).toEqual(model.live(clock.now()));
    }

    for (const token of model.tokens) {
      expect(send("/account", token.text, undefined, "GET").status).toBe(model.works(token, clock.now()) ? 200 : 401);
    }
    expect(new Set(engine.tokens.map(({ id }) => id)).size).toBe(model.tokens.length);
  });
  await fc.assert(property, { numRuns: 1500 });
});
