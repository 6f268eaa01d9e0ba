import type { AwsError } from "./service.ts";
import type { WireRequest } from "./sigv4.ts";

/** A request understood: which service is asked to do what. */
export interface WireCall {
  service: string;
  operation: string;
  input: Record<string, unknown>;
}

export interface WireAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** One of the ways in which AWS's services are spoken to. */
export interface WireProtocol {
  /** The call, or undefined when the request is not of this protocol. Throws AwsError when it is, but can't be read. */
  decode(request: WireRequest): WireCall | undefined;
  encodeResult(call: WireCall, output: Record<string, unknown>, requestId: string): WireAnswer;
  encodeError(error: AwsError, requestId: string): WireAnswer;
}
