import { expect, it } from "vitest";
import { deployedLicences } from "../../tools/licences.ts";
import { billOfMaterials } from "../../tools/sbom.ts";

const bill = billOfMaterials();
const names = bill.components.map(({ name }) => name);

it("the bill of materials has all that is deployed to Lambda, and what `pulumi up` works with", () => {
  expect([...deployedLicences().keys()].filter((name) => !names.includes(name))).toEqual([]);
  expect(names).toEqual(expect.arrayContaining(["@pulumi/pulumi", "@pulumi/aws", "@grpc/grpc-js", "esbuild"]));
});

it("the bill of materials is whole: all that a listed package depends on is listed", () => {
  const listed = new Set(bill.components.map((component) => component["bom-ref"]));
  const needed = bill.dependencies.flatMap(({ dependsOn }) => dependsOn);
  expect(listed.size).toBeGreaterThan(100);
  expect(needed.filter((ref) => !listed.has(ref))).toEqual([]);
});

it("the bill of materials leaves out the tools of development", () => {
  for (const tool of ["vitest", "@biomejs/biome", "playwright-core", "fast-check"]) expect(names).not.toContain(tool);
});
