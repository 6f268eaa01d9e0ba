import { iamProviders } from "./providers/iam.ts";
import { lambdaProviders } from "./providers/lambda.ts";
import { monitoringProviders } from "./providers/monitoring.ts";
import type { Providers } from "./providers/provider.ts";
import { secretsManagerProviders } from "./providers/secrets-manager.ts";

/** The AWS resources that the program may use, by their Pulumi type. */
export const providers: Providers = {
  ...secretsManagerProviders,
  ...lambdaProviders,
  ...iamProviders,
  ...monitoringProviders,
};
