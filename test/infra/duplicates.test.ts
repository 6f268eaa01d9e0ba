import { describe, expect, it } from "vitest";
import { duplicatesIn } from "../../infra/resources/duplicates.ts";

const at = "2026-01-01T00:00:00.000Z";
const now = Date.parse(at) + 60_000;
const answer = JSON.stringify({ outcome: "proven", duplicates: [["c2m/a", "c2m/b"]], at });

describe("what `pulumi up` says of secrets with the same token", () => {
  it("names them, and what to do", () => {
    expect(duplicatesIn(answer, now)).toMatch(
      /^tokens: these secrets hold the same token: "c2m\/a" and "c2m\/b"\. .*c2m-tokens rotate/,
    );
  });

  it("is said once, and not for ever: the state keeps the answer", () => {
    expect(duplicatesIn(answer, now + 7_200_000)).toBeUndefined();
  });

  it.each(['{"outcome":"proven"}', "null", "", "no JSON", '{"outcome":"proven","duplicates":[["c2m/a","c2m/b"]]}'])(
    "is nothing for %j",
    (text) => expect(duplicatesIn(text, now)).toBeUndefined(),
  );
});
