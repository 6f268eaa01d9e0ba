import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

const mask = "[sensitive]";

/**
 * A secret text (token, client secret, private key, one-time code, assertion, RotationToken) that can't be logged, put
 * into JSON, interpolated or inspected by accident. `reveal` is called only where the text leaves for the place that it
 * is meant for.
 */
export class Sensitive {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  equals(other: Sensitive): boolean {
    const [mine, theirs] = [Buffer.from(this.#text), Buffer.from(other.#text)];
    return mine.length === theirs.length && timingSafeEqual(mine, theirs);
  }

  includes(other: Sensitive): boolean {
    return this.#text.includes(other.#text);
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  [inspect.custom](): string {
    return mask;
  }
}
