import { expect, it } from "vitest";
import { AmbiguousError, PermanentError, presentable } from "../../src/ports/errors.ts";

it("an error of ours is shown as it is, without its cause, which the runtime would print", () => {
  const error = new AmbiguousError("store_unknown", "It may have been done.", { cause: new Error("hunter2") });
  expect(presentable(error)).toBe(error);
  expect(error.cause).toBeUndefined();
  expect(Object.hasOwn(error, "cause")).toBe(false);
});

it.each([
  [new TypeError("hunter2"), "An unexpected TypeError stopped it. Report it with this log."],
  ["hunter2", "An unexpected string stopped it. Report it with this log."],
])("of an error that is not ours only the kind is shown", (error, message) => {
  const shown = presentable(error);
  expect(shown).toBeInstanceOf(PermanentError);
  expect(shown).toMatchObject({ code: "unexpected", message });
  expect(shown.cause).toBeUndefined();
});
