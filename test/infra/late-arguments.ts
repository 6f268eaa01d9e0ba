/** A program that hands one argument over as another resource would, as an output, where it may. Run by plan.test.ts. */
import * as pulumi from "@pulumi/pulumi";
import { TokenRotation } from "../../infra/token-rotation.ts";

const config = new pulumi.Config();
const key = config.require("key");
const value: unknown = config.requireObject("value");
const isPlain = key === "tokens" || key === "replicaRegions";
new TokenRotation("late", {
  clientId: "c2m_x",
  ...(key === "credentialsSecretArn" ? {} : { clientSecret: config.requireSecret("clientSecret") }),
  tokens: [{ name: "c2m/api-token" }],
  [key]: isPlain ? value : pulumi.output(value),
});
