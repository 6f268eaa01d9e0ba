import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { type AwsProvider, startAwsProvider } from "../../../local-cloud/pulumi/aws-provider.ts";
import { type CloudOptions, clientId, clientSecret, emptyCloud, type TestCloud } from "../../harness/stack.ts";

const root = resolve(import.meta.dirname, "../../..");

/** Values of stack config by their path in it. */
export type Settings = Record<string, string>;

export interface EngineStackOptions extends CloudOptions {
  /** Beside a client's id and secret, the region and the local C2M. */
  config?: Settings;
  /** The cloud that is there already; default a new one, which is empty. */
  world?: TestCloud;
  /** The Pulumi stack's name; default dev. */
  stackName?: string;
}

/**
 * The project under the Pulumi CLI of this machine, with a file backend of its own, and an empty local cloud behind the
 * stand-in for the AWS provider.
 */
export class EngineStack {
  readonly world: TestCloud;
  /** Everything that the CLI printed. */
  printed = "";
  /** Where Pulumi.yaml is, and Pulumi writes the stack's file. */
  readonly folder: string;
  readonly #env: Record<string, string>;
  readonly #provider: AwsProvider;
  #stack: Stack | undefined;

  private constructor(world: TestCloud, provider: AwsProvider) {
    this.world = world;
    this.#provider = provider;
    this.folder = mkdtempSync(join(tmpdir(), "c2m-engine-"));
    // The CLI writes the stack's config beside Pulumi.yaml, which is not to happen in the repository.
    copyFileSync(join(root, "Pulumi.yaml"), this.#at("Pulumi.yaml"));
    for (const name of ["infra", "lambdas", "src", "tools", "node_modules", "package.json"])
      symlinkSync(join(root, name), this.#at(name));
    for (const folder of ["state", "home"]) mkdirSync(this.#at(folder));
    this.#env = {
      HOME: this.#at("home"),
      PULUMI_HOME: this.#at("home"),
      PULUMI_BACKEND_URL: `file://${this.#at("state")}`,
      PULUMI_CONFIG_PASSPHRASE: "of-the-tests",
      PULUMI_DEBUG_PROVIDERS: `aws:${provider.port}`,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_SKIP_CONFIRMATIONS: "true",
    };
  }

  /** Without a Pulumi stack in it. */
  static async empty({ world, ...options }: Pick<EngineStackOptions, "world"> & CloudOptions = {}) {
    const there = world ?? (await emptyCloud(options));
    return new EngineStack(there, await startAwsProvider(there.cloud));
  }

  static async create({ config = {}, stackName = "dev", ...options }: EngineStackOptions = {}): Promise<EngineStack> {
    const engine = await EngineStack.empty(options);
    engine.#stack = await LocalWorkspace.createStack({ stackName, workDir: engine.folder }, { envVars: engine.#env });
    await engine.stack.setConfig("clientSecret", { value: clientSecret, secret: true });
    await engine.configure({
      "aws:region": engine.cloud.region,
      clientId,
      baseUrl: engine.cloud.c2mUrl,
      "tokens[0].name": "c2m/api-token",
      ...config,
    });
    return engine;
  }

  get stack(): Stack {
    if (!this.#stack) throw new Error("There is no Pulumi stack yet.");
    return this.#stack;
  }

  get cloud() {
    return this.world.cloud;
  }

  async configure(config: Settings): Promise<void> {
    const entries = Object.entries(config).map(([path, value]) => [path, { value }] as const);
    await this.stack.setAllConfig(Object.fromEntries(entries), true);
  }

  /** `pulumi preview`. Resolves with how many resources it would create, update, …. */
  async preview() {
    return (await this.stack.preview(this.#listening())).changeSummary;
  }

  /** `pulumi up`. Resolves with how many resources it created, updated, …. */
  async up() {
    return (await this.stack.up(this.#listening())).summary.resourceChanges ?? {};
  }

  /** `pulumi refresh`. */
  async refresh() {
    return (await this.stack.refresh(this.#listening())).summary.resourceChanges ?? {};
  }

  /** `pulumi destroy`. */
  async destroy() {
    return (await this.stack.destroy(this.#listening())).summary.resourceChanges ?? {};
  }

  /**
   * A command line in the project's folder, as an operator would type it, with `typed` where a command asks for a value.
   * Rejects with all that it printed as the message.
   */
  async sh(script: string, typed = ""): Promise<string> {
    const running = promisify(execFile)("sh", ["-euc", script], { cwd: this.folder, env: this.environment() });
    running.child.stdin?.end(typed);
    const ended = await running.catch((error: { stdout: string; stderr: string }) => ({ ...error, failed: true }));
    const printed = ended.stdout + ended.stderr;
    this.printed += printed;
    if ("failed" in ended) throw new Error(printed);
    return ended.stdout;
  }

  /** Everything that must be in no state and in no output. */
  secrets(): string[] {
    return [clientSecret, ...this.cloud.c2m.tokens.map(({ accessToken }) => accessToken)];
  }

  /** All that Pulumi has written: the stack's file, and what the file backend holds, the states and their history. */
  storedFiles(): string {
    const state = readdirSync(this.#at("state"), { recursive: true, withFileTypes: true });
    const files = state.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    return [this.#at("Pulumi.dev.yaml"), ...files].map((file) => readFileSync(file, "utf8")).join("\n");
  }

  async stop(): Promise<void> {
    this.#provider.stop();
    await this.cloud.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** For the CLI, and for AWS's clients as the account's administrator. */
  environment(): Record<string, string> {
    const { endpoint, region, credentials } = this.cloud.clientConfig();
    return {
      ...this.#env,
      PATH: process.env.PATH ?? "",
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      // The first version of AWS's command line reads this one.
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  }

  #at(name: string): string {
    return join(this.folder, name);
  }

  #listening() {
    const onOutput = (text: string) => {
      this.printed += text;
    };
    return { onOutput, onError: onOutput };
  }
}
