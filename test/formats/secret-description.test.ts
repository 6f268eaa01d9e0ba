import { expect, it } from "vitest";
import { isMadeBy, keptFresh } from "../../src/formats/secret-description.ts";

const own = `C2M API token of c2m_client${keptFresh}mail`;

it.each([
  ["the rotation that keeps it", own, "mail-rotator", true],
  ["a rotation that never ran", own, undefined, true],
  ["another rotation, which lends it", own, "mail-2-rotator", false],
  ["another rotation, whose name begins in the same way", `${own}-2`, "mail-rotator", false],
  ["somebody else", "our token; kept somewhere", "mail-rotator", false],
  ["somebody who says nothing", "", "mail-rotator", false],
  ["somebody who says nothing, and it was never rotated", "", undefined, false],
])("tells whether a secret is the rotation's own: made by %s", (_, description, rotator, isOwn) => {
  expect(isMadeBy(description, rotator)).toBe(isOwn);
});
