import type { Plan, PlannedResource } from "../../../local-cloud/pulumi/plan.ts";
import { identifiers, kindAndModule, label } from "./rendering.ts";

/** Where Pulumi's provider calls an argument otherwise than Terraform's, of which it is made. By Pulumi's type. */
const renamed: Record<string, Record<string, string>> = {
  "aws:lambda/function:Function": { name: "function_name", code: "filename" },
  "aws:lambda/permission:Permission": { function: "function_name" },
  "aws:cloudwatch/metricAlarm:MetricAlarm": { name: "alarm_name" },
  "aws:sns/topicSubscription:TopicSubscription": { topic: "topic_arn" },
  "aws:secretsmanager/secret:Secret": { replicas: "replica" },
};

/** Blocks of which there is one at most, which Terraform has as lists. */
const blocks = ["logging_config", "rotation_rules", "vpc_config", "tracing_config", "environment"];

/** Maps whose keys are the user's. */
const maps = ["tags", "variables", "dimensions", "triggers"];

/** What `terraform show -json` would print of a plan that creates the program's resources; checkov reads it. */
export function terraformPlan({ resources }: Plan): object {
  const custom = resources.filter(({ type }) => type.startsWith("aws:"));
  const identified = identifiers(custom);
  const rendered = custom.map((resource) => {
    const type = typeOf(resource);
    const values = valuesOf(resource);
    return { address: `${type}.${label(resource)}`, type, name: label(resource), values };
  });
  const address = (resource: PlannedResource) => `${typeOf(resource)}.${label(resource)}`;
  const expressions = (values: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const of = typeof value === "string" ? identified.get(value) : undefined;
        return [key, of ? { references: [`${address(of)}.id`, address(of)] } : { constant_value: value }];
      }),
    );
  const provider = { mode: "managed", provider_name: "registry.terraform.io/hashicorp/aws", schema_version: 0 };
  return {
    format_version: "1.2",
    terraform_version: "1.9.0",
    planned_values: {
      root_module: { resources: rendered.map((resource) => ({ ...provider, ...resource, sensitive_values: {} })) },
    },
    resource_changes: rendered.map(({ values, ...resource }) => ({
      ...provider,
      ...resource,
      change: { actions: ["create"], before: null, after: values, after_unknown: {} },
    })),
    configuration: {
      provider_config: { aws: { name: "aws", full_name: "registry.terraform.io/hashicorp/aws" } },
      root_module: {
        resources: rendered.map(({ values, ...resource }) => ({
          ...resource,
          mode: "managed",
          provider_config_key: "aws",
          schema_version: 0,
          expressions: expressions(values),
        })),
      },
    },
  };
}

function typeOf(resource: PlannedResource): string {
  const { module, kind } = kindAndModule(resource);
  return `aws_${module}_${snakeCase(kind)}`;
}

function valuesOf({ type, inputs }: PlannedResource): Record<string, unknown> {
  const named = Object.entries(inputs).map(([key, value]) => {
    const name = renamed[type]?.[key] ?? snakeCase(key);
    // The archive itself is of no interest.
    return [name, name === "filename" ? "function.zip" : snakeKeys(name, value)];
  });
  return Object.fromEntries(named);
}

function snakeKeys(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => snakeKeys("", item));
  if (typeof value !== "object" || value === null || maps.includes(name)) return value;
  const object = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [snakeCase(key), snakeKeys(snakeCase(key), inner)]),
  );
  return blocks.includes(name) ? [object] : object;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at) => (at === 0 ? "" : "_") + letter.toLowerCase());
}
