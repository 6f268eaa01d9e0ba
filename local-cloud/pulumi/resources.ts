import { iamProviders } from "./providers/iam.ts";
import { lambdaProviders } from "./providers/lambda.ts";
import { monitoringProviders } from "./providers/monitoring.ts";
import type { Provider, Providers } from "./providers/provider.ts";
import { secretsManagerProviders } from "./providers/secrets-manager.ts";

/** The AWS resources that the program may use, by their Pulumi type. */
const providers: Providers = {
  ...secretsManagerProviders,
  ...lambdaProviders,
  ...iamProviders,
  ...monitoringProviders,
};

/** What does the work for a type of resource. Throws where the local cloud has no such type. */
export function providerOf(type: string): Provider {
  const provider = providers[type];
  if (!provider) throw new Error(`The local cloud has no resource of type ${type}: add it to resources.ts.`);
  return provider;
}
