import { AwsError } from "../../aws/service.ts";
import type { LocalCloud } from "../../cloud.ts";
import type { PlannedResource } from "../plan.ts";

/** What a provider is told of a resource. */
export type ProvidedResource = Pick<PlannedResource, "id" | "inputs" | "outputs">;

// biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to tell.
type Made = Record<string, unknown> | void;

/** What the provider does with one type of resource, as Pulumi's AWS provider does it. */
export interface Provider {
  /**
   * The inputs of which a change replaces the resource: another one is created, and this one deleted. All others are
   * changed where it stands. Source: the schemas of terraform-provider-aws (`ForceNew`).
   */
  replacedBy: readonly string[] | "any";
  /** Resolves with outputs that only the creation tells, if there are any. */
  create(cloud: LocalCloud, resource: ProvidedResource): Made | Promise<Made>;
  /** What is taken for an input that the program leaves out, where that is neither empty nor false. */
  defaults?: Record<string, unknown>;
  /** After inputs changed that do not replace it; without it there are none. */
  update?(cloud: LocalCloud, resource: ProvidedResource): void | Promise<void>;
  /** Without it nothing is to be done. What is gone already is no error. */
  delete?(cloud: LocalCloud, resource: ProvidedResource): void | Promise<void>;
  /**
   * The inputs as the cloud has them now, those that can be read; undefined where the resource is gone. What is undefined
   * among them the cloud does not have.
   */
  read(cloud: LocalCloud, resource: ProvidedResource): Record<string, unknown> | undefined;
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

/** Tags by key. */
export function tagsOf(inputs: Inputs): Record<string, string> {
  return optional<Record<string, string>>(inputs, "tags") ?? {};
}

/** Runs a deletion; what isn't there any more is as good as deleted. */
export async function unlessGone(code: string, run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof AwsError && error.code === code)) throw error;
  }
}
