import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { bundleFiles } from "../../infra/resources/function-code.ts";
import { RealClock } from "../../local-cloud/clock.ts";
import { LocalCloud } from "../../local-cloud/cloud.ts";
import type { SettingsFile } from "../../src/formats/settings.ts";

export const secretName = "c2m/api-token";
const credentialsName = "c2m/client-credentials";
export const clientId = "c2m_bundle";
export const clientSecret = "bundle-client-secret";
const scopes = ["jobs:submit", "tokens:revoke"];

/** What the program in the child process tells. */
export interface Told {
  /** The handler's result. */
  result?: { outcome: string };
  /** Its error's message. */
  error?: string;
  /** The built-in modules of Node's `fetch` that were loaded. */
  undici: string[];
  /** Files of the archive that were loaded, beside `index.js`. */
  libraries: string[];
}

const program = `
  const { handler } = require("./index.js");
  const tell = (told) => process.stderr.write("\\n" + JSON.stringify({
    ...told,
    undici: process.moduleLoadList.filter((name) => name.includes("undici")),
    libraries: Object.keys(require.cache).map((path) => require("node:path").basename(path)).filter((name) => !["index.js", "main.js"].includes(name)),
  }));
  handler(JSON.parse(process.argv[2]), { getRemainingTimeInMillis: () => 60000 }).then(
    (result) => tell({ result }),
    (error) => tell({ error: error.message }),
  );
`;

/** The rotator's archive, unpacked, and a local cloud on the machine's time for it to speak to. */
export class BundleUnderTest {
  readonly cloud: LocalCloud;
  readonly #clock: RealClock;
  readonly #folder = mkdtempSync(join(tmpdir(), "c2m-bundle-"));

  static async start(
    credentials: Record<string, string> = { client_id: clientId, client_secret: clientSecret },
  ): Promise<BundleUnderTest> {
    const clock = new RealClock((error) => {
      throw error;
    });
    return new BundleUnderTest(
      await LocalCloud.start({ clock, c2m: { rateLimitPerMinute: Number.POSITIVE_INFINITY } }),
      clock,
      credentials,
    );
  }

  private constructor(cloud: LocalCloud, clock: RealClock, credentials: Record<string, string>) {
    this.cloud = cloud;
    this.#clock = clock;
    const { engine } = cloud.secretsManager;
    engine.createSecret({ Name: secretName, ClientRequestToken: "0".repeat(32) }, cloud.administrator);
    engine.createSecret(
      { Name: credentialsName, ClientRequestToken: "1".repeat(32), SecretString: JSON.stringify(credentials) },
      cloud.administrator,
    );
    const settings: SettingsFile = {
      rotatorTimeoutSeconds: 60,
      tokens: {
        [secretName]: {
          clientId,
          baseUrl: cloud.c2mUrl,
          credentialsSecretId: credentialsName,
          scopes,
          lifetimeSeconds: 86_400,
          graceSeconds: 0,
          pendingMaxAgeSeconds: 93_600,
          revocation: true,
        },
      },
    };
    const files = { ...bundleFiles("rotator"), "tokens.json": JSON.stringify(settings), "main.js": program };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
      writeFileSync(join(this.#folder, path), text);
    }
  }

  /** Lambda's variables, as the function would find them. */
  environment(): Record<string, string> {
    const { endpoint, region, credentials } = this.cloud.clientConfig();
    return {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
      LAMBDA_TASK_ROOT: this.#folder,
    };
  }

  /** Runs the bootstrap, which reads, issues, stores and proves a token, in a process of its own. */
  async bootstrap(environment: Record<string, string> = this.environment()): Promise<Told> {
    const { ARN } = this.cloud.secretsManager.engine.describeSecret({ SecretId: secretName });
    const event = JSON.stringify({ Step: "bootstrap", SecretId: ARN });
    const { stderr } = await promisify(execFile)(process.execPath, ["main.js", event], {
      cwd: this.#folder,
      env: environment,
    });
    return JSON.parse(stderr.split("\n").at(-1) ?? "") as Told;
  }

  async stop(): Promise<void> {
    await this.cloud.stop();
    this.#clock.stop();
    rmSync(this.#folder, { recursive: true });
  }
}
