import { onTestFinished } from "vitest";
import { checkAnswer } from "../../c2m/contract.ts";
import { C2mEngine } from "../../c2m/engine.ts";
import type { C2mExchange } from "../../c2m/front-door.ts";
import type { C2mKnobs } from "../../c2m/knobs.ts";
import { startC2mServer } from "../../c2m/server.ts";
import { CallLog } from "../../calls.ts";
import { VirtualClock } from "../../clock.ts";
import { Faults } from "../../faults.ts";

export const clientId = "c2m_acme";
export const clientSecret = "the-secret-of-acme";
export const otpSeed = "JBSWY3DPEHPK3PXP";
export const allScopes = ["jobs:submit", "jobs:read", "tokens:write", "tokens:revoke"];

export const address = {
  firstName: "Ada",
  lastName: "Lovelace",
  address1: "12 Main St",
  city: "Arlington",
  state: "VA",
  zip: "22201",
  country: "US",
};
export const letter = {
  docSourceAll: { documentIdSource: { documentId: 1 } },
  recipientAddressSource: { singleAddress: address },
};

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The body where it is a JSON object, else empty. */
  json: Record<string, unknown>;
}

export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  bearer?: unknown;
  json?: unknown;
  body?: string;
}

/**
 * A C2M server with one client, on a clock that stands still. It fails the test when an answer that no fault was ordered
 * for differs from the API's description. Ends with the test.
 */
export async function startLocalC2m(knobs: Partial<C2mKnobs> = {}, prefix: `/${string}` = "/v2") {
  const clock = new VirtualClock();
  const engine = new C2mEngine({ clock, knobs });
  engine.registerClient({ clientId, clientSecret, otpSeed, scopes: allScopes });
  const faults = new Faults(clock);
  const calls = new CallLog();
  const problems: string[] = [];
  const exchanges: C2mExchange[] = [];
  const onExchange = (exchange: C2mExchange) => {
    exchanges.push(exchange);
    const { request, answer, faulty } = exchange;
    if (!faulty) problems.push(...checkAnswer(request, { ...answer, body: String(answer.body) }));
  };
  const server = await startC2mServer({ engine, faults, calls, clock, prefix, onExchange });
  onTestFinished(async () => {
    await server.close();
    if (problems.length > 0) throw new Error(`The local C2M broke its contract: ${problems.join("; ")}`);
  });

  /** One call over HTTP, of a path below the base URL. */
  const call = async (
    path: string,
    { method = "POST", headers = {}, bearer, json, body }: Ask = {},
  ): Promise<Reply> => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(json !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...((body !== undefined || json !== undefined) && { body: body ?? JSON.stringify(json) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: jsonObject(text) };
  };

  const issue = (fields: Record<string, unknown> = {}): Promise<Reply> =>
    call("/auth/tokens/long", {
      headers: { "x-client-id": clientId },
      json: { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret, ...fields },
    });
  const exchange = (bearer: unknown, json?: unknown): Promise<Reply> => call("/auth/tokens/short", { bearer, json });
  const revoke = (tokenId: unknown, bearer: unknown): Promise<Reply> =>
    call(`/auth/tokens/${encodeURIComponent(String(tokenId))}/revoke`, { bearer });
  const submit = (bearer: unknown, json: unknown = letter): Promise<Reply> => call("/static", { bearer, json });
  const account = (bearer: unknown): Promise<Reply> => call("/account", { method: "GET", bearer });

  return { clock, engine, faults, calls, exchanges, url: server.url, call, issue, exchange, revoke, submit, account };
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
