import type { LocalCloud } from "../cloud.ts";
import type { Plan, PlannedResource } from "./plan.ts";
import { withC2mUrl } from "./program.ts";
import { providerOf } from "./resources.ts";

/** A stack in the local cloud. */
export interface Deployment {
  readonly plan: Plan;
  /** `pulumi up` again: creates, changes and deletes what differs. */
  update(next: Plan): Promise<Deployment>;
  /** `pulumi destroy`. Rejects when a resource is protected. */
  destroy(): Promise<void>;
}

/**
 * Builds in the local cloud what a Pulumi program declares. Rejects as `pulumi up` would fail. Its C2M is the cloud's own.
 *
 * `before` is what the cloud has of it already, by an earlier deployment; default nothing.
 */
export async function deploy(
  cloud: LocalCloud,
  declared: Plan,
  before: Plan = { resources: [], outputs: {} },
): Promise<Deployment> {
  return await up(cloud, before, declared);
}

async function up(cloud: LocalCloud, before: Plan, declared: Plan): Promise<Deployment> {
  const after = withC2mUrl(declared, cloud.c2mUrl);
  const known = new Map(before.resources.map((resource) => [resource.urn, resource]));
  for (const resource of worstOrder(after.resources)) {
    const earlier = known.get(resource.urn);
    if (!resource.custom || (earlier && sameInputs(earlier, resource))) continue;
    const provider = providerOf(resource.type);
    await (earlier && provider.update ? provider.update(cloud, resource) : provider.create(cloud, resource));
  }
  const kept = new Set(after.resources.map(({ urn }) => urn));
  await remove(
    cloud,
    before.resources.filter(({ urn }) => !kept.has(urn)),
  );
  return {
    plan: after,
    update: (next) => up(cloud, after, next),
    destroy: () => remove(cloud, after.resources),
  };
}

async function remove(cloud: LocalCloud, resources: PlannedResource[]): Promise<void> {
  for (const { protect, urn } of resources) if (protect) throw new Error(`The resource ${urn} is protected.`);
  for (const resource of worstOrder(resources).reverse()) {
    if (resource.custom) await providerOf(resource.type).delete?.(cloud, resource);
  }
}

function sameInputs(one: PlannedResource, other: PlannedResource): boolean {
  return JSON.stringify(one.inputs) === JSON.stringify(other.inputs);
}

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
function worstOrder(resources: PlannedResource[]): PlannedResource[] {
  const waiting = new Map(resources.map((resource) => [resource.urn, resource]));
  const ordered: PlannedResource[] = [];
  const visit = (urn: string) => {
    const resource = waiting.get(urn);
    if (!resource) return;
    waiting.delete(urn);
    for (const needed of [resource.parent, ...resource.dependencies]) visit(needed);
    ordered.push(resource);
  };
  for (const type of eager) for (const resource of resources) if (resource.type === type) visit(resource.urn);
  for (const { urn } of resources) visit(urn);
  return ordered;
}
