import { VirtualClock } from "../../local-cloud/clock.ts";
import { type C2mClient, createC2mClient } from "../../src/c2m/client.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import type { HttpSend } from "../../src/c2m/http.ts";
import { createHttpSend } from "../../src/c2m/transport.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

export const clientId = "c2m_client";
export const clientSecret = "client+secret/with=signs & spaces";
export const longToken = "long.token+with/signs=";
export const now = "2026-11-21T17:00:00.000Z";

/** What a C2M answers to an issue call that went well. */
export const issued = {
  token_type: "Bearer",
  access_token: "issued.access+token/=",
  token_id: "tok_lt_b8e0aa",
  expires_in: 7200,
  expires_at: "2026-11-21T19:00:00Z",
  scopes: ["jobs:submit", "tokens:revoke"],
};

export function json(status: number, body: unknown, headers: Record<string, string> = {}) {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

export type Operation = "issueLongTermToken" | "issueShortTermToken" | "revokeToken";
export const operations: Operation[] = ["issueLongTermToken", "issueShortTermToken", "revokeToken"];

export interface ClientUnderTest {
  client: C2mClient;
  clock: VirtualClock;
  /** The call with ordinary arguments and a minute's time. */
  call(operation: Operation): Promise<unknown>;
}

/** A client against `baseUrl` on a clock that stands still, whose back-off never waits. */
export function clientUnderTest(
  baseUrl: string,
  overrides: { credentials?: Credentials; clock?: VirtualClock; send?: HttpSend; requestTimeoutMs?: number } = {},
): ClientUnderTest {
  const { clock = new VirtualClock(now), send = createHttpSend() } = overrides;
  const secret: Credentials = { mechanism: "client_secret", clientId, clientSecret: new Sensitive(clientSecret) };
  const client = createC2mClient({
    baseUrl,
    clientId,
    credentials: async () => overrides.credentials ?? secret,
    clock,
    random: () => 0,
    send,
    requestTimeoutMs: overrides.requestTimeoutMs ?? 15_000,
  });
  const token = new Sensitive(longToken);
  const call = (operation: Operation) => {
    const deadline = clock.now() + 60_000;
    switch (operation) {
      case "issueLongTermToken":
        return client.issueLongTermToken({ scopes: ["jobs:submit"], lifetimeSeconds: 3600, deadline });
      case "issueShortTermToken":
        return client.issueShortTermToken({ longToken: token, scopes: ["jobs:submit"], deadline });
      case "revokeToken":
        return client.revokeToken({ tokenId: "tok_lt_b8e0aa", bearer: token, deadline });
    }
  };
  return { client, clock, call };
}

/** The error that this rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error as Error & Record<string, unknown>;
    throw new Error("rejected with something that is not an Error");
  }
  throw new Error("resolved, where an error was expected");
}
