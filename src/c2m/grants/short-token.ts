import { PermanentError } from "../../ports/errors.ts";
import type { Sensitive } from "../../ports/sensitive.ts";
import type { AuthApi } from "../auth-api.ts";
import type { ShortTokenCredentials } from "../credentials.ts";
import type { ShortTokenGrant } from "./grant.ts";

const reseed = "Supply a first token again: without a live one this mechanism can't go on.";

/**
 * Exchanges the present long token for a short one that may issue (scope `tokens:write`). Once for all attempts of an
 * issue call: it lives for minutes.
 *
 * @throws PermanentError `current_token_missing`, or that of the exchange; then a person has to supply a token
 */
export async function makeShortTokenGrant(
  { grantType = "client_credentials" }: ShortTokenCredentials,
  api: Pick<AuthApi, "issueShortTermToken">,
  current: Sensitive | undefined,
  deadline: number,
): Promise<ShortTokenGrant> {
  if (!current) {
    throw new PermanentError("current_token_missing", `The short_token mechanism needs the present token. ${reseed}`);
  }
  const short = await api
    .issueShortTermToken({ longToken: current, scopes: ["tokens:write"], deadline })
    .catch((error: unknown) => {
      if (!(error instanceof PermanentError) || error.code !== "invalid_token") throw error;
      throw new PermanentError(error.code, `${error.message} ${reseed}`);
    });
  return { mechanism: "short_token", shortToken: short.accessToken, grantType };
}
