import type { Provider } from "./providers/provider.ts";

type Properties = Record<string, unknown>;

/** What an update does with a resource that is there: nothing, a change where it stands, or another one in its place. */
export type Change = "none" | "update" | "replace";

/** What the difference of two sets of inputs comes to, and which inputs differ. */
export function changeOf(
  before: Properties,
  after: Properties,
  { replacedBy }: Pick<Provider, "replacedBy">,
): { change: Change; changed: string[]; replacing: string[] } {
  const changed = changedKeys(before, after);
  const replacing = replacedBy === "any" ? changed : changed.filter((key) => replacedBy.includes(key));
  return { change: replacing.length > 0 ? "replace" : changed.length > 0 ? "update" : "none", changed, replacing };
}

/** The keys whose values differ; what is absent is the same as what is undefined. */
export function changedKeys(before: Properties, after: Properties): string[] {
  return Object.keys({ ...before, ...after }).filter((key) => canonical(before[key]) !== canonical(after[key]));
}

/**
 * The inputs as the cloud has them now. What the program leaves out is an input only where the cloud has something else
 * there than what the provider takes for it.
 */
export function refreshedInputs(inputs: Properties, now: Properties, defaults: Properties = {}): Properties {
  const differs = (key: string, value: unknown) =>
    key in defaults
      ? value !== defaults[key]
      : ![undefined, false, "", "{}", "[]"].includes(plainOrJson(value) as string);
  const read = Object.entries(now).filter(([key, value]) => key in inputs || differs(key, value));
  return Object.fromEntries(
    Object.entries({ ...inputs, ...Object.fromEntries(read) }).filter(([, value]) => value !== undefined),
  );
}

function plainOrJson(value: unknown): unknown {
  return typeof value === "object" ? JSON.stringify(value) : value;
}

/** As JSON, with the keys of objects in order. An archive under the real engine is known by its hash: the state has no files. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, entry: unknown) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return entry;
    const { files, hash } = entry as { files?: unknown; hash?: unknown };
    if (files !== undefined && hash !== undefined) return { hash };
    return Object.fromEntries(Object.entries(entry).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
}
