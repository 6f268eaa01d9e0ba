import { AwsError } from "../aws/service.ts";

type Matches = (message: string) => boolean;
type JsonTest = (value: unknown) => boolean;

/**
 * Compiles a CloudWatch Logs filter pattern. Known: nothing (everything matches); terms, bare or quoted, all of which
 * must occur; and JSON patterns `{ $.a.b = "x*" && ($.n >= 3 || $.c IS NULL) }` with =, !=, <, <=, >, >=, IS TRUE,
 * IS FALSE, IS NULL, NOT EXISTS. Source: CloudWatch Logs user guide, "filter pattern syntax".
 * @throws AwsError InvalidParameterException for whatever else: regular expressions, space-delimited patterns, `?` and `-` terms.
 */
export function parseFilterPattern(pattern: string): Matches {
  const text = pattern.trim();
  if (text.startsWith("{")) return parseJsonPattern(text);
  const terms = tokens(text, /\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_]+))\s*/y).map(
    ([, quoted, bare]) => unquote(quoted) ?? bare ?? "",
  );
  return (message) => terms.every((term) => message.includes(term));
}

function parseJsonPattern(pattern: string): Matches {
  const parser = new JsonPatternParser(
    tokens(
      pattern,
      /\s*("(?:[^"\\]|\\.)*"|\$(?:\.[A-Za-z0-9_-]+|\[\d+\])+|&&|\|\||!=|<=|>=|[{}()=<>]|-?\d+(?:\.\d+)?|[A-Za-z]+)\s*/y,
    ).map(([, token]) => token ?? ""),
  );
  const test = parser.parse();
  return (message) => {
    let value: unknown;
    try {
      value = JSON.parse(message);
    } catch {
      return false;
    }
    return test(value);
  };
}

/** Recursive descent: or → and → primary, as && binds tighter than ||. */
class JsonPatternParser {
  readonly #tokens: string[];
  #at = 0;

  constructor(tokens: string[]) {
    this.#tokens = tokens;
  }

  parse(): JsonTest {
    this.#expect("{");
    const test = this.#or();
    this.#expect("}");
    if (this.#at < this.#tokens.length) throw invalid(`unexpected ${this.#tokens[this.#at]}`);
    return test;
  }

  #or(): JsonTest {
    const tests = [this.#and()];
    while (this.#take("||")) tests.push(this.#and());
    return (value) => tests.some((test) => test(value));
  }

  #and(): JsonTest {
    const tests = [this.#primary()];
    while (this.#take("&&")) tests.push(this.#primary());
    return (value) => tests.every((test) => test(value));
  }

  #primary(): JsonTest {
    if (this.#take("(")) {
      const test = this.#or();
      this.#expect(")");
      return test;
    }
    const selector = this.#next();
    if (!selector.startsWith("$")) throw invalid(`expected a selector such as $.event, not ${selector}`);
    const select = selectorOf(selector);
    const operator = this.#next();
    if (operator.toUpperCase() === "IS") return this.#is(select);
    if (operator.toUpperCase() === "NOT") {
      this.#expect("EXISTS");
      return (value) => select(value) === undefined;
    }
    return comparison(select, operator, this.#next());
  }

  #is(select: (value: unknown) => unknown): JsonTest {
    const word = this.#next().toUpperCase();
    if (word !== "TRUE" && word !== "FALSE" && word !== "NULL") throw invalid(`IS ${word} is not known`);
    const expected: unknown = JSON.parse(word.toLowerCase());
    return (value) => select(value) === expected;
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw invalid("it ends too early");
    return token;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    const found = this.#next();
    if (found.toUpperCase() !== token) throw invalid(`expected ${token}, not ${found}`);
  }
}

/** A field that is absent, an object or a list equals nothing and differs from nothing. */
function comparison(select: (value: unknown) => unknown, operator: string, operand: string): JsonTest {
  const text = operand.startsWith('"') ? unquote(operand.slice(1, -1)) : undefined;
  if (text !== undefined) {
    if (operator !== "=" && operator !== "!=") throw invalid(`strings can't be compared with ${operator}`);
    const expected = starPattern(text);
    return (value) => {
      const actual = select(value);
      return typeof actual === "string" && expected.test(actual) === (operator === "=");
    };
  }
  const number = Number(operand);
  if (Number.isNaN(number)) throw invalid(`${operand} must be quoted or a number`);
  const compare = numberComparisons.get(operator);
  if (!compare) throw invalid(`operator ${operator} is not known`);
  return (value) => {
    const actual = select(value);
    return typeof actual === "number" && compare(actual, number);
  };
}

const numberComparisons = new Map<string, (actual: number, expected: number) => boolean>([
  ["=", (actual, expected) => actual === expected],
  ["!=", (actual, expected) => actual !== expected],
  ["<", (actual, expected) => actual < expected],
  ["<=", (actual, expected) => actual <= expected],
  [">", (actual, expected) => actual > expected],
  [">=", (actual, expected) => actual >= expected],
]);

/** Only the star is a wildcard here. */
function starPattern(text: string): RegExp {
  const escaped = text.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${escaped}$`, "s");
}

function selectorOf(selector: string): (value: unknown) => unknown {
  const path = [...selector.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? index ?? "");
  return (root) =>
    path.reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
      root,
    );
}

function tokens(text: string, token: RegExp): RegExpExecArray[] {
  const found: RegExpExecArray[] = [];
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw invalid(`${JSON.stringify(text.slice(at, at + 20))} is not known here`);
    found.push(match);
  }
  return found;
}

function unquote(quoted: string | undefined): string | undefined {
  return quoted?.replace(/\\(.)/g, "$1");
}

function invalid(problem: string): AwsError {
  return new AwsError("InvalidParameterException", `Invalid filter pattern: ${problem}.`);
}
