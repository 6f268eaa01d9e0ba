import { expect, onTestFinished, test } from "vitest";
import { deploy } from "../../pulumi/deploy.ts";
import { emptyCloud, functionWithRole, planOf } from "../pulumi/planned.ts";

test("Lambda measures invocations, errors and durations, whatever its log says", async () => {
  const { cloud } = await emptyCloud();
  onTestFinished(() => cloud.stop());
  const source = "exports.handler = async ({ fails }) => { if (fails) throw new Error('no'); }";
  const loggingConfig = { logFormat: "JSON", applicationLogLevel: "FATAL", systemLogLevel: "WARN" };
  await deploy(cloud, planOf(...functionWithRole("f", { source, loggingConfig })));
  for (const fails of [false, true, false]) await cloud.lambda.invoke("f", { fails });
  const valuesOf = (metric: string) =>
    cloud.metrics.datapoints("AWS/Lambda", metric, { FunctionName: "f" }).map(({ value }) => value);
  expect(valuesOf("Invocations")).toEqual([1, 1, 1]);
  expect(valuesOf("Errors")).toEqual([0, 1, 0]);
  expect(valuesOf("Duration")).toHaveLength(3);
});
