import { expect, it } from "vitest";
import { AmbiguousError, PermanentError, RetryableError } from "../../src/ports/errors.ts";

it.each([
  [RetryableError, "RetryableError"],
  [AmbiguousError, "AmbiguousError"],
  [PermanentError, "PermanentError"],
])(
  "a class of errors is readable in Lambda's own record, which takes the name of its constructor: %s",
  (type, name) => {
    // As the bundler writes it: the class itself has another name.
    const error = new type("no_time", "m");
    expect(error.constructor.name).toBe(name);
    expect(error.name).toBe(name);
    expect(Object.getOwnPropertyDescriptor(type, "name")?.value).toBe(name);
  },
);
