/** A program that looks how long stack traces are while its rotation is declared, and afterwards. Run by short-traces.test.ts. */
import * as pulumi from "@pulumi/pulumi";
import { TokenRotation } from "../../infra/token-rotation.ts";

const config = new pulumi.Config();
const refused = config.get("refused");
if (config.getBoolean("leaks")) process.env.PULUMI_DEBUG_PROMISE_LEAKS = "1";
Error.stackTraceLimit = 7;
const whileDeclared: number[] = [];

function transformation({ type }: pulumi.ResourceTransformationArgs): undefined {
  whileDeclared.push(Error.stackTraceLimit);
  if (type === refused) throw new Error("refused here");
}

export let thrownAt = "";
try {
  new TokenRotation(
    "traced",
    { clientId: "c2m_x", clientSecret: config.requireSecret("clientSecret"), tokens: [{ name: "c2m/api-token" }] },
    { transformations: [transformation] },
  );
} catch (error) {
  thrownAt = String((error as Error).stack);
}
delete process.env.PULUMI_DEBUG_PROMISE_LEAKS;

export const during = whileDeclared;
export const after = Error.stackTraceLimit;
Error.stackTraceLimit = 10;
