import type { PlannedResource } from "./plan.ts";

/** What overwrites without a word what is there by its name: each as early as the engine may create it. */
const overwriting = [
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:cloudwatch/dashboard:Dashboard",
  "aws:cloudwatch/eventRule:EventRule",
  "aws:sns/topic:Topic",
  "aws:sns/topicPolicy:TopicPolicy",
];

/** What uses others: each as early as the engine may create it, so that a dependency that was not declared is violated. */
const eager = [
  "aws:secretsmanager/secretRotation:SecretRotation",
  "aws:lambda/invocation:Invocation",
  "aws:lambda/function:Function",
];

/**
 * An order in which the engine may create the resources, and of all those the worst. Pulumi promises nothing but that
 * a resource comes after its parent and after what it depends on.
 */
export function worstOrder(resources: PlannedResource[]): PlannedResource[] {
  const waiting = new Map(resources.map((resource) => [resource.urn, resource]));
  const needs = ({ parent, dependencies }: PlannedResource) => [parent, ...dependencies];
  const all = new Map(waiting);
  const isFree = (resource: PlannedResource, among = new Set<string>()): boolean =>
    needs(resource).every((urn) => {
      const needed = all.get(urn);
      if (!needed || among.has(urn)) return true;
      among.add(urn);
      return (!needed.custom || overwriting.includes(needed.type)) && isFree(needed, among);
    });
  const ordered: PlannedResource[] = [];
  const visit = (urn: string) => {
    const resource = waiting.get(urn);
    if (!resource) return;
    waiting.delete(urn);
    for (const needed of needs(resource)) visit(needed);
    ordered.push(resource);
  };
  // What depends on nothing that could refuse a name.
  for (const resource of resources) if (overwriting.includes(resource.type) && isFree(resource)) visit(resource.urn);
  for (const type of eager) for (const resource of resources) if (resource.type === type) visit(resource.urn);
  for (const { urn } of resources) visit(urn);
  return ordered;
}
