/** What the SDK hands to a protocol of a request that is to be made; more of it than is named here. */
interface RequestContext {
  endpoint(): Promise<{ protocol: string; hostname: string; port?: number; path: string; query?: object }>;
}

/** What the SDK hands to a protocol of an answer. */
interface ResponseContext {
  streamCollector(body: unknown): Promise<Uint8Array>;
}

interface Response {
  statusCode: number;
  headers: Record<string, string | undefined>;
  body: unknown;
}

/**
 * A shape as the SDK's clients describe it: a number for a simple one, `64 | n` and `128 | n` for lists and maps of such, an
 * array with its kind in front, a function that gives one of these, or one of these with its traits behind.
 */
export type Shape = number | string | (() => Shape) | readonly unknown[];

interface Operation {
  name: string;
  output: Shape;
}

/** Kinds of shapes, as the SDK's clients number them: those whose values JSON can't hold as they are. */
const kinds = { list: 1, map: 2, structure: 3, timestamp: 4, epochSeconds: 7, blob: 21 } as const;

/**
 * AWS's protocol "JSON 1.1", by the names of the SDK's own, which the bundle has this in place of: for requests of texts,
 * numbers, truth values and lists, and answers that hold timestamps and bytes as well. A test walks the shapes of every
 * operation that a function calls, and holds this one's answers and errors against the SDK's.
 */
export class AwsJson1_1Protocol {
  readonly #target: string;

  constructor({ serviceTarget }: { serviceTarget: string }) {
    this.#target = serviceTarget;
  }

  /** The SDK's hook for parts that this has none of. */
  setSerdeContext(): void {}

  async serializeRequest(operation: { name: string }, input: object, context: RequestContext): Promise<object> {
    if (Object.values(input).some((value) => value instanceof Uint8Array || value instanceof Date)) {
      throw new Error(`${operation.name}: this Lambda bundle sends no bytes and no dates.`);
    }
    const { protocol, hostname, port, path, query = {} } = await context.endpoint();
    return {
      method: "POST",
      protocol,
      hostname,
      port,
      path: path.endsWith("/") ? path : `${path}/`,
      query,
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `${this.#target}.${operation.name}`,
      },
      body: JSON.stringify(input),
    };
  }

  /** @throws an error with AWS's name for it, `$fault` and `$metadata`; SyntaxError where the body is no JSON */
  async deserializeResponse(operation: Operation, context: ResponseContext, response: Response): Promise<object> {
    const bytes = await context.streamCollector(response.body);
    const body = bytes.byteLength === 0 ? {} : JSON.parse(new TextDecoder().decode(bytes));
    const { statusCode: httpStatusCode, headers } = response;
    const $metadata = { httpStatusCode, requestId: headers["x-amzn-requestid"] };
    if (httpStatusCode >= 300) throw failure(body ?? {}, headers, $metadata);
    return { ...(read(operation.output, body) as object), $metadata };
  }
}

function failure(
  body: Record<string, unknown>,
  headers: Response["headers"],
  $metadata: { httpStatusCode: number },
): Error {
  const said = body.__type ?? body.code ?? headers["x-amzn-errortype"] ?? "Unknown";
  // `com.amazonaws.service#Name:http://…`
  const [name = ""] = String(said).split(/[,:]/);
  return Object.assign(new Error(String(body.message ?? body.Message ?? "UnknownError")), {
    name: name.slice(name.indexOf("#") + 1),
    $fault: $metadata.httpStatusCode < 500 ? "client" : "server",
    $metadata,
  });
}

function read(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (typeof shape === "function") return read(shape(), value);
  if (typeof shape === "number") {
    if (shape === kinds.timestamp || shape === kinds.epochSeconds) return new Date(Math.round(Number(value) * 1_000));
    return shape === kinds.blob ? new Uint8Array(Buffer.from(String(value), "base64")) : value;
  }
  if (typeof shape === "string") return value;
  // With its traits, which say nothing of how it travels.
  if (shape.length === 2) return read(shape[0] as Shape, value);
  const [kind] = shape;
  if (kind === kinds.structure) {
    const [names, members] = [shape[4] as string[], shape[5] as Shape[]];
    const held = value as Record<string, unknown>;
    return Object.fromEntries(
      names.flatMap((name, index) => {
        const member = held[name] ?? undefined;
        return member === undefined ? [] : [[name, read(members[index] as Shape, member)]];
      }),
    );
  }
  if (kind === kinds.list) return (value as unknown[]).map((one) => read(shape[4] as Shape, one));
  if (kind === kinds.map) {
    const entries = Object.entries(value as object);
    return Object.fromEntries(entries.map(([key, one]) => [key, read(shape[5] as Shape, one)]));
  }
  // A simple one with a name.
  return read(shape[4] as Shape, value);
}
