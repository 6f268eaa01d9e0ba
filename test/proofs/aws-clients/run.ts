/** `npm run test:aws-clients`: AWS's other clients, where they are installed, against `npm run local`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { LocalProcess } from "../../../tools/local/local-process.ts";
import { secretName } from "../../../tools/local/program.ts";

const run = promisify(execFile);

interface Client {
  name: string;
  /** Succeeds where the client is installed. */
  probe: [command: string, ...args: string[]];
  /** How to get it on Debian. */
  install: string;
  script: [command: string, ...args: string[]];
}

const file = (name: string) => join(import.meta.dirname, name);

const clients: Client[] = [
  {
    name: "AWS CLI",
    probe: ["aws", "--version"],
    install: "apt-get install awscli",
    script: ["sh", file("aws-cli.sh")],
  },
  {
    name: "boto3",
    probe: ["python3", "-c", "import boto3; print('boto3 ' + boto3.__version__)"],
    install: "apt-get install python3-boto3",
    script: ["python3", file("boto3_client.py")],
  },
  {
    name: "AWS's caching client for Python",
    probe: [
      "python3",
      "-c",
      "import aws_secretsmanager_caching, importlib.metadata as m; print(m.version('aws-secretsmanager-caching'))",
    ],
    install: "pip install aws-secretsmanager-caching",
    script: ["python3", file("caching_client.py")],
  },
  {
    name: "the recipe for Python",
    probe: ["python3", "-c", "import boto3; print('boto3 ' + boto3.__version__)"],
    install: "apt-get install python3-boto3",
    script: ["python3", file("recipe_client.py")],
  },
  {
    name: "the recipe for the shell",
    probe: ["sh", "-c", "aws --version && jq --version && curl --version | head -1"],
    install: "apt-get install awscli jq curl",
    script: ["sh", file("recipe.sh")],
  },
];

const local = LocalProcess.start("--every", "1 day");
const totals = { passed: 0, failed: 0, skipped: 0 };
try {
  const exported = await local.ready();
  // Nothing of the machine's own AWS settings may reach the clients.
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    SECRET_NAME: secretName,
    LOG_GROUP: "/aws/lambda/c2m-token-rotation",
    FUNCTION_NAME: "c2m-token-rotation-reconciler",
    ...exported,
  };
  for (const client of clients) await tryClient(client, env);
} finally {
  await local.stop();
}
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
if (totals.failed > 0) process.exitCode = 1;

async function tryClient(client: Client, env: NodeJS.ProcessEnv): Promise<void> {
  const version = await answerOf(client.probe, env);
  if (version.status !== 0) {
    totals.skipped += 1;
    process.stdout.write(`\nSKIPPED ${client.name}: it is not installed here (${client.install})\n`);
    return;
  }
  process.stdout.write(`\n${client.name}: ${version.output.trim()}\n`);
  const { status, output } = await answerOf(client.script, env);
  const count = (pattern: RegExp) => output.match(pattern)?.length ?? 0;
  const failed = count(/^not ok /gm);
  totals.passed += count(/^ok /gm);
  // A script that died without a verdict has failed as well.
  totals.failed += failed === 0 && status !== 0 ? 1 : failed;
  process.stdout.write(output.replace(/^(?=.)/gm, "  "));
}

async function answerOf(
  [command, ...args]: [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<{ status: number; output: string }> {
  try {
    const { stdout, stderr } = await run(command, args, { env });
    return { status: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
    return { status: typeof code === "number" ? code : 1, output: stdout + stderr };
  }
}
