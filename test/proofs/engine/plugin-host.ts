/**
 * Pulumi's language host for Node, with what older ones lack: it runs plugins. Stands for `pulumi-language-nodejs` where that
 * of the machine (`NODE_HOST`) is older than the component plugins; all else it leaves to that one.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  ChannelCredentials,
  type Client,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";

// Generated CommonJS without types that could be imported.
const require = createRequire(import.meta.url);
const { LanguageRuntimeService, LanguageRuntimeClient } = require("@pulumi/pulumi/proto/language_grpc_pb.js") as {
  LanguageRuntimeService: ServiceDefinition;
  LanguageRuntimeClient: new (address: string, credentials: ChannelCredentials) => Client & Record<string, never>;
};
const { RunPluginResponse } = require("@pulumi/pulumi/proto/language_pb.js");
const runPluginModule = require.resolve("@pulumi/pulumi/cmd/run-plugin/index.js");

// biome-ignore lint/suspicious/noExplicitAny: the messages are handed on as they are.
type Message = any;

const older = spawn(process.env.NODE_HOST ?? "", process.argv.slice(2), { stdio: ["ignore", "pipe", "inherit"] });
older.once("exit", (code) => process.exit(code ?? 1));
const [line] = await once(older.stdout, "data");
const host = new LanguageRuntimeClient(
  `127.0.0.1:${String(line).trim()}`,
  ChannelCredentials.createInsecure(),
) as Message;

const handed = Object.entries(LanguageRuntimeService).map(([name, { responseStream }]) => [
  name,
  responseStream
    ? (call: ServerWritableStream<Message, Message>) => {
        const answer = host[name](call.request);
        answer.on("data", (part: Message) => call.write(part));
        answer.on("end", () => call.end());
        answer.on("error", (error: Error) => call.emit("error", error));
      }
    : (call: ServerUnaryCall<Message, Message>, callback: sendUnaryData<Message>) => host[name](call.request, callback),
]);

function runPlugin(call: ServerWritableStream<Message, Message>): void {
  const { request } = call;
  const environment = Object.fromEntries(
    request
      .getEnvList()
      .map((entry: string) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
  const folder = request.getInfo()?.getProgramDirectory() ?? request.getProgram();
  const plugin = spawn(process.execPath, [runPluginModule, folder, ...request.getArgsList()], {
    cwd: request.getPwd() || join(folder),
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told = (set: "setStdout" | "setStderr") => (bytes: Buffer) => {
    const part = new RunPluginResponse();
    part[set](bytes);
    call.write(part);
  };
  plugin.stdout.on("data", told("setStdout"));
  plugin.stderr.on("data", told("setStderr"));
  plugin.once("close", (code) => {
    const part = new RunPluginResponse();
    part.setExitcode(code ?? 1);
    call.write(part);
    call.end();
  });
  call.on("cancelled", () => plugin.kill());
}

const server = new Server();
server.addService(LanguageRuntimeService, { ...Object.fromEntries(handed), runPlugin });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
