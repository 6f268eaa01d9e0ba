import type { C2m } from "../ports/c2m.ts";
import { PermanentError } from "../ports/errors.ts";
import { type ConnectOptions, connect } from "./connect.ts";

/**
 * The C2M auth API for who has tokens and no credentials: it exchanges and revokes, and brings no code of the mechanisms
 * that issue. An issue call fails with PermanentError `issue_forbidden`.
 *
 * @throws PermanentError `invalid_base_url` or `invalid_client_id`
 */
export function createBearerClient(options: ConnectOptions): C2m {
  const { api } = connect(options);
  return {
    issueLongTermToken: async () => {
      throw new PermanentError("issue_forbidden", "Only the rotator issues tokens: nothing else has credentials.");
    },
    issueShortTermToken: (request) => api.issueShortTermToken(request),
    revokeToken: (request) => api.revokeToken(request),
  };
}
