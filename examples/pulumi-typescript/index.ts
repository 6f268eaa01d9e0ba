import * as pulumi from "@pulumi/pulumi";
import { TokenRotation } from "c2m-token-rotation";

const config = new pulumi.Config();

const rotation = new TokenRotation("mail", {
  clientId: config.require("clientId"),
  clientSecret: config.requireSecret("clientSecret"),
  baseUrl: config.get("baseUrl") ?? "https://api.click2mail.com/v2",
  credentialsSecretName: "mail/c2m-client",
  tokens: [{ name: "mail/c2m-token", schedule: "rate(20 days)", grace: "2 hours" }],
  alarmEmails: ["ops@example.com"],
});

export const { tokenSecretArns, readCommands } = rotation;
