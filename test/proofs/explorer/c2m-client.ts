/** The C2M client that all tokens here are issued to. */
export const clientId = "c2m_client";
export const clientSecret = "cs-3f9a-client-secret-7b21";
export const scopes = ["jobs:submit", "tokens:revoke"];
