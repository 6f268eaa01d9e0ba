import type { Plan, PlannedResource } from "../../local-cloud/pulumi/plan.ts";

/** `Secret c2m-token-rotation-credentials` for every resource, sorted. */
export function declared({ resources }: Plan): string[] {
  return resources.map((resource) => `${kindOf(resource)} ${resource.name}`).sort();
}

/** The last part of the type, as in `SecretRotation`. */
export function kindOf({ type }: PlannedResource): string {
  return type.split(":").at(-1) ?? "";
}

/** The resources of a kind, as in `SecretRotation`. */
export function all({ resources }: Plan, kind: string): PlannedResource[] {
  return resources.filter((resource) => kindOf(resource) === kind);
}

/** The only resource of a kind whose name ends so. Throws where there is none, or several. */
export function one(plan: Plan, kind: string, nameEnd = ""): PlannedResource {
  const [found, ...others] = all(plan, kind).filter(({ name }) => name.endsWith(nameEnd));
  if (!found || others.length > 0)
    throw new Error(`There are ${found ? others.length + 1 : 0} of ${kind} …${nameEnd}.`);
  return found;
}

/** The settings file of a function. */
export function settingsOf(plan: Plan): { tokens: Record<string, Record<string, unknown>> } {
  const { files } = one(plan, "Function", "-rotator").inputs.code as { files: Record<string, string> };
  return JSON.parse(files["tokens.json"] ?? "");
}

/** A policy that stands as JSON in an input. */
export function policyIn({ inputs }: PlannedResource, input = "policy"): { Statement: Record<string, unknown>[] } {
  return JSON.parse(String(inputs[input]));
}
