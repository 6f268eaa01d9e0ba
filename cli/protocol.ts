import { randomUUID } from "node:crypto";
import { parseBaseUrl } from "../src/c2m/base-url.ts";
import { createBearerClient } from "../src/c2m/bearer-client.ts";
import type { RotationContext } from "../src/rotation/context.ts";
import type { Aws } from "./aws.ts";
import type { Call } from "./command.ts";
import { refused, usage } from "./failure.ts";
import { OperatorLog } from "./operator-log.ts";
import type { Target } from "./target.ts";
import { type TokenView, tokenOf } from "./token-view.ts";

/** The protocol's parts in an operator's hands. They never issue a token: an operator has no client credentials. */
export function protocolFor(
  call: Call,
  aws: Aws,
  target: Target,
  view: TokenView,
  timeoutMs: number,
): { context: RotationContext; log: OperatorLog } {
  const baseUrl = checkedBaseUrl(target, view);
  const { clock } = call;
  const log = new OperatorLog(clock);
  const clientId = tokenOf(view.current)?.clientId ?? "unknown";
  const c2m = createBearerClient({ baseUrl, clientId, clock });
  const context: RotationContext = {
    store: aws.store,
    c2m,
    clock,
    log,
    settings: {
      secretName: view.name,
      clientId,
      baseUrl,
      scopes: tokenOf(view.current)?.scopes ?? [],
      // What follows is of no account where nothing is issued and nothing reconciled.
      ttlSeconds: 3_600,
      graceSeconds: target.graceSecondsOf(view.arn) ?? 0,
      pendingMaxAgeSeconds: 86_400,
      revocation: true,
    },
    randomId: randomUUID,
    deadline: clock.now() + timeoutMs,
  };
  return { context, log };
}

/** A token is sent only where the stack or the person says, whatever the secret's value says. */
function checkedBaseUrl({ baseUrl }: Target, view: TokenView): string {
  let configured: URL;
  try {
    configured = parseBaseUrl(baseUrl);
  } catch (error) {
    throw usage(error instanceof Error ? error.message : "--base-url is not valid.");
  }
  const stored = tokenOf(view.current)?.baseUrl;
  if (stored !== undefined && URL.parse(stored)?.href.replace(/\/$/, "") !== configured.href.replace(/\/$/, "")) {
    throw refused(
      `The token belongs to another C2M than ${configured.href}: it is sent nowhere.`,
      "If the one in the secret's base_url is yours, name it with --base-url URL.",
    );
  }
  return configured.href;
}
