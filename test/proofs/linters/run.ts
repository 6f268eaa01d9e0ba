/** `npm run test:linters`: what checkov, cfn-lint and parliament find in the program has its answer in docs/security.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, installLinters, LintersMissing, lint } from "./linters.ts";
import { answered, differences, type Verdict } from "./page.ts";
import { programs, spoilt } from "./programs.ts";

/** The exit code where the linters are not to be had: neither a pass nor a finding. */
const notRun = 3;

try {
  installLinters();
  process.exitCode = await judge();
} catch (error) {
  if (!(error instanceof LintersMissing)) throw error;
  process.stderr.write(
    `NOT RUN: npm run test:linters, checkov, cfn-lint and parliament over the program: ${error.message}\n`,
  );
  process.exitCode = notRun;
}

async function judge(): Promise<number> {
  const versions = readFileSync(join(import.meta.dirname, "requirements.txt"), "utf8")
    .trim()
    .split("\n");
  process.stdout.write(`${versions.join(", ")}\n`);
  const linted = await programs();
  const [first] = linted;
  if (!first) throw new Error("There is no program to lint.");
  const found = lint([...linted, { name: "spoilt", plan: spoilt(first.plan) }]);
  const verdicts = verdictsOf(found, linted);
  for (const { name, plan } of linted) {
    const its = found.filter(({ program }) => program === name);
    const counts = (["checkov", "cfn-lint", "parliament"] as const).map((linter) => {
      return `${linter} ${its.filter((finding) => finding.linter === linter).length}`;
    });
    process.stdout.write(`${name}: ${plan.resources.length} resources; findings: ${counts.join(", ")}\n`);
  }
  const blind = (["checkov", "cfn-lint", "parliament"] as const).filter((linter) => {
    const known = verdicts.map(({ id }) => id);
    return !found.some(
      (finding) => finding.program === "spoilt" && finding.linter === linter && !known.includes(finding.id),
    );
  });
  const problems = [
    ...blind.map((linter) => `${linter} does not find what is wrong with a spoilt program`),
    ...differences(verdicts, answered()),
  ];
  for (const problem of problems) {
    const [, id, kind] = /\| `([^`]+)` \| `([^`]+)`/.exec(problem) ?? [];
    const detail = found.find((finding) => finding.id === id && finding.kind === kind)?.detail ?? "";
    process.stdout.write(`${problem} ${detail.slice(0, 150)}\n`);
  }
  const end = problems.length === 0 ? "each has its line in docs/security.md" : `${problems.length} problems`;
  process.stdout.write(`${verdicts.length} kinds of findings; ${end}\n`);
  return problems.length === 0 ? 0 : 1;
}

function verdictsOf(found: readonly Finding[], linted: readonly { name: string; everyOption: boolean }[]): Verdict[] {
  const verdicts = new Map<string, Verdict>();
  for (const { name, everyOption } of linted) {
    for (const { id, kind } of found.filter(({ program }) => program === name)) {
      const verdict = verdicts.get(`${id} ${kind}`) ?? { id, kind, plain: false, everyOption: false };
      verdict[everyOption ? "everyOption" : "plain"] = true;
      verdicts.set(`${id} ${kind}`, verdict);
    }
  }
  return [...verdicts.values()];
}
