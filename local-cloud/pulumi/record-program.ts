/**
 * Runs the Pulumi program against mocks and prints what it registered, as one JSON object on stdout. Started by
 * plan.ts as a process of its own, with the options as its argument.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { Plan, PlannedResource, PlanOptions } from "./plan.ts";
import { isSecret } from "./property-values.ts";
import { providerAnswer, providerCall } from "./provider-answers.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as PlanOptions;
const { folder, project, main } = options.program;
const account = {
  accountId: options.accountId ?? "123456789012",
  region: options.region ?? "us-east-1",
  stack: options.stack ?? "test",
};
const preview = options.preview ?? false;
const recorded: PlannedResource[] = [];

await pulumi.runtime.setMocks(
  {
    newResource: async (args) => {
      const secretInputs: string[] = [];
      const inputs: Record<string, unknown> = {};
      for (const [key, value] of Object.entries(args.inputs as Record<string, unknown>)) {
        if (isSecret(value)) secretInputs.push(key);
        inputs[key] = await plain(value);
      }
      const { id, outputs } = args.custom
        ? providerAnswer(account, { type: args.type, name: args.name, inputs })
        : { id: "", outputs: inputs };
      recorded.push({
        ...registrationOf(args.type, args.name),
        type: args.type,
        name: args.name,
        custom: args.custom ?? true,
        inputs,
        secretInputs,
        id,
        outputs,
      });
      return preview && args.custom ? { id: undefined, state: inputs } : { id, state: outputs };
    },
    call: (args) => providerCall(account, args.token, args.inputs),
  },
  project,
  account.stack,
  preview,
);
const registrations = watchRegistrations();
pulumi.runtime.setAllConfig(
  Object.fromEntries(Object.entries(options.config).map(([key, value]) => [`${project}:${key}`, value])),
  (options.secretKeys ?? []).map((key) => `${project}:${key}`),
);
const entry = pathToFileURL(resolve(folder, main)).href;
const outputs = await pulumi.runtime.runInPulumiStack(() => import(entry) as Promise<object>);
await pulumi.runtime.disconnect();
const plan: Plan = { resources: recorded, outputs: (await plain(await resolved(outputs ?? {}))) as Plan["outputs"] };
process.stdout.write(JSON.stringify(plan));

type Registration = Pick<
  PlannedResource,
  "urn" | "parent" | "dependencies" | "protect" | "ignoreChanges" | "retainOnDelete"
>;

// The mocks are not told a resource's options; the requests that the SDK sends to the monitor hold them.
function watchRegistrations(): Map<string, Registration> {
  const seen = new Map<string, Registration>();
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: RegisterResourceRequest, callback: unknown): void;
    newUrn(parent: string, type: string, name: string): string;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    seen.set(`${request.getType()} ${request.getName()}`, {
      urn: monitor.newUrn(request.getParent(), request.getType(), request.getName()),
      parent: request.getParent(),
      dependencies: request.getDependenciesList(),
      protect: request.getProtect(),
      ignoreChanges: request.getIgnorechangesList(),
      retainOnDelete: request.getRetainondelete(),
    });
    register(request, callback);
  };
  return seen;
}

interface RegisterResourceRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProtect(): boolean;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getRetainondelete(): boolean;
}

function registrationOf(type: string, name: string): Registration {
  const registration = registrations.get(`${type} ${name}`);
  if (!registration) throw new Error(`No registration seen for ${type} ${name}`);
  return registration;
}

async function plain(value: unknown): Promise<unknown> {
  if (value instanceof pulumi.asset.AssetArchive) {
    const files: Record<string, string> = {};
    for (const [path, asset] of Object.entries(await value.assets)) {
      if (asset instanceof pulumi.asset.StringAsset) files[path] = await asset.text;
    }
    return { files };
  }
  if (Array.isArray(value)) return await Promise.all(value.map(plain));
  if (isSecret(value)) return await plain(value.value);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(async ([key, entry]) => [key, await plain(entry)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function resolved(value: object): Promise<unknown> {
  return await new Promise((done) => pulumi.output(value).apply(done));
}
