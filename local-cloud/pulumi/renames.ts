import type { PlannedResource } from "./plan.ts";

/** The outputs that AWS or Pulumi makes up: others may depend on them. */
const madeUp = ["arn", "name", "keyId", "versionId"];

/**
 * A plan holds the ids that its resources would get if all were new. Where one has another id, since it was there before
 * or is made a second time, whatever names it has to name the real one.
 */
export class Renames {
  readonly #real = new Map<string, string>();

  /** From now on what names the planned resource names the real one. */
  keep(planned: PlannedResource, real: PlannedResource): void {
    const pairs = [[planned.id, real.id], ...madeUp.map((key) => [planned.outputs[key], real.outputs[key]])];
    for (const [from, to] of pairs) {
      if (typeof from === "string" && typeof to === "string" && from !== to && from !== "") this.#real.set(from, to);
    }
  }

  /** The same with the real ones in it. */
  in<Value>(value: Value): Value {
    if (this.#real.size === 0) return value;
    // The longest first: an ARN holds a name.
    const known = [...this.#real.keys()].sort((one, other) => other.length - one.length);
    const pattern = new RegExp(known.map((text) => escaped(JSON.stringify(text).slice(1, -1))).join("|"), "g");
    const json = JSON.stringify(value).replace(pattern, (text) => this.#real.get(text) ?? text);
    return JSON.parse(json) as Value;
  }

  /** What was planned, as the resource that is there already. */
  settled(wanted: PlannedResource, before: PlannedResource): PlannedResource {
    const own = madeUp.filter((key) => !(key in wanted.inputs) && key in before.outputs);
    const kept = Object.fromEntries(own.map((key) => [key, before.outputs[key]]));
    return { ...wanted, id: before.id, outputs: { ...wanted.outputs, ...kept } };
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
