import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type FrontDoor, startFrontDoor } from "../../../local-cloud/aws/front-door.ts";
import type { Caller } from "../../../local-cloud/aws/service.ts";
import { C2mEngine } from "../../../local-cloud/c2m/engine.ts";
import { type C2mServer, startC2mServer } from "../../../local-cloud/c2m/server.ts";
import { CallLog } from "../../../local-cloud/calls.ts";
import { RealClock } from "../../../local-cloud/clock.ts";
import { EventBus } from "../../../local-cloud/events/bus.ts";
import { Faults } from "../../../local-cloud/faults.ts";
import { Iam } from "../../../local-cloud/iam/iam.ts";
import { Identities } from "../../../local-cloud/iam/identities.ts";
import { rotationSteps } from "../../../local-cloud/secrets-manager/rotation.ts";
import { SecretsManagerService } from "../../../local-cloud/secrets-manager/service.ts";
import type { SettingsFile } from "../../../src/formats/settings.ts";
import { type BuildName, builds } from "./builds.ts";
import { type Effort, FunctionUnderLoad } from "./function-under-load.ts";

const accountId = "123456789012";
const region = "us-east-1";
const secretName = "c2m/api-token";
const credentialsName = "c2m/client-credentials";
const clientId = "c2m_bench";
const clientSecret = "bench-client-secret";
const scopes = ["jobs:submit", "tokens:revoke"];
const functionArn = `arn:aws:lambda:${region}:${accountId}:function:rotator`;
const nodeModules = resolve(import.meta.dirname, "../../../node_modules");

/** What one rotation in a fresh process took. Efforts count from the start of the process. */
export interface RotationRun {
  init: Effort;
  /** createSecret done, its calls included. */
  firstStep: Effort;
  /** All four steps done. */
  rotation: Effort;
  /** Over all of them. */
  peakMemoryMb: number;
  logBytes: number;
}

/** A Secrets Manager and a C2M on loopback, for function processes that each do one whole rotation, with revocation. */
export class RotationLab {
  readonly #clock = new RealClock((error) => {
    throw error;
  });
  readonly #calls = new CallLog();
  readonly #faults = new Faults(this.#clock);
  readonly #identities = new Identities();
  readonly #administrator: Caller = { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/bench` };
  readonly #folder = mkdtempSync(join(tmpdir(), "c2m-bench-"));
  readonly #roots = new Map<BuildName, string>();
  readonly #service: SecretsManagerService;
  #frontDoor: FrontDoor | undefined;
  #c2m: C2mServer | undefined;
  #invoke: (event: unknown) => Promise<Effort> = () => Promise.reject(new Error("No function"));

  static async start(): Promise<RotationLab> {
    const lab = new RotationLab();
    await lab.#serve();
    return lab;
  }

  private constructor() {
    this.#service = new SecretsManagerService({
      clock: this.#clock,
      accountId,
      region,
      events: new EventBus(),
      rotator: {
        mayInvoke: () => true,
        isFunction: () => true,
        invoke: async (_function, _secret, event) => {
          await this.#invoke(event);
          return {};
        },
      },
    });
  }

  async #serve(): Promise<void> {
    const shared = { clock: this.#clock, faults: this.#faults, calls: this.#calls };
    this.#frontDoor = await startFrontDoor({
      ...shared,
      services: [this.#service],
      identities: this.#identities,
      iam: new Iam(),
    });
    const engine = new C2mEngine({ clock: this.#clock, knobs: { rateLimitPerMinute: Number.POSITIVE_INFINITY } });
    engine.registerClient({ clientId, clientSecret, scopes });
    this.#c2m = await startC2mServer({ ...shared, engine });
    const create = (Name: string, value: object) =>
      this.#service.engine.createSecret(
        { Name, ClientRequestToken: randomUUID(), SecretString: JSON.stringify(value) },
        this.#administrator,
      );
    create(credentialsName, { client_id: clientId, client_secret: clientSecret });
    create(secretName, {});
    // So that every rotation to be measured has a predecessor to revoke.
    await this.rotate("ours");
  }

  /**
   * One rotation in a new process of this build; of the empty one, four invocations.
   *
   * @param options.cgroup the `cgroup.procs` of a group that the process joins
   * @param options.rotations how many of them, one after the other; the first one's effort is told
   */
  async rotate(
    build: BuildName,
    { cgroup, rotations = 1 }: { cgroup?: string; rotations?: number } = {},
  ): Promise<RotationRun> {
    const process = await FunctionUnderLoad.start({
      taskRoot: this.#root(build),
      environment: this.#environment(),
      cgroup,
    });
    try {
      const init = await process.ready;
      const steps: Effort[] = [];
      this.#invoke = async (event) => {
        const effort = await process.invoke(event);
        steps.push(effort);
        return effort;
      };
      for (let rotation = 1; rotation <= rotations; rotation++) {
        if (build === "empty") for (const Step of rotationSteps) await this.#invoke({ Step });
        else await this.#rotateSecret();
      }
      const [firstStep] = steps;
      const rotation = steps[3];
      if (!firstStep || !rotation || steps.length !== 4 * rotations)
        throw new Error(`The rotation with ${build} did not come to its end.`);
      return { init, firstStep, rotation, peakMemoryMb: process.peakMemoryMb(), logBytes: process.logBytes };
    } finally {
      await process.stop();
    }
  }

  /**
   * Instructions of a new process of this build in user space, in millions: until its handler is ready, or until one
   * rotation is done. A busy machine changes them by a hundredth or two; NaN without valgrind. Until the handler is ready they are of the
   * main thread alone: how far Node's other thread, which reads the list of authorities for TLS, has come by then is chance.
   */
  async instructions(build: BuildName, until: "ready" | "rotated"): Promise<number> {
    if (spawnSync("valgrind", ["--version"]).status !== 0) return Number.NaN;
    const counted = mkdtempSync(join(this.#folder, "instructions-"));
    const count = ["--tool=callgrind", "--separate-threads=yes", `--callgrind-out-file=${join(counted, "threads")}`];
    const process = await FunctionUnderLoad.start({
      taskRoot: this.#root(build),
      environment: this.#environment(),
      under: ["valgrind", "--quiet", ...count],
    });
    try {
      await process.ready;
      this.#invoke = (event) => process.invoke(event);
      if (until === "rotated") {
        if (build === "empty") for (const Step of rotationSteps) await this.#invoke({ Step });
        else await this.#rotateSecret();
      }
    } finally {
      await process.stop({ atOnce: false });
    }
    // A file for each thread, of which `threads-01` is the main one's, and `threads` without a total.
    const wanted = until === "rotated" ? "threads-" : "threads-01";
    const files = readdirSync(counted).filter((file) => file.startsWith(wanted));
    const totals = files.map((file) => /^totals: (\d+)$/m.exec(readFileSync(join(counted, file), "utf8"))?.[1]);
    return totals.reduce((sum, total) => sum + Number(total), 0) / 1e6;
  }

  async close(): Promise<void> {
    this.#service.stop();
    this.#clock.stop();
    await this.#frontDoor?.close();
    await this.#c2m?.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #rotateSecret(): Promise<void> {
    const { engine } = this.#service;
    engine.rotateSecret({ SecretId: secretName, ClientRequestToken: randomUUID(), RotationLambdaARN: functionArn });
    await engine.idle();
  }

  #root(build: BuildName): string {
    const known = this.#roots.get(build);
    if (known !== undefined) return known;
    const folder = join(this.#folder, build);
    mkdirSync(folder);
    const settings: SettingsFile = {
      rotatorTimeoutSeconds: 120,
      tokens: {
        [secretName]: {
          clientId,
          baseUrl: this.#c2m?.url ?? "",
          credentialsSecretId: credentialsName,
          scopes,
          lifetimeSeconds: 86_400,
          graceSeconds: 0,
          pendingMaxAgeSeconds: 93_600,
          revocation: true,
        },
      },
    };
    const files = { ...builds[build](), "tokens.json": JSON.stringify(settings) };
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    this.#roots.set(build, folder);
    return folder;
  }

  #environment(): Record<string, string> {
    const key = this.#identities.issue(this.#administrator);
    return {
      PATH: "/usr/bin:/bin",
      TZ: ":UTC",
      _HANDLER: "index.handler",
      AWS_REGION: region,
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_LAMBDA_FUNCTION_NAME: "rotator",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_LAMBDA_LOG_FORMAT: "JSON",
      AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/bench",
      AWS_LAMBDA_LOG_STREAM_NAME: "bench",
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_ENDPOINT_URL: this.#frontDoor?.url ?? "",
      ROTATION_NAME: "bench",
      // For the unbundled build, whose folder has no node_modules.
      NODE_PATH: nodeModules,
    };
  }
}
