/**
 * `node examples/mail-service/main.ts`: serves on PORT (default 8080) with the token in the secret C2M_TOKEN_SECRET
 * (default `c2m/api-token`) for the C2M at C2M_BASE_URL (default the real one). AWS is found by the usual variables; with
 * AWS_ENDPOINT_URL it runs against the local cloud.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createC2mFetch, createTokenSource } from "../../client/index.ts";
import { createMailService } from "./mail-service.ts";

const { PORT = "8080", C2M_TOKEN_SECRET = "c2m/api-token", C2M_BASE_URL } = process.env;

const tokens = createTokenSource({
  secretId: C2M_TOKEN_SECRET,
  ...(C2M_BASE_URL === undefined ? {} : { baseUrl: C2M_BASE_URL }),
  prefetch: true,
  onRefreshError: (error) => console.warn(`The token can't be refreshed, the last one still serves: ${error}`),
});
const service = createMailService(createC2mFetch(tokens, { scopes: ["jobs:submit"] }));

for (const signal of ["SIGINT", "SIGTERM"]) {
  // Letters under way are finished first.
  process.once(signal, () => service.close(() => tokens.close()));
}

service.listen(Number(PORT), "127.0.0.1");
await once(service, "listening");
console.log(`mail service on http://127.0.0.1:${(service.address() as AddressInfo).port}`);
