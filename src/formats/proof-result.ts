import * as v from "valibot";

const schema = v.object({
  outcome: v.literal("proven"),
  /** The names of secrets that are deployed and hold the same token. */
  duplicates: v.optional(v.array(v.tuple([v.string(), v.string()]))),
  /** When that was found, ISO 8601; there with `duplicates`. */
  at: v.optional(v.string()),
});

/** What the proof of the credentials answers to `pulumi up`. Holds no secret. */
export type ProofResult = v.InferOutput<typeof schema>;

/** The answer as it stands in the state; undefined where it is none. */
export function parseProofResult(text: string): ProofResult | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
