import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** A generated message: its fields by get… and set…. */
export type Message = Record<string, (value?: unknown) => unknown>;

/** Serves on a free port of this machine's own address. */
export async function serve(
  services: [ServiceDefinition, UntypedServiceImplementation][],
): Promise<{ server: Server; port: number }> {
  // A bundle with its source is more than gRPC's four megabytes when it comes as both old and new.
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  for (const [definition, implementation] of services) server.addService(definition, implementation);
  const port = await new Promise<number>((done, fail) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : done(bound),
    );
  });
  return { server, port };
}

/** A field of a generated message. */
export function get<Value>(message: Message, field: string): Value {
  return message[`get${field}`]?.call(message) as Value;
}

/** A field that is a protobuf Struct, as an object; a Struct that was not sent is an empty one. */
export function javaScriptOf(message: Message, field: string): Record<string, unknown> {
  return get<{ toJavaScript(): Record<string, unknown> } | undefined>(message, field)?.toJavaScript() ?? {};
}

/** One method of a service. What `handle` throws is the answer's error. */
export function unary(handle: (request: Message) => Message | Promise<Message>) {
  return async (call: ServerUnaryCall<Message, Message>, callback: sendUnaryData<Message>) => {
    try {
      callback(null, await handle(call.request));
    } catch (error) {
      callback({ code: status.UNKNOWN, details: (error as Error).message });
    }
  };
}

/** The message with these fields set. */
export function answer(message: Message, fields: Record<string, unknown>): Message {
  for (const [field, value] of Object.entries(fields)) message[`set${field}`]?.call(message, value);
  return message;
}
