import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { answer, get, javaScriptOf, serve, unary } from "./grpc.ts";
import type { Program } from "./program.ts";
import { revealed } from "./property-values.ts";
import { type Deployer, providerAnswer, providerCall } from "./provider-answers.ts";

// Generated CommonJS without types that could be imported.
const require = createRequire(import.meta.url);
const { ResourceMonitorService } = require("@pulumi/pulumi/proto/resource_grpc_pb.js");
const { EngineService } = require("@pulumi/pulumi/proto/engine_grpc_pb.js");
const resource = require("@pulumi/pulumi/proto/resource_pb.js");
const engine = require("@pulumi/pulumi/proto/engine_pb.js");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");

/** One resource as the engine got it. */
export interface RegisteredResource {
  urn: string;
  type: string;
  name: string;
  custom: boolean;
  parent: string;
  protect: boolean;
  dependencies: string[];
  /** As sent: a secret is an object with a signature and its value. */
  inputs: Record<string, unknown>;
}

export interface ProgramRun {
  /** The process's. 0: the program ended well. 32: it failed, and has said why. */
  exitCode: number | null;
  resources: RegisteredResource[];
  outputs: Record<string, unknown>;
  /** What it told the engine to show. */
  messages: { severity: "debug" | "info" | "warning" | "error"; text: string }[];
  /** What it printed beside. */
  printed: string;
}

export interface ProgramOptions {
  program: Program;
  /** Without the project's prefix. */
  config: Record<string, string>;
  secretKeys: string[];
  preview?: boolean;
  /** The process's environment, beside what it needs to run. */
  env?: Record<string, string>;
  /** The names of the account's secrets that fit a filter. Default: there are none. */
  secretNames?: Deployer["secretNames"];
  secret?: Deployer["secret"];
}

/**
 * Runs the Pulumi program as `pulumi` does: by the SDK's own start-up, in a process of its own, against an engine and a
 * resource monitor over gRPC. These remember what they get and answer as an account in which everything succeeds.
 */
export async function runProgram({
  program,
  config,
  secretKeys,
  preview = false,
  env = {},
  secretNames,
  secret,
}: ProgramOptions): Promise<ProgramRun> {
  const { folder, project, main } = program;
  const stack = "test";
  const run: ProgramRun = { exitCode: null, resources: [], outputs: {}, messages: [], printed: "" };
  const account: Deployer = {
    accountId: "123456789012",
    region: "us-east-1",
    stack,
    ...(secretNames && { secretNames }),
    ...(secret && { secret }),
  };
  const { port, server } = await serve([
    [ResourceMonitorService, monitorFor(run, account, { project, stack, preview })],
    [EngineService, engineFor(run)],
  ]);
  const address = `127.0.0.1:${port}`;
  const named = (values: string[]) => JSON.stringify(values.map((key) => `${project}:${key}`));
  const child = spawn(
    process.execPath,
    [
      resolve(folder, "node_modules/@pulumi/pulumi/cmd/run/index.js"),
      ...["--monitor", address, "--engine", address, "--project", project, "--stack", stack],
      ...["--dry-run", String(preview), "--root-directory", folder, "--pwd", folder, resolve(folder, main)],
    ],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        AWS_REGION: account.region,
        ...env,
        PULUMI_NODEJS_TYPESCRIPT: "false",
        PULUMI_CONFIG: JSON.stringify(
          Object.fromEntries(Object.entries(config).map(([key, value]) => [`${project}:${key}`, value])),
        ),
        PULUMI_CONFIG_SECRET_KEYS: named(secretKeys),
        NODE_COMPILE_CACHE: resolve(folder, "node_modules/.cache/compile"),
      },
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => {
      run.printed += text.toString();
    });
  }
  run.exitCode = await exitOf(child);
  server.forceShutdown();
  return run;
}

function monitorFor(
  run: ProgramRun,
  account: Deployer,
  { project, stack, preview }: { project: string; stack: string; preview: boolean },
): UntypedServiceImplementation {
  const qualifiedTypes = new Map<string, string>();
  return {
    supportsFeature: unary((request) =>
      answer(new resource.SupportsFeatureResponse(), { Hassupport: get(request, "Id") === "secrets" }),
    ),
    invoke: unary((request) =>
      answer(new resource.ResourceInvokeResponse(), {
        Return: Struct.fromJavaScript(providerCall(account, get(request, "Tok"), javaScriptOf(request, "Args"))),
      }),
    ),
    registerResource: unary((request) => {
      const [type, name, parent] = ["Type", "Name", "Parent"].map((field) => get<string>(request, field)) as [
        string,
        string,
        string,
      ];
      const custom = get<boolean>(request, "Custom");
      const parentType = qualifiedTypes.get(parent);
      const qualified = parentType && !parentType.endsWith(":Stack") ? `${parentType}$${type}` : type;
      const urn = `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
      qualifiedTypes.set(urn, qualified);
      const inputs = javaScriptOf(request, "Object");
      run.resources.push({
        urn,
        type,
        name,
        custom,
        parent,
        protect: get(request, "Protect"),
        dependencies: get(request, "DependenciesList"),
        inputs,
      });
      const { id, outputs } = custom
        ? providerAnswer(account, { type, name, inputs: revealed(inputs) as Record<string, unknown> })
        : { id: "", outputs: inputs };
      // What only a deployment knows is absent at preview.
      return answer(new resource.RegisterResourceResponse(), {
        Urn: urn,
        Id: preview ? "" : id,
        Object: Struct.fromJavaScript(preview ? inputs : outputs),
      });
    }),
    registerResourceOutputs: unary((request) => {
      if (get<string>(request, "Urn").includes("pulumi:pulumi:Stack")) run.outputs = javaScriptOf(request, "Outputs");
      return new Empty();
    }),
    signalAndWaitForShutdown: unary(() => new Empty()),
  };
}

function engineFor(run: ProgramRun): UntypedServiceImplementation {
  let rootUrn = "";
  return {
    log: unary((request) => {
      const severity = (["debug", "info", "warning", "error"] as const)[get<number>(request, "Severity")] ?? "error";
      run.messages.push({ severity, text: get(request, "Message") });
      return new Empty();
    }),
    getRootResource: unary(() => answer(new engine.GetRootResourceResponse(), { Urn: rootUrn })),
    setRootResource: unary((request) => {
      rootUrn = get(request, "Urn");
      return new engine.SetRootResourceResponse();
    }),
  };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((done) => child.once("close", (code) => done(code)));
}
