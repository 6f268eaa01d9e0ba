import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { LocalCloud } from "../cloud.ts";
import { changedKeys, changeOf, refreshedInputs } from "./changes.ts";
import { answer, get, javaScriptOf, type Message, serve, unary } from "./grpc.ts";
import { revealed } from "./property-values.ts";
import {
  type Account,
  checkAutoname,
  isNamedByProgram,
  providerAnswer,
  providerCall,
  type SecretFilter,
} from "./provider-answers.ts";
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
 * local cloud.
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
        Return: Struct.fromJavaScript(
          providerCall(accountOf(cloud), get(request, "Tok"), javaScriptOf(request, "Args")),
        ),
      }),
    ),
    check: unary((request) => {
      checkAutoname({ ...identified(request), inputs: revealedOf(request, "News") });
      return answer(new provider.CheckResponse(), { Inputs: get(request, "News") });
    }),
    diff: unary((request) => {
      const { type } = identified(request);
      const [before, after] = [revealedOf(request, "OldInputs"), revealedOf(request, "News")];
      const { change, changed, replacing } = changeOf(before, after, providerOf(type));
      return answer(new provider.DiffResponse(), {
        Changes: change === "none" ? none : some,
        DiffsList: changed,
        ReplacesList: replacing,
        // Two of one name can't be there at a time.
        Deletebeforereplace: isNamedByProgram({ type, inputs: after }) && before.name === after.name,
      });
    }),
    create: unary(async (request) => {
      const { type, name, stack } = identified(request);
      const inputs = revealedOf(request, "Properties");
      const { accountId, region } = cloud;
      const lot = randomUUID();
      const { id, outputs } = providerAnswer({ accountId, region, stack, lot }, { type, name, inputs });
      const told = await providerOf(type).create(cloud, { id, inputs, outputs });
      return answer(new provider.CreateResponse(), {
        Id: id,
        Properties: state({ ...outputs, ...told }, javaScriptOf(request, "Properties")),
      });
    }),
    update: unary(async (request) => {
      const { type, id } = identified(request);
      const [old, inputs] = [revealedOf(request, "OldInputs"), revealedOf(request, "News")];
      const made = Object.entries(revealedOf(request, "Olds")).filter(([key]) => !(key in old));
      const outputs = { ...Object.fromEntries(made), ...inputs };
      await providerOf(type).update?.(cloud, { id, inputs, outputs });
      return answer(new provider.UpdateResponse(), { Properties: state(outputs, javaScriptOf(request, "News")) });
    }),
    read: unary((request) => {
      const { type, id } = identified(request);
      const [inputs, outputs] = [revealedOf(request, "Inputs"), revealedOf(request, "Properties")];
      const { read, defaults } = providerOf(type);
      const now = read(cloud, { id, inputs: { ...outputs, ...inputs }, outputs });
      if (!now) return new provider.ReadResponse();
      const seen = refreshedInputs(inputs, now, defaults);
      const changed = Object.fromEntries(changedKeys(inputs, seen).map((key) => [key, seen[key]]));
      return answer(new provider.ReadResponse(), {
        Id: id,
        Properties: Struct.fromJavaScript(over(javaScriptOf(request, "Properties"), changed)),
        Inputs: Struct.fromJavaScript(over(javaScriptOf(request, "Inputs"), changed)),
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

function accountOf({ accountId, region, secretsManager: { engine } }: LocalCloud): Account {
  const secretNames = (filters: SecretFilter[]) => {
    const Filters = filters.map(({ name, values }) => ({ Key: name as "tag-key", Values: values }));
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = engine.listSecrets({ Filters, MaxResults: 100, ...(NextToken && { NextToken }) });
      names.push(...(page.SecretList ?? []).flatMap(({ Name }) => Name ?? []));
      ({ NextToken } = page);
    } while (NextToken);
    return names;
  };
  const secret = (name: string) => {
    const found = engine.find(name) && engine.describeSecret({ SecretId: name });
    if (!found || found.DeletedDate) return undefined;
    const { ARN, KmsKeyId = "", Tags = [] } = found;
    return { arn: ARN, kmsKeyId: KmsKeyId, tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])) };
  };
  return { accountId, region, secretNames, secret };
}

const { DIFF_NONE: none, DIFF_SOME: some } = provider.DiffResponse.DiffChanges as Record<string, number>;

/** What was read, over what was known; what the cloud does not have is left out. */
function over(known: Properties, changed: Properties): Properties {
  return Object.fromEntries(Object.entries({ ...known, ...changed }).filter(([, value]) => value !== undefined));
}

/** What a resource puts out; what was secret when it was sent goes back as a secret. */
function state(outputs: Properties, sent: Properties): unknown {
  return Struct.fromJavaScript({ ...outputs, ...sent });
}

function identified(request: Message) {
  const [stack = "", , types = "", name = ""] = get<string>(request, "Urn").split("::");
  return { stack, type: types.split("$").at(-1) ?? "", name, id: get<string>(request, "Id") };
}

/** A field that holds properties, without the marks of what is secret. */
function revealedOf(request: Message, field: string): Properties {
  return revealed(javaScriptOf(request, field)) as Properties;
}
