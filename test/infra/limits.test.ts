import { describe, expect, it } from "vitest";
import { limits, retentions as ours } from "../../infra/args/limits.ts";
import { memorySizes } from "../../local-cloud/lambda/function-limits.ts";
import { retentions } from "../../local-cloud/logs/service.ts";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import { quotas } from "../../local-cloud/quotas.ts";
import { measuresOf } from "../../tools/limits/measures.ts";
import { plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig();

const { withMonitoring, withoutMonitoring } = limits.nameLength;
const longest = await Promise.all([
  plan({ config: { ...config, name: "n".repeat(withMonitoring) }, secretKeys }),
  plan({ config: { ...config, name: "n".repeat(withoutMonitoring), monitoring: "false" }, secretKeys }),
]);

/** What the local cloud refuses by, for each limit that the program checks at preview. */
const judged: Partial<Record<keyof typeof limits, unknown>> = {
  tags: quotas.tags.most,
  tagKeyLength: quotas.tagKey.most,
  tagValueLength: quotas.tagValue.most,
  memorySize: memorySizes,
  rolePolicies: quotas.inlinePolicies.most,
  eventPattern: quotas.eventPattern.most,
};

/** Of what the local cloud does not have; and shares of a quota, which `npm run limits` judges by what comes of them. */
const notJudged: (keyof typeof limits)[] = [
  "subnets",
  "securityGroups",
  "reservedConcurrency",
  "nameLength",
  "arnLength",
  "adoptedArns",
  "eventPatternFrame",
  "eventRules",
];

describe("the limits that the program checks at preview", () => {
  it("are those of the local cloud, which were written down apart from them", () => {
    expect({ ...limits }).toMatchObject(judged);
    expect(Object.keys(limits).sort()).toEqual([...Object.keys(judged), ...notJudged].sort());
    expect(limits.eventRules).toBeLessThan(quotas.rulesPerBus.most);
    expect(ours).toEqual(retentions);
  });

  it.each([
    ["with", longest[0]],
    ["without", longest[1]],
  ])("let names be as long as AWS lets them be with what the program and Pulumi add, %s monitoring", (_, declared) => {
    const used = measuresOf(declared as Plan).flatMap(({ quota, used: size }) =>
      quota === "ruleName" || quota === "roleName" ? [size] : [],
    );
    expect(Math.max(...used)).toBe(quotas.roleName.most);
  });
});
