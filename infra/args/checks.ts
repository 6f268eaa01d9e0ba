import * as pulumi from "@pulumi/pulumi";

/** What is wrong with an argument. Holds no value: it could be a secret in the wrong place. */
export interface Problem {
  /** `tokens[0].grace`. */
  path: string;
  /** What the argument is for. */
  meaning: string;
  /** What it must be. */
  rule: string;
}

/** Takes what is wrong at once; what turns out to be wrong later fails the deployment with the same text. */
export type Report = (problem: Problem) => void;

/** Says what a value must be; undefined where it is. */
export type Rule<Value> = (value: Value) => string | undefined;

/** All problems as one text, a line each. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(describe).join("\n");
}

function describe({ path, meaning, rule }: Problem): string {
  return `  - ${path} (${meaning}): ${rule}`;
}

/**
 * Holds an opaque value to its rule: now where it is known, else when it resolves, with the same message.
 *
 * @throws {pulumi.RunError} by the output, where the rule is broken after preview
 */
export function opaque<Value>(
  value: pulumi.Input<Value>,
  rule: Rule<Value>,
  at: Omit<Problem, "rule">,
  report: Report,
): pulumi.Output<Value> {
  if (!isLater(value)) {
    const broken = rule(value as Value);
    if (broken !== undefined) report({ ...at, rule: broken });
    return pulumi.output(value) as pulumi.Output<Value>;
  }
  return pulumi.output(value).apply((known) => {
    const broken = rule(known as Value);
    if (broken !== undefined) throw foundLate({ ...at, rule: broken });
    return known;
  }) as pulumi.Output<Value>;
}

/** What fails the deployment where a value turns out to be wrong. */
export function foundLate(problem: Problem): pulumi.RunError {
  const text = `This argument is not valid:\n${describe(problem)}`;
  // The SDK would put the name of each property that waits for the value before the message: a screen of them.
  return Object.defineProperty(new pulumi.RunError(text), "message", { get: () => text, set: () => undefined });
}

/** Whether a value is known only later: an output or a promise. */
export function isLater(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}

/** Opaque values in a list that is itself known or opaque; each is held to the rule. */
export function opaqueList(
  values: pulumi.Input<pulumi.Input<string>[]>,
  rule: Rule<string>,
  listRule: Rule<unknown[]>,
  at: Omit<Problem, "rule">,
  report: Report,
): pulumi.Output<string[]> {
  if (isLater(values)) {
    const whole = (known: string[]) =>
      listOrText(known) ?? listRule(known) ?? known.map(rule).find((broken) => broken !== undefined);
    return opaque(values as pulumi.Input<string[]>, whole, at, report);
  }
  const broken = listOrText(values) ?? listRule(values as unknown[]);
  if (broken !== undefined) report({ ...at, rule: broken });
  if (!Array.isArray(values)) return pulumi.output([]);
  return pulumi.all(
    values.map((value, index) => opaque(value, text(rule), { ...at, path: `${at.path}[${index}]` }, report)),
  );
}

const listOrText: Rule<unknown> = (value) => (Array.isArray(value) ? undefined : "must be a list of texts");

/** The rule for texts; whatever else comes is told so. */
export function text(rule: Rule<string>): Rule<string> {
  return (value) => (typeof value === "string" ? rule(value) : "must be a text");
}

/** A rule that is a pattern. */
export function matches(pattern: RegExp, must: string): Rule<string> {
  return text((value) => (pattern.test(value) ? undefined : must));
}
