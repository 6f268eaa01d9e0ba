import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { LocalCloud } from "../cloud.ts";
import { answer, get, javaScriptOf, type Message, serve, unary } from "./grpc.ts";
import { revealed } from "./property-values.ts";
import { providerAnswer, providerCall } from "./provider-answers.ts";
import { providerOf } from "./resources.ts";

// Generated CommonJS without types that could be imported.
const require = createRequire(import.meta.url);
const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const provider = require("@pulumi/pulumi/proto/provider_pb.js");
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb.js");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
const { version } = require("@pulumi/aws/package.json") as { version: string };

type Properties = Record<string, unknown>;

/** A provider at work. */
export interface AwsProvider {
  /** For `PULUMI_DEBUG_PROVIDERS=aws:PORT`. */
  readonly port: number;
  stop(): void;
}

/**
 * Serves Pulumi's engine in the place of the AWS provider: what the engine creates, changes and deletes stands in the
 * local cloud. A resource is changed where it stands, never replaced, and what it puts out follows from its inputs.
 */
export async function startAwsProvider(cloud: LocalCloud): Promise<AwsProvider> {
  const { server, port } = await serve([[ResourceProviderService, providerFor(cloud)]]);
  return { port, stop: () => server.forceShutdown() };
}

function providerFor(cloud: LocalCloud): UntypedServiceImplementation {
  return {
    getPluginInfo: unary(() => answer(new PluginInfo(), { Version: version })),
    attach: unary(() => new Empty()),
    cancel: unary(() => new Empty()),
    checkConfig: unary((request) => answer(new provider.CheckResponse(), { Inputs: get(request, "News") })),
    diffConfig: unary(() => answer(new provider.DiffResponse(), { Changes: none })),
    configure: unary(() => answer(new provider.ConfigureResponse(), { Acceptsecrets: true, Supportspreview: false })),
    invoke: unary((request) =>
      answer(new provider.InvokeResponse(), {
        Return: Struct.fromJavaScript(providerCall(cloud, get(request, "Tok"))),
      }),
    ),
    check: unary((request) => answer(new provider.CheckResponse(), { Inputs: get(request, "News") })),
    diff: unary((request) => {
      const { type, name } = identified(request);
      const before = revealedOf(request, "Olds");
      const { outputs } = providerAnswer(cloud, { type, name, inputs: revealedOf(request, "News") });
      const changed = Object.keys({ ...before, ...outputs }).filter((key) => !same(before[key], outputs[key]));
      return answer(new provider.DiffResponse(), { Changes: changed.length > 0 ? some : none, DiffsList: changed });
    }),
    create: unary(async (request) => {
      const { type, name } = identified(request);
      const inputs = revealedOf(request, "Properties");
      const { id: steadyId, outputs } = providerAnswer(cloud, { type, name, inputs });
      // A statement's id is another each time: one that the engine never heard of is in no later one's way.
      const id = type === "aws:lambda/permission:Permission" ? `${steadyId}-${randomUUID()}` : steadyId;
      await providerOf(type).create(cloud, { id, inputs, outputs });
      return answer(new provider.CreateResponse(), {
        Id: id,
        Properties: state(outputs, javaScriptOf(request, "Properties")),
      });
    }),
    update: unary(async (request) => {
      const { type, name, id } = identified(request);
      const inputs = revealedOf(request, "News");
      const { outputs } = providerAnswer(cloud, { type, name, inputs });
      const { create, update = create } = providerOf(type);
      await update(cloud, { id, inputs, outputs });
      return answer(new provider.UpdateResponse(), { Properties: state(outputs, javaScriptOf(request, "News")) });
    }),
    read: unary((request) => {
      const { type, id } = identified(request);
      const outputs = revealedOf(request, "Properties");
      const { read } = providerOf(type);
      const now = read ? read(cloud, { id, inputs: outputs, outputs }) : {};
      if (!now) return new provider.ReadResponse();
      return answer(new provider.ReadResponse(), {
        Id: id,
        Properties: Struct.fromJavaScript({ ...javaScriptOf(request, "Properties"), ...now }),
        Inputs: get(request, "Inputs"),
      });
    }),
    delete: unary(async (request) => {
      const { type, id } = identified(request);
      const outputs = revealedOf(request, "Properties");
      await providerOf(type).delete?.(cloud, { id, inputs: outputs, outputs });
      return new Empty();
    }),
  };
}

const { DIFF_NONE: none, DIFF_SOME: some } = provider.DiffResponse.DiffChanges as Record<string, number>;

/** Archives are compared by their hash, which is all that the state has of them. */
function same(one: unknown, other: unknown): boolean {
  const withoutFiles = (key: string, value: unknown) => (key === "files" ? undefined : value);
  return JSON.stringify(one, withoutFiles) === JSON.stringify(other, withoutFiles);
}

/** What a resource puts out; what was secret when it was sent goes back as a secret. */
function state(outputs: Properties, sent: Properties): unknown {
  return Struct.fromJavaScript({ ...outputs, ...sent });
}

function identified(request: Message) {
  const [, , types = "", name = ""] = get<string>(request, "Urn").split("::");
  return { type: types.split("$").at(-1) ?? "", name, id: get<string>(request, "Id") };
}

/** A field that holds properties, without the marks of what is secret. */
function revealedOf(request: Message, field: string): Properties {
  return revealed(javaScriptOf(request, field)) as Properties;
}
