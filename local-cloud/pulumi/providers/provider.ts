import type { LocalCloud } from "../../cloud.ts";
import type { PlannedResource } from "../plan.ts";

/** What a provider is told of a resource. */
export type ProvidedResource = Pick<PlannedResource, "id" | "inputs" | "outputs">;

/** What the provider does with one type of resource. */
export interface Provider {
  create(cloud: LocalCloud, resource: ProvidedResource): void | Promise<void>;
  /** After its inputs changed; without it the resource is created again. */
  update?(cloud: LocalCloud, resource: ProvidedResource): void | Promise<void>;
  delete?(cloud: LocalCloud, resource: ProvidedResource): void | Promise<void>;
  /**
   * The outputs that have become others in the cloud, or undefined where the resource is gone; without it the resource
   * is what it was.
   */
  read?(cloud: LocalCloud, resource: ProvidedResource): Record<string, unknown> | undefined;
}

/** Providers by the Pulumi type of their resource. */
export type Providers = Record<string, Provider>;

type Inputs = Record<string, unknown>;

/** An input, or output, that has to be there and be a text. */
export function text(inputs: Inputs, name: string): string {
  const value = inputs[name];
  if (typeof value !== "string") throw new Error(`The input ${name} must be a text, and is ${typeof value}.`);
  return value;
}

export function optional<Value>(inputs: Inputs, name: string): Value | undefined {
  return inputs[name] as Value | undefined;
}
