import * as v from "valibot";
import { PermanentError } from "../../src/ports/errors.ts";
import { steps } from "../../src/rotation/steps/run-step.ts";

const stepNames = Object.keys(steps) as (keyof typeof steps)[];

const secretId = v.pipe(
  v.string("must be a text"),
  v.regex(/^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+$/, "must be the ARN of a secret"),
);

/** What Secrets Manager sends, step by step, with the step's name in camelCase. */
const stepEvent = v.object({
  Step: v.picklist(stepNames),
  SecretId: secretId,
  /** The id of the version that the rotation makes: 32 to 64 characters, not always a UUID. */
  ClientRequestToken: v.pipe(
    v.string("must be a text"),
    v.minLength(32, "must have 32 to 64 characters"),
    v.maxLength(64, "must have 32 to 64 characters"),
  ),
  /** Who asked for the rotation. Not on every invocation. */
  RotationToken: v.optional(v.string("must be a text")),
});

/** What `pulumi up` sends. */
const bootstrapEvent = v.object({ Step: v.literal("bootstrap"), SecretId: secretId });

/** The same, once per client. */
const proveCredentialsEvent = v.object({ Step: v.literal("proveCredentials") });

const anyEvent = v.variant("Step", [stepEvent, bootstrapEvent, proveCredentialsEvent]);

export type RotationEvent = v.InferOutput<typeof anyEvent>;

/** Reads an event. PermanentError `event_invalid` names each field that is wrong and its rule, and no value. */
export function parseEvent(event: unknown): RotationEvent {
  const result = v.safeParse(anyEvent, event);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? "the event"} ${ruleOf(issue)}`);
  throw new PermanentError(
    "event_invalid",
    `${problems.join("; ")}. This function is invoked by Secrets Manager, or by the deployment of the stack.`,
  );
}

function ruleOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === "variant") {
    return v.getDotPath(issue) === "Step"
      ? `must be one of ${[...stepNames, "bootstrap", "proveCredentials"].join(", ")}`
      : "must be an object";
  }
  if (issue.received === "undefined") return "is missing";
  return issue.kind === "validation" || issue.type === "string" ? issue.message : `must be ${issue.expected}`;
}
