/**
 * Runs Pulumi programs against mocks, one after the other, and answers with what each registered. Started by plan.ts as a
 * process of its own: the SDK takes a second to load, and each program only as long as it runs. A program has the SDK's
 * state to itself, as one that the Automation API runs inline.
 */
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import * as state from "@pulumi/pulumi/runtime/state.js";
import type { Plan, PlannedResource, PlanOptions, Recorded } from "./plan.ts";
import { isSecret } from "./property-values.ts";
import { providerAnswer, providerCall } from "./provider-answers.ts";

// Not among its types; the SDK's own server of inline programs calls it for each.
const { withLocalStorage } = state as unknown as { withLocalStorage<T>(run: () => T): T };

let programs = 0;
process.on("message", async (options: PlanOptions) => process.send?.(await withLocalStorage(() => record(options))));
process.on("disconnect", () => process.exit());

async function record(options: PlanOptions): Promise<Recorded> {
  const errors: unknown[] = [];
  const collect = (error: unknown) => errors.push(error);
  // What a program leaves unhandled fails it, as the SDK's own hosts see it.
  process.on("unhandledRejection", collect);
  try {
    const plan = await run(options).catch(collect);
    // Node tells of a rejection that nobody handles when the turn is over.
    await setImmediate();
    return errors.length === 0 ? { plan: plan as Plan } : { failed: errors.map((error) => inspect(error)).join("\n") };
  } finally {
    process.off("unhandledRejection", collect);
  }
}

async function run(options: PlanOptions): Promise<Plan> {
  const { folder, project, main } = options.program;
  const account = {
    accountId: options.accountId ?? "123456789012",
    region: options.region ?? "us-east-1",
    stack: options.stack ?? "test",
  };
  const preview = options.preview ?? false;
  process.env.AWS_REGION = account.region;
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
          ...registrationOf(registrations, args.type, args.name),
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
  // The entry is evaluated anew; what it imports stays loaded.
  const entry = `${pathToFileURL(resolve(folder, main)).href}?program=${programs++}`;
  const outputs = await pulumi.runtime.runInPulumiStack(() => import(entry) as Promise<object>);
  await pulumi.runtime.disconnect();
  return { resources: recorded, outputs: (await plain(await resolved(outputs ?? {}))) as Plan["outputs"] };
}

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

function registrationOf(registrations: Map<string, Registration>, type: string, name: string): Registration {
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
