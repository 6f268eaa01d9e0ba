import type { LocalCloud } from "../../local-cloud.ts";
import type { PlannedResource } from "../plan.ts";

/** What the provider does with one type of resource. */
export interface Provider {
  create(cloud: LocalCloud, resource: PlannedResource): void | Promise<void>;
  /** After its inputs changed; without it the resource is created again. */
  update?(cloud: LocalCloud, resource: PlannedResource): void | Promise<void>;
  delete?(cloud: LocalCloud, resource: PlannedResource): void | Promise<void>;
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
