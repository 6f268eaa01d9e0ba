import type { Plan, PlannedResource } from "../../local-cloud/pulumi/plan.ts";

/** A resource as Pulumi's engine shows it to a policy of the whole stack. */
export interface ShownResource {
  type: string;
  name: string;
  urn: string;
  /** Its outputs. */
  props: Record<string, unknown>;
  /** URNs of those that a property comes from. */
  propertyDependencies: Record<string, string[]>;
}

/** This project's own component puts out what the stack does, which the plan has. */
const component = "c2m-token-rotation:index:TokenRotation";

/** A program's resources as the engine shows them; at a preview with `unknown` in the place of what AWS will give. */
export function shown({ resources, outputs: ofStack }: Plan, unknown?: string): ShownResource[] {
  const byText = new Map<unknown, PlannedResource>();
  for (const resource of resources.filter(({ custom }) => custom)) {
    // A topic's policy has the topic's ARN, too, and comes after it.
    for (const text of [resource.id, resource.outputs.arn]) if (!byText.has(text)) byText.set(text, resource);
  }
  return resources.map((resource) => {
    const { type, name, urn, inputs, outputs, dependencies } = resource;
    const propertyDependencies: Record<string, string[]> = {};
    const props: Record<string, unknown> = {};
    const all = { ...inputs, ...outputs, ...(type === component ? ofStack : {}) };
    for (const [key, value] of Object.entries(all)) {
      const others = [value].flat().flatMap((text) => {
        const of = byText.get(text);
        return of && dependencies.includes(of.urn) ? [of.urn] : [];
      });
      if (others.length > 0) propertyDependencies[key] = others;
      const isAnswer = unknown !== undefined && (key === "arn" || key === "id");
      const isGiven = unknown !== undefined && others.length > 0;
      props[key] = isAnswer ? unknown : isGiven ? (Array.isArray(value) ? value.map(() => unknown) : unknown) : value;
    }
    return { type, name, urn, props, propertyDependencies };
  });
}
