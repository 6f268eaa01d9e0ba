/** A program that hands one argument over as another resource would: as an output. Run by plan.test.ts. */
import * as pulumi from "@pulumi/pulumi";
import { TokenRotation } from "../../infra/token-rotation.ts";

const config = new pulumi.Config();
new TokenRotation("late", {
  clientId: "c2m_x",
  clientSecret: config.requireSecret("clientSecret"),
  tokens: [{ name: "c2m/api-token" }],
  [config.require("key")]: pulumi.output(config.requireObject("value")),
});
