import { expect, it } from "vitest";
import { answered, differences } from "./page.ts";

const verdict = { id: "CKV_AWS_1", kind: "Function", plain: true, everyOption: false };

it("each line of the page is read whole", () => {
  expect(answered().length).toBeGreaterThan(10);
  for (const { id, kind, plain, everyOption } of answered()) {
    expect(`${id} ${kind}`).toMatch(/^[A-Z]\w+ [A-Z]\w+$/);
    expect(plain || everyOption).toBe(true);
  }
});

it("a finding without a line is told, and a line without a finding, and one that an option brings or takes away", () => {
  expect(differences([verdict], [verdict])).toEqual([]);
  expect(differences([verdict], [])).toEqual([
    "missing from docs/security.md: | `CKV_AWS_1` | `Function` | yes | no |",
  ]);
  expect(differences([], [verdict])).toEqual([
    "in docs/security.md, and not found: | `CKV_AWS_1` | `Function` | yes | no |",
  ]);
  expect(differences([verdict], [{ ...verdict, everyOption: true }])).toHaveLength(2);
  expect(differences([verdict], [{ ...verdict, kind: "Secret" }])).toHaveLength(2);
});
