import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { CallLog } from "../calls.ts";
import type { Clock } from "../clock.ts";
import { type Fault, type Faults, gatewayAnswer } from "../faults.ts";
import type { Iam } from "../iam/iam.ts";
import type { Identities } from "../iam/identities.ts";
import { json10Protocol, jsonProtocol } from "./json-protocol.ts";
import { lambdaRest } from "./lambda-rest.ts";
import { notServedProtocols } from "./not-served.ts";
import { AwsError, type AwsService, type PermissionNeeded } from "./service.ts";
import { verifySignature, type WireRequest } from "./sigv4.ts";
import { StsService, stsQuery } from "./sts.ts";
import type { WireCall, WireProtocol } from "./wire-protocol.ts";

export interface FrontDoorOptions {
  services: AwsService[];
  identities: Identities;
  iam: Iam;
  clock: Clock;
  faults: Faults;
  calls: CallLog;
  /** 0, the default, takes any free port. */
  port?: number;
  /**
   * How far a signature's time may be from the cloud's, in ms; default 15 minutes, as at AWS. `Infinity` for clients
   * that live outside a virtual clock. (The SDK mends its offset by the Date header and repeats the call.)
   */
  allowedSkewMs?: number;
}

export interface FrontDoor {
  /** For AWS_ENDPOINT_URL. */
  url: string;
  close(): Promise<void>;
}

const protocols: WireProtocol[] = [json10Protocol, jsonProtocol, lambdaRest, stsQuery, ...notServedProtocols];

/** The largest body that is kept, in bytes: that of Lambda's Invoke, the largest that any service here takes. */
const largestBody = 6 * 1024 * 1024;

/**
 * The one HTTP endpoint of all AWS services of the local cloud, on 127.0.0.1. Each request passes: signature → ordered
 * faults → permissions → the service; and is recorded, whatever came of it.
 */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const services = new Map([...options.services, new StsService()].map((service) => [service.name, service]));
  const server = createServer((message, response) => {
    readRequest(message)
      .then((request) => answer(request, response, services, options))
      // The client went away, or the harness itself failed; either way there is nobody left to be answered.
      .catch(() => response.destroy());
  });
  // Clients keep connections open between rotations; the default of 5 s would make them race with our closing.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The front door has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** What became of a request; no answer means that the connection is cut. */
interface Outcome {
  call: WireCall;
  caller: string;
  error?: string;
  answer: { status: number; headers: Record<string, string>; body: string | Uint8Array } | undefined;
}

async function answer(
  request: WireRequest,
  response: ServerResponse,
  services: Map<string, AwsService>,
  options: FrontDoorOptions,
): Promise<void> {
  const { calls, clock } = options;
  const requestId = randomUUID();
  const at = clock.now();
  const { call, caller, error, answer } = await serve(request, requestId, services, options);
  const { service, operation } = call;
  const failure = answer ? error : "ConnectionCut";
  calls.record({
    at,
    service,
    operation,
    caller,
    status: answer?.status ?? 0,
    ...(failure !== undefined && { error: failure }),
  });
  if (!answer) return void response.destroy();
  const { status, headers, body } = answer;
  // SDKs set their clocks by the Date header: it must be the cloud's. A 204 has no body, and thus no length.
  const date = new Date(clock.now()).toUTCString();
  const length = status === 204 ? {} : { "content-length": String(Buffer.byteLength(body)) };
  response.writeHead(status, { date, "x-amzn-requestid": requestId, ...length, ...headers }).end(body);
}

async function serve(
  request: WireRequest,
  requestId: string,
  services: Map<string, AwsService>,
  { identities, iam, clock, faults, allowedSkewMs = 15 * 60_000 }: FrontDoorOptions,
): Promise<Outcome> {
  const protocol = protocols.find((candidate) => candidate.speaks(request)) ?? jsonProtocol;
  let call: WireCall = { service: "unknown", operation: `${request.method} ${request.target}`, input: {} };
  let caller = "anonymous";
  let fault: Exclude<Fault, { kind: "latency" }> | undefined;
  let outcome: Pick<Outcome, "answer" | "error">;
  try {
    call = protocol.decode(request);
    if (request.tooLarge) throw tooLarge();
    const service = services.get(call.service);
    if (!service)
      throw unknownOperation(`${call.service} is not served here; there are: ${[...services.keys()].join(", ")}.`);
    const signer = verifySignature(request, { identities, now: clock.now(), allowedSkewMs });
    caller = signer.caller.arn;
    const { signingName = service.name } = service;
    if (signer.service !== signingName) {
      throw new AwsError(
        "InvalidSignatureException",
        `Credential should be scoped to correct service: '${signingName}'.`,
      );
    }
    fault = await faults.take(service.name, call.operation);
    if (fault?.kind === "cut" && fault.when === "before") return { call, caller, answer: undefined };
    if (fault?.kind === "gateway" && fault.when === "before") {
      return { call, caller, answer: gatewayAnswer(fault.status, fault.body), error: "gateway" };
    }
    if (fault?.kind === "error") throw new AwsError(fault.code, fault.message, fault.status);
    const { operation, input } = call;
    const authorize = (needed: PermissionNeeded) => iam.authorize(signer.caller, needed);
    const awsRequest = { operation, input, caller: signer.caller, region: signer.region, requestId, authorize };
    for (const needed of service.permissionsFor(awsRequest)) authorize(needed);
    outcome = { answer: protocol.encodeResult(call, await service.handle(awsRequest), requestId) };
  } catch (thrown) {
    const error =
      thrown instanceof AwsError ? thrown : new AwsError("InternalFailure", `The local cloud failed: ${thrown}`, 500);
    outcome = { answer: protocol.encodeError(error, requestId, call.service), error: error.code };
  }
  return { call, caller, ...strike(outcome, fault) };
}

/** What a fault makes of the true answer. */
function strike(
  outcome: Pick<Outcome, "answer" | "error">,
  fault: Fault | undefined,
): Pick<Outcome, "answer" | "error"> {
  switch (fault?.kind) {
    case "cut":
      return { answer: undefined };
    case "gateway":
      return { answer: gatewayAnswer(fault.status, fault.body), error: "gateway" };
    case "garble":
      return { ...outcome, answer: { status: fault.status, headers: fault.headers ?? {}, body: fault.body } };
    case "error":
      // The status as ordered, where the protocol would have given the code another one.
      if (!outcome.answer) return outcome;
      return {
        ...outcome,
        answer: { ...outcome.answer, status: fault.status, headers: { ...outcome.answer.headers, ...fault.headers } },
      };
    default:
      return outcome;
  }
}

function unknownOperation(message: string): AwsError {
  return new AwsError("UnknownOperationException", message, 404);
}

function tooLarge(): AwsError {
  return new AwsError("RequestTooLargeException", `Request must be smaller than ${largestBody} bytes.`, 413);
}

/** Of a body that is too large nothing is kept; the answer does not wait for its end. Rejects when the client goes away. */
function readRequest(message: IncomingMessage): Promise<WireRequest> {
  const { method = "", url: target = "", headers } = message;
  const request = { method, target, headers };
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    const refuse = () => {
      chunks = [];
      // What is still to come is read and thrown away: a client that writes would miss the answer on a closed connection.
      message.removeListener("data", keep).resume();
      resolve({ ...request, body: Buffer.alloc(0), tooLarge: true });
    };
    const keep = (chunk: Buffer) => {
      size += chunk.length;
      if (size > largestBody) refuse();
      else chunks.push(chunk);
    };
    message.on("error", reject).on("end", () => resolve({ ...request, body: Buffer.concat(chunks) }));
    if (Number(headers["content-length"] ?? 0) > largestBody) refuse();
    else message.on("data", keep);
  });
}
