import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { cloudFormationTemplate, kindOfLogicalId } from "./cloudformation.ts";
import { terraformPlan } from "./terraform-plan.ts";

/** One thing that a linter holds against one resource. */
export interface Finding {
  linter: "checkov" | "cfn-lint" | "parliament";
  id: string;
  kind: string;
  /** The program in which it was found. */
  program: string;
  detail: string;
}

/** Python, or one of its packages, is not to be had here. */
export class LintersMissing extends Error {
  override readonly name = "LintersMissing";
}

const cache = resolve(import.meta.dirname, "../../../node_modules/.cache/linters");
const requirements = join(import.meta.dirname, "requirements.txt");
const environment = { PATH: process.env.PATH, HOME: cache, PYTHONUTF8: "1", NO_COLOR: "1", LOG_LEVEL: "ERROR" };

/**
 * Installs the linters into an environment of their own, once.
 *
 * @throws {LintersMissing} with what is not there, and what to do
 */
export function installLinters(): void {
  const wanted = readFileSync(requirements, "utf8");
  const stamp = join(cache, "installed.txt");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  const venv = spawnSync("python3", ["-m", "venv", join(cache, "python")], { encoding: "utf8" });
  if (venv.error) throw new LintersMissing("python3 is not on the PATH");
  if (venv.status !== 0) {
    throw new LintersMissing(`python3 can't make an environment (apt-get install python3-venv):\n${venv.stdout}`);
  }
  const pip = spawnSync(bin("pip"), ["install", "--quiet", "--disable-pip-version-check", "-r", requirements], {
    encoding: "utf8",
  });
  if (pip.status !== 0) {
    throw new LintersMissing(`pip can't install ${wanted.trim().replaceAll("\n", ", ")}:\n${pip.stderr}`);
  }
  writeFileSync(stamp, wanted);
}

/** What all three say of the programs' resources. */
export function lint(programs: readonly { name: string; plan: Plan }[]): Finding[] {
  const folder = join(cache, "programs");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const policies: Record<string, string> = {};
  for (const { name, plan } of programs) {
    writeFileSync(join(folder, `${name}.terraform.json`), JSON.stringify(terraformPlan(plan)));
    writeFileSync(join(folder, `${name}.cloudformation.json`), JSON.stringify(cloudFormationTemplate(plan)));
    for (const { name: resource, type, inputs } of plan.resources) {
      if (typeof inputs.policy !== "string") continue;
      policies[`${name} ${type.split(":").at(-1)} ${resource}`] = inputs.policy;
    }
  }
  const templates = programs.map(({ name }) => join(folder, `${name}.cloudformation.json`));
  return [...checkov(folder), ...cfnLint(templates), ...parliament(policies)];
}

/** Part of what each of checkov's two readers prints. */
interface CheckovReport {
  summary: { parsing_errors: number; passed: number };
  results: { failed_checks: { check_id: string; check_name: string; resource: string; file_path: string }[] };
}

function checkov(folder: string): Finding[] {
  const frameworks = ["terraform_plan", "cloudformation"];
  const args = ["--directory", folder, "--framework", ...frameworks, "--output", "json", "--compact", "--quiet"];
  // Without a key it looks nothing up; it would ask its maker for a newer version otherwise.
  const reports = JSON.parse(outputOf("checkov", [...args, "--skip-download"])) as CheckovReport[];
  if (reports.length !== frameworks.length) throw new Error("checkov has not read both renderings.");
  return reports.flatMap(({ summary, results }) => {
    if (summary.parsing_errors > 0 || summary.passed === 0) throw new Error("checkov could not read the programs.");
    return results.failed_checks.map(({ check_id: id, check_name: detail, resource, file_path: file }) => {
      return { linter: "checkov" as const, id, kind: kindOf(resource), program: programOf(file), detail };
    });
  });
}

/** Of `aws_sns_topic_policy.x` or `AWS::SNS::Topic.xTopic`, as Pulumi has it. */
function kindOf(resource: string): string {
  const [type = "", name = ""] = resource.split(".");
  if (type.startsWith("AWS::")) return kindOfLogicalId(name);
  return type.replace(/^aws_[a-z]+_/, "").replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}

interface CfnLintMatch {
  Filename: string;
  Message: string;
  Rule: { Id: string };
  Location: { Path?: string[] };
}

function cfnLint(templates: string[]): Finding[] {
  const matches = JSON.parse(outputOf("cfn-lint", ["--format", "json", ...templates]) || "[]") as CfnLintMatch[];
  return matches.map(({ Filename, Message, Rule, Location }) => {
    const kind = kindOfLogicalId(Location.Path?.[1] ?? "");
    return { linter: "cfn-lint", id: Rule.Id, kind, program: programOf(Filename), detail: Message };
  });
}

function parliament(policies: Record<string, string>): Finding[] {
  const script = join(import.meta.dirname, "parliament_findings.py");
  const printed = outputOf("python", [script], JSON.stringify(policies));
  return (JSON.parse(printed) as { id: string; policy: string; detail: string }[]).map(({ id, policy, detail }) => {
    const [program = "", kind = ""] = policy.split(" ");
    return { linter: "parliament", id, kind, program, detail };
  });
}

function programOf(file: string): string {
  return /([^/]+)\.(?:terraform|cloudformation)\.json$/.exec(file)?.[1] ?? file;
}

/** What it prints; each of them ends with a status of its own where it finds something. */
function outputOf(command: string, args: string[], input = ""): string {
  const options = { encoding: "utf8" as const, input, env: environment, cwd: cache, maxBuffer: 256 * 1024 * 1024 };
  const { stdout, stderr, error } = spawnSync(bin(command), args, options);
  if (error) throw error;
  if (stdout === "" && stderr !== "") throw new Error(`${command} said nothing but\n${stderr}`);
  return stdout;
}

function bin(command: string): string {
  return join(cache, "python/bin", command);
}
