import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { credentials } from "@grpc/grpc-js";
import analyzer from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/analyzer_pb.js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ShownResource, shown } from "../harness/policy-resources.ts";
import { plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

const root = resolve(import.meta.dirname, "../..");

/** The pack as a language host starts it. */
let pack: ChildProcess;
let client: InstanceType<typeof analyzer.AnalyzerClient>;

beforeAll(async () => {
  const host = resolve(root, "node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js");
  pack = spawn(process.execPath, [host, "127.0.0.1:9", resolve(root, "policy-pack")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(pack.stdout ?? process.stdin, "data");
  client = new analyzer.AnalyzerClient(`127.0.0.1:${String(port).trim()}`, credentials.createInsecure());
});
afterAll(() => {
  client?.close();
  pack?.kill();
});

/** What the pack answers the engine, as `enforcement policy: resource`. */
async function violations(resources: readonly ShownResource[]): Promise<string[]> {
  const request = new messages.AnalyzeStackRequest();
  for (const { type, name, urn, props, propertyDependencies } of resources) {
    const resource = new messages.AnalyzerResource();
    resource.setType(type);
    resource.setName(name);
    resource.setUrn(urn);
    resource.setProperties(Struct.fromJavaScript(JSON.parse(JSON.stringify(props))));
    const options = new messages.AnalyzerResourceOptions();
    options.setCustomtimeouts(new messages.AnalyzerResourceOptions.CustomTimeouts());
    resource.setOptions(options);
    for (const [key, urns] of Object.entries(propertyDependencies)) {
      const dependencies = new messages.AnalyzerPropertyDependencies();
      dependencies.setUrnsList(urns);
      resource.getPropertydependenciesMap().set(key, dependencies);
    }
    request.addResources(resource);
  }
  const analyze = promisify(client.analyzeStack.bind(client) as (request: unknown, done: never) => void) as (
    request: unknown,
  ) => Promise<{
    getDiagnosticsList(): { getPolicyname(): string; getUrn(): string; getEnforcementlevel(): number }[];
  }>;
  const levels = Object.entries(messages.EnforcementLevel);
  return (await analyze(request)).getDiagnosticsList().map((found) => {
    const level = levels.find(([, number]) => number === found.getEnforcementlevel())?.[0];
    return `${level} ${found.getPolicyname()}: ${found.getUrn().split("::").at(-1)}`;
  });
}

it("serves the engine with the policies: this project's own stack keeps to them, one that was spoilt does not", async () => {
  const resources = shown(await plan(stackConfig()));
  expect(await violations(resources)).toEqual(["ADVISORY alarms-reach-somebody: c2m-token-rotation-alarms"]);
  const spoilt = resources.map((resource) =>
    resource.type.endsWith(":SecretRotation")
      ? { ...resource, props: { ...resource.props, rotationRules: { scheduleExpression: "rate(95 days)" } } }
      : resource,
  );
  expect(await violations(spoilt)).toContain("MANDATORY rotations-come-in-time: c2m-token-rotation-c2m/api-token");
});
