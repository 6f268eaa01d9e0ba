import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { LocalCloud, type LocalCloudOptions } from "../../local-cloud/cloud.ts";
import { type Deployment, deploy } from "../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import { clientId, clientSecret, currentToken, hour, logGroup, scopes, secretName, stackPlan } from "./stack.ts";

export { currentToken, hour, logGroup, secretName };
export const rotator = "c2m-token-rotation-rotator";
export const reconciler = "c2m-token-rotation-reconciler";

// A hundred processes load the same modules.
const NODE_COMPILE_CACHE = join(tmpdir(), "c2m-tokens-compile-cache");

const shiftedTime = new URL("shifted-time.mjs", import.meta.url).href;

/** What is added to the machine's time: tests begin at the same hour, whenever they run. In ms. */
const shiftMs = Date.parse("2026-06-01T20:15:00Z") - Date.now();
const shiftedNow = () => Date.now() + shiftMs;

const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const operatorsPage = fileURLToPath(new URL("../../docs/operators.md", import.meta.url));

/** What one run of the command line came to. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command line that is running, for those that are stopped or watched. */
export interface Running {
  ended: Promise<Ended>;
  /** Resolves when the process has written this text. */
  said(text: string): Promise<void>;
  /** Default SIGINT, as Ctrl-C sends it. */
  interrupt(signal?: NodeJS.Signals): void;
  /** Closes the ends of its output, as a terminal that goes away. */
  leave(): void;
}

export interface OperatedStackOptions extends Partial<LocalCloudOptions> {
  /** How long ago the stack was deployed; default at this moment. */
  ageMs?: number;
  /** Settings of the token beside its defaults. */
  token?: Record<string, unknown>;
  /** What is deployed instead of the program as it is. */
  program?: Plan;
  /** What happens after the deployment; then the cloud's time comes to the present. */
  history?: (stack: OperatedStack) => Promise<void>;
}

/**
 * The deployed program in a local cloud whose time has come to the present, and an operator whose role is allowed what
 * docs/operators.md says and no more. The command line runs as a process of its own.
 */
export class OperatedStack {
  readonly cloud: LocalCloud;
  readonly clock: VirtualClock;
  #deployment: Deployment;
  #following: NodeJS.Timeout | undefined;

  static async start({
    ageMs = 0,
    token = {},
    program,
    history,
    ...options
  }: OperatedStackOptions = {}): Promise<OperatedStack> {
    const clock = new VirtualClock(shiftedNow() - ageMs);
    const cloud = await LocalCloud.start({
      clock,
      ...options,
      // Tests do within a minute of the machine's time what takes an operator an hour.
      c2m: { rateLimitPerMinute: Number.POSITIVE_INFINITY, ...options.c2m },
    });
    cloud.c2m.registerClient({ clientId, clientSecret, scopes });
    const deployment = await deploy(cloud, program ?? (await stackPlan(token)));
    const stack = new OperatedStack(cloud, clock, deployment);
    await history?.(stack);
    await clock.advanceTo(shiftedNow());
    // Time passes for the command line as on the machine: from here on the cloud's keeps up with it.
    stack.#following = setInterval(() => clock.advanceTo(shiftedNow()), 20);
    return stack;
  }

  private constructor(cloud: LocalCloud, clock: VirtualClock, deployment: Deployment) {
    this.cloud = cloud;
    this.clock = clock;
    this.#deployment = deployment;
    cloud.iam.createRole({ name: "operator", arn: this.#roleArn, assumeRolePolicy: trust(cloud.accountId) });
    this.allow(operatorPolicies());
  }

  /** Gives the operator's role these policies and no others. */
  allow(policies: readonly string[]): void {
    const { iam } = this.cloud;
    for (const [index] of operatorPolicies().entries()) {
      iam.putRolePolicy(
        "operator",
        `p${index}`,
        policies[index] ?? JSON.stringify({ Version: "2012-10-17", Statement: [] }),
      );
    }
  }

  /** Gives the operator's role all that the page says but for these actions. */
  allowAllBut(...actions: string[]): void {
    this.allow(operatorPolicies().map((policy) => without(policy, actions)));
  }

  /** Runs the command line as the operator. */
  ops(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  start(args: readonly string[], env: Record<string, string> = {}): Running {
    return startOps(args, { ...this.environment(), ...env });
  }

  /** `pulumi up` of this program, or of what stands, after a look at what the cloud has where `refresh` is set. */
  async up(program: Plan = this.#deployment.plan, { refresh = false } = {}): Promise<void> {
    if (refresh) this.#deployment = (await this.#deployment.refresh()).deployment;
    this.#deployment = await this.#deployment.update(program);
  }

  /** A PATH with a `pulumi` that knows one stack: this one, or one with other outputs. */
  async pulumiPath(outputs: object = this.#deployment.plan.outputs, name = "production"): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-"));
    const asked = `stack output --json --stack ${name}`;
    const script = `#!/bin/sh\n[ "$*" = "${asked}" ] || exit 1\ncat <<'END'\n${JSON.stringify(outputs)}\nEND\n`;
    await writeFile(join(folder, "pulumi"), script, { mode: 0o755 });
    return `${folder}:/usr/bin:/bin`;
  }

  /** With the secret and C2M named, as most commands are run. */
  on(command: string, ...args: string[]): Promise<Ended> {
    return this.ops(command, ...this.named, ...args);
  }

  get named(): string[] {
    return ["--secret", secretName, "--base-url", this.cloud.c2mUrl];
  }

  environment(): Record<string, string> {
    const { accountId, awsUrl, identities, region } = this.cloud;
    const arn = `arn:aws:sts::${accountId}:assumed-role/operator/test`;
    const key = identities.issue({ kind: "role", accountId, roleName: "operator", arn });
    return {
      AWS_ENDPOINT_URL: awsUrl,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_SESSION_TOKEN: key.sessionToken ?? "",
    };
  }

  /** The id of the token at a staging label. */
  tokenIdAt(stage: string): string | undefined {
    const { engine } = this.cloud.secretsManager;
    const { SecretString } = engine.getSecretValue({ SecretId: secretName, VersionStage: stage });
    return (JSON.parse(SecretString ?? "{}") as { token_id?: string }).token_id;
  }

  /** Which labels there are, over all versions. */
  labels(): string[] {
    const { VersionIdsToStages = {} } = this.cloud.secretsManager.engine.describeSecret({ SecretId: secretName });
    return Object.values(VersionIdsToStages).flat().sort();
  }

  /** Rotates as the schedule does, and waits for the end. */
  async rotate(): Promise<void> {
    this.cloud.secretsManager.engine.rotateSecret({ SecretId: secretName, ClientRequestToken: crypto.randomUUID() });
    await this.cloud.secretsManager.idle();
  }

  /** Everything that no output may hold. */
  secrets(): string[] {
    return [clientSecret, ...this.cloud.c2m.tokens.map(({ accessToken }) => accessToken)];
  }

  stop(): Promise<void> {
    clearInterval(this.#following);
    return this.cloud.stop();
  }

  get #roleArn(): string {
    return `arn:aws:iam::${this.cloud.accountId}:role/operator`;
  }
}

/** Runs the command line with this environment and no other. */
export function startOps(args: readonly string[], env: Record<string, string>): Running {
  const child = spawn(process.execPath, ["--import", shiftedTime, main, ...args], {
    // No profile, no instance role: only what a test gives.
    env: {
      PATH: "/nonexistent",
      HOME: "/nonexistent",
      AWS_EC2_METADATA_DISABLED: "true",
      NODE_COMPILE_CACHE,
      SHIFTED_TIME_MS: String(shiftMs),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", (bytes) => {
    stdout += bytes;
    heard();
  });
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
    heard();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout, stderr });
      heard();
    });
  });
  return {
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if ((stdout + stderr).includes(text)) resolve();
          else if (child.exitCode !== null) reject(new Error(`It ended without saying ${text}: ${stdout}${stderr}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    interrupt: (signal = "SIGINT") => void child.kill(signal),
    leave: () => {
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
    },
  };
}

/** The policies that docs/operators.md prints. */
export function operatorPolicies(): string[] {
  const page = readFileSync(operatorsPage, "utf8");
  return [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, policy]) => policy ?? "");
}

function without(policy: string, actions: readonly string[]): string {
  const document = JSON.parse(policy) as { Statement: { Action: string | string[] }[] };
  const Statement = document.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((action) => !actions.includes(action)),
  })).filter(({ Action }) => Action.length > 0);
  return JSON.stringify({ ...document, Statement });
}

function trust(accountId: string): string {
  const Principal = { AWS: `arn:aws:iam::${accountId}:root` };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }],
  });
}
