import type { PlannedResource } from "../../../local-cloud/pulumi/plan.ts";

/** `aws:secretsmanager/secretRotation:SecretRotation` is the kind `SecretRotation` of the module `secretsmanager`. */
export function kindAndModule({ type }: PlannedResource): { module: string; kind: string } {
  const [, module = "", kind = ""] = /^aws:([^/]+)\/[^:]+:(.+)$/.exec(type) ?? [];
  return { module, kind };
}

/** A resource's name as identifiers may be. */
export function label({ name }: PlannedResource): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, "_");
}

/** The resource by each text with which another one could name it: its id, its ARN, or what AWS calls it. */
export function identifiers(resources: readonly PlannedResource[]): Map<string, PlannedResource> {
  const found = new Map<string, PlannedResource>();
  for (const resource of resources) {
    const { kind } = kindAndModule(resource);
    // A policy or a target has no name of its own, and an alarm's is nobody's argument.
    if (!identified.includes(kind)) continue;
    const { id, outputs } = resource;
    for (const text of [id, outputs.arn, outputs.name, outputs.keyId]) {
      if (typeof text === "string" && !found.has(text)) found.set(text, resource);
    }
  }
  return found;
}

const identified = ["Secret", "Function", "Role", "Topic", "Key", "LogGroup", "EventRule"];
