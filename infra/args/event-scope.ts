import type { Report } from "./checks.ts";
import { rotationKeys } from "./keys.ts";
import { limits } from "./limits.ts";

/** Which secrets a rule's events are about: exactly these, or all whose names begin so. */
export type EventScope = { names: string[] } | { prefix: string };

/**
 * The scopes of the event rules of one kind, a rule each. Exact as long as the rules are few; beyond that by what the names
 * begin with, where that is a folder of their own.
 */
export function eventScopes(
  names: readonly string[],
  credentialsName: string | undefined,
  report: Report,
): EventScope[] {
  const parts: string[][] = [];
  let room = 0;
  for (const name of names) {
    const needed = name.length + limits.arnLength;
    if (needed > room) {
      parts.push([]);
      room = limits.eventPattern - limits.eventPatternFrame;
    }
    parts.at(-1)?.push(name);
    room -= needed;
  }
  if (parts.length <= limits.eventRules) return parts.map((part) => ({ names: part }));
  const prefix = commonFolder(names);
  const problem = (rule: string) => report({ path: "tokens", meaning: rotationKeys.tokens.meaning, rule });
  const most = `so many names need more than ${limits.eventRules} event rules of ${limits.eventPattern} characters`;
  if (prefix === "") {
    problem(`must have names that begin with one folder, as in "c2m/": ${most}; or switch monitoring off`);
  } else if (credentialsName?.startsWith(prefix)) {
    problem(
      `must not share the folder ${prefix} with the secret of the client's credentials: ${most}, so they go by the folder; name that secret otherwise`,
    );
  }
  return [{ prefix }];
}

/** What all names begin with, up to its last slash. */
function commonFolder([first = "", ...others]: readonly string[]): string {
  let length = first.length;
  for (const name of others) {
    while (!name.startsWith(first.slice(0, length))) length -= 1;
  }
  return first.slice(0, first.slice(0, length).lastIndexOf("/") + 1);
}
