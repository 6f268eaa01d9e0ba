/** `npm run test:engine`: the program under the Pulumi CLI of this machine, and a stand-in for the AWS provider. */
import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../..");

/** What the suite needs on the PATH, and how it is asked whether it is there. */
const needed = [
  { command: "pulumi", args: ["version"] },
  { command: "pulumi-language-nodejs", args: ["-help"] },
];

/** Without these the rest is run all the same. */
const optional = [
  { command: "pulumi-language-yaml", args: ["-help"], proves: "examples/pulumi-yaml" },
  { command: "pulumi-language-python", args: ["-help"], proves: "examples/pulumi-python" },
  { command: "aws", args: ["--version"], proves: "the sections of docs/deploy.md that end something" },
];

const missing = needed.filter(({ command, args }) => spawnSync(command, args).error);
if (missing.length > 0) {
  const names = missing.map(({ command }) => command).join(" and ");
  process.stderr.write(
    `npm run test:engine needs ${names} on the PATH: install the Pulumi CLI (https://www.pulumi.com/docs/install/), which brings both.\n` +
      "Nothing was run. Everything else is proven without it, by npm test.\n",
  );
  process.exitCode = 1;
} else {
  for (const { command, args, proves } of optional) {
    if (spawnSync(command, args).error) process.stdout.write(`NOT RUN: ${proves} (no ${command} on the PATH)\n`);
  }
  process.stdout.write(`Pulumi ${execFileSync("pulumi", ["version"], { encoding: "utf8" })}`);
  const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
  const args = ["run", "--config", "vitest.engine.config.ts", ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, [vitest, ...args], { cwd: root, stdio: "inherit" }).status ?? 1;
}
