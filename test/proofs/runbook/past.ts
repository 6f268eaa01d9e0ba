import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { LocalCloud } from "../../../local-cloud/cloud.ts";
import type { OperatedStack } from "../../harness/operated-stack.ts";
import { clientId, scopes, secretName } from "../../harness/stack.ts";

/** What C2M knows the client by since it was renewed. */
export const newClientSecret = "renewed-client-secret-77f0";

/** Where the copy is. */
export const otherRegion = "eu-west-1";

/** Click2Mail has given the client another secret. */
export function renewedSecret(cloud: LocalCloud): void {
  cloud.c2m.registerClient({ clientId, clientSecret: newClientSecret, scopes });
}

/** A region in which a stack kept a token fresh is lost; its copy in this cloud's own region is left. */
export async function lostRegion({ cloud }: OperatedStack): Promise<void> {
  renewedSecret(cloud);
  const answer = await fetch(`${cloud.c2mUrl}/auth/tokens/long`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: newClientSecret,
      scopes: ["jobs:submit", "tokens:revoke"],
    }),
  });
  const token = (await answer.json()) as object;
  const client = new SecretsManagerClient({ ...cloud.clientConfig(), region: "us-east-1" });
  const value = { ...token, client_id: clientId, base_url: cloud.c2mUrl };
  await client.send(
    new CreateSecretCommand({
      Name: secretName,
      SecretString: JSON.stringify(value),
      AddReplicaRegions: [{ Region: otherRegion }],
    }),
  );
  client.destroy();
}
