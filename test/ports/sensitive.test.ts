import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Sensitive } from "../../src/ports/sensitive.ts";

const text = "hunter2-hunter2";
const secret = new Sensitive(text);

describe("a sensitive text", () => {
  it.each<[string, () => string]>([
    ["interpolated", () => `${secret}`],
    ["made a text", () => String(secret)],
    ["put into JSON", () => JSON.stringify({ secret })],
    ["inspected", () => inspect(secret)],
    [
      "inspected inside something, with everything hidden shown",
      () => inspect({ a: [secret] }, { showHidden: true, depth: 9, getters: true, customInspect: true }),
    ],
    ["put into an error's message", () => new Error(`it is ${secret}`).message],
  ])("is masked when %s", (_, print) => {
    expect(print()).toContain("[sensitive]");
    expect(print()).not.toContain("hunter2");
  });

  it("has nothing to enumerate, clone or spread", () => {
    expect(Reflect.ownKeys(secret)).toEqual([]);
    expect(JSON.stringify({ ...secret })).toBe("{}");
    expect(inspect(secret, { customInspect: false, showHidden: true })).not.toContain("hunter2");
    expect(JSON.stringify(structuredClone(secret))).not.toContain("hunter2");
  });

  it("is revealed when asked to", () => {
    expect(secret.reveal()).toBe(text);
  });

  it("equals one with the same text only", () => {
    expect(secret.equals(new Sensitive(text))).toBe(true);
    expect(secret.equals(new Sensitive("hunter2-hunter3"))).toBe(false);
    expect(secret.equals(new Sensitive(`${text} `))).toBe(false);
    expect(new Sensitive("ä").equals(new Sensitive("ab"))).toBe(false);
  });
});
