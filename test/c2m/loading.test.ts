import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { version } from "../../src/c2m/http.ts";
import { clientId, clientSecret, issued, json } from "../harness/client-under-test.ts";
import { type ScriptedServer, startScriptedServer } from "../harness/scripted-server.ts";

const clientFile = fileURLToPath(new URL("../../src/c2m/client.ts", import.meta.url));

/** What a program can do with the client, given its exports. Prints the ids of two tokens and the modules it loaded. */
const program = (baseUrl: string, load: string) => `
  const run = async () => {
    const { createC2mClient } = ${load};
    const clock = { now: Date.now, sleep: () => Promise.resolve() };
    const sensitive = (text) => ({ reveal: () => text });
    const issue = (credentials) => createC2mClient({
      baseUrl: ${JSON.stringify(baseUrl)}, clientId: ${JSON.stringify(clientId)}, clock, credentials: async () => credentials,
    }).issueLongTermToken({ scopes: ["a"], lifetimeSeconds: 3600, current: undefined, deadline: Date.now() + 60000 });
    const common = { clientId: ${JSON.stringify(clientId)} };
    const first = await issue({ ...common, mechanism: "client_secret", clientSecret: sensitive(${JSON.stringify(clientSecret)}) });
    const loaded = process.moduleLoadList.filter((name) => /undici/.test(name));
    const second = await issue({ ...common, mechanism: "otp", seed: sensitive("JBSWY3DP"), algorithm: "SHA1", digits: 6, periodSeconds: 30 });
    console.log(JSON.stringify({ ids: [first.tokenId, second.tokenId], loaded }));
  };
  run();
`;

describe("the client", () => {
  let server: ScriptedServer;
  let folder: string;
  beforeAll(async () => {
    [server, folder] = await Promise.all([startScriptedServer(), mkdtemp(join(tmpdir(), "c2m-client-"))]);
    server.script(json(201, { ...issued, expires_at: "2199-01-01T00:00:00Z" }));
  });
  afterAll(() => Promise.all([server.close(), rm(folder, { recursive: true })]));

  it("bundled to CommonJS works, and loads no undici", async () => {
    await build({
      entryPoints: [clientFile],
      bundle: true,
      platform: "node",
      format: "cjs",
      minify: true,
      outfile: join(folder, "client.cjs"),
    });
    const main = join(folder, "main.cjs");
    await writeFile(main, program(server.url, 'require("./client.cjs")'));
    const { stdout } = await promisify(execFile)(process.execPath, [main]);
    expect(JSON.parse(stdout)).toEqual({ ids: [issued.token_id, issued.token_id], loaded: [] });
  });

  it("from its sources works, and loads no undici", async () => {
    const main = join(folder, "main.mjs");
    await writeFile(main, program(server.url, `await import(${JSON.stringify(pathToFileURL(clientFile).href)})`));
    const { stdout } = await promisify(execFile)(process.execPath, [main]);
    expect(JSON.parse(stdout)).toEqual({ ids: [issued.token_id, issued.token_id], loaded: [] });
  });

  it("loads no library of a mechanism before it is used", async () => {
    const { metafile } = await build({
      entryPoints: [clientFile],
      bundle: true,
      platform: "node",
      format: "esm",
      splitting: true,
      outdir: folder,
      write: false,
      metafile: true,
    });
    const entry = Object.values(metafile.outputs).find((output) => output.entryPoint?.endsWith("client.ts"));
    // What is loaded with the entry: itself and what it imports statically.
    const files = [
      entry,
      ...(entry?.imports ?? [])
        .filter(({ kind }) => kind === "import-statement")
        .map(({ path }) => metafile.outputs[path]),
    ];
    const sources = files.flatMap((output) => Object.keys(output?.inputs ?? {}));
    expect(sources).toContain("src/c2m/transport.ts");
    expect(sources.filter((path) => /node_modules\/(?!valibot)/.test(path))).toEqual([]);
  });

  it("names the version of the package", async () => {
    expect(version).toBe(createRequire(import.meta.url)("../../package.json").version);
  });
});
