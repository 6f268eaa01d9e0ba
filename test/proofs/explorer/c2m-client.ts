/** The C2M client that all tokens here are issued to. */
export const clientId = "c2m_client";
export const clientSecret = "cs-3f9a-client-secret-7b21";
export const scopes = ["jobs:submit", "tokens:revoke"];

/** All that a client may ask for. */
export const mostScopes = [...scopes, "jobs:read", "tokens:write"];

/** Another client of the same C2M, that `pulumi up` can go over to. */
export const otherClientId = "c2m_other_client";
export const otherClientSecret = "cs-88d0-other-client-secret-5e6f";

/** An id that no token has, another one for each token. */
export function anotherIdOf(tokenId: string): string {
  return tokenId.replace(/^tok_/, "tok_0");
}
