import { baseUrlText, readBaseUrl } from "../src/c2m/base-url.ts";
import { connectTokenUser } from "../src/c2m/connect.ts";
import { createHttpSend } from "../src/c2m/transport.ts";
import { isSameBaseUrl, listedBaseUrl } from "../src/formats/settings.ts";
import type { SecretContext } from "../src/rotation/context.ts";
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
): { context: SecretContext; log: OperatorLog } {
  const baseUrl = checkedBaseUrl(target, view);
  const { clock, random = Math.random } = call;
  const log = new OperatorLog(clock);
  // By the same proxy as AWS is.
  const c2m = connectTokenUser({
    baseUrl,
    clock,
    random,
    send: call.send ?? createHttpSend({ proxyEnv: process.env }),
  });
  const context: SecretContext = {
    arn: view.arn,
    store: aws.store,
    c2mAt: (said) => (listedBaseUrl({ baseUrl }, said) === undefined ? undefined : c2m),
    clock,
    log,
    deadline: clock.now() + timeoutMs,
  };
  return { context, log };
}

/** A token is sent only where the stack or the person says, whatever the secret's value says. */
function checkedBaseUrl({ baseUrl, baseUrlFrom }: Target, view: TokenView): string {
  const configured = readBaseUrl(baseUrl);
  if ("problem" in configured) throw usage(`${baseUrlFrom} ${configured.problem}.`);
  const stored = tokenOf(view.current)?.baseUrl;
  if (stored !== undefined && !isSameBaseUrl(stored, configured.href)) {
    throw refused(
      `The token belongs to another C2M than ${configured.href}: it is sent nowhere. The secret's base_url is ${shown(stored)}.`,
      "If that is yours, name it with --base-url URL, or in C2M_BASE_URL.",
    );
  }
  return configured.href;
}

/** What is no base URL could hold anything, a password too. */
function shown(stored: string): string {
  const url = readBaseUrl(stored);
  return "problem" in url ? "not valid" : baseUrlText(url);
}
