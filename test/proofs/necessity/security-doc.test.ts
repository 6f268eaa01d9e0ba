import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { all, one } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import { stackConfig } from "../../harness/stack.ts";
import { documentedOnly } from "./documented-permissions.ts";
import { grantsOf } from "./necessity.ts";

const document = readFileSync(resolve(import.meta.dirname, "../../../docs/security.md"), "utf8");
const { config, secretKeys = [] } = stackConfig();
const vpc = '{"subnetIds":["subnet-1"],"securityGroupIds":["sg-1"]}';
const [plain, complete] = await Promise.all([
  plan({ config, secretKeys }),
  plan({ config: { ...config, kmsKey: "create", vpc, tracing: "true" }, secretKeys }),
]);

/** The cells of every row of the table whose first column has this heading. */
function rowsOf(heading: string): string[][] {
  const [, table = ""] = document.split(new RegExp(`^\\| ${heading} +\\|`, "m"));
  const [body = ""] = table.split("\n\n");
  return body
    .split("\n")
    .slice(2)
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe("docs/security.md", () => {
  const documented = (withOptions: boolean) =>
    rowsOf("role").flatMap(([roles = "", statement = "", actions = ""]) =>
      roles.includes("with") && !withOptions
        ? []
        : ["rotator", "reconciler"]
            .filter((role) => roles.includes(role))
            .flatMap((role) =>
              [...actions.matchAll(/`([^`]+)`/g)].map(
                ([, action]) => `c2m-token-rotation-${role} ${statement} ${action}`,
              ),
            ),
    );
  const granted = (program: typeof plain) =>
    grantsOf(program).map(({ role, Sid, action }) => `${role} ${Sid} ${action}`);

  it("lists every permission that is granted, and no other", () => {
    expect(documented(false).sort()).toEqual(granted(plain).sort());
    expect(documented(true).sort()).toEqual(granted(complete).sort());
  });

  it("tells of what AWS documents and no local call can show", () => {
    const statements = grantsOf(complete).filter(({ action }) => documentedOnly.some((only) => only.action === action));
    expect(new Set(statements.map(({ Sid }) => Sid))).toEqual(new Set(["UseNetwork", "WriteTraces"]));
    expect(document).toContain("all of UseNetwork and WriteTraces.");
  });

  it("has an answer for each control of Security Hub", () => {
    expect(rowsOf("control").map(([control]) => control?.split(" ")[0])).toEqual([
      ...[1, 2, 3, 4, 5].map((number) => `SecretsManager.${number}`),
      ...[1, 2, 3, 5, 6, 7].map((number) => `Lambda.${number}`),
    ]);
  });
});

describe("Security Hub", () => {
  it("SecretsManager.1 and .4: every token secret is rotated, more often than every 90 days", () => {
    const rotated = all(plain, "SecretRotation").map(({ inputs }) => inputs.secretId);
    expect(rotated).toEqual(
      all(plain, "Secret")
        .filter(({ name }) => !name.endsWith("-credentials"))
        .map(({ id }) => id),
    );
    expect(one(plain, "SecretRotation").inputs.rotationRules).toEqual({ scheduleExpression: "rate(7 days)" });
  });

  it("SecretsManager.5, Lambda.6: secrets and functions are tagged", () => {
    for (const { inputs } of [...all(plain, "Secret"), ...all(plain, "Function")])
      expect(inputs.tags).toHaveProperty("Project");
  });

  it("Lambda.1: nobody may invoke a function without a fixed account or rule", () => {
    for (const { inputs } of all(plain, "Permission")) {
      expect(String(inputs.sourceAccount ?? inputs.sourceArn)).toMatch(/^\d{12}$|^arn:aws:events:[^*]+$/);
    }
  });

  it("Lambda.2: the runtime is a supported one", () => {
    for (const { inputs } of all(plain, "Function")) expect(inputs.runtime).toBe("nodejs24.x");
  });

  it("Lambda.3 and .7: in a VPC and traced, where it is asked for", () => {
    for (const { inputs } of all(complete, "Function")) {
      expect(inputs).toMatchObject({ vpcConfig: { subnetIds: ["subnet-1"] }, tracingConfig: { mode: "Active" } });
    }
  });
});
