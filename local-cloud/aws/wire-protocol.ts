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
  body: string | Uint8Array;
}

/** One of the ways in which AWS's services are spoken to. */
export interface WireProtocol {
  /** Whether a request is of this protocol, by its first line and headers. */
  speaks(request: WireRequest): boolean;
  /** The call. Throws AwsError when it can't be read. */
  decode(request: WireRequest): WireCall;
  encodeResult(call: WireCall, output: Record<string, unknown>, requestId: string): WireAnswer;
  /** `service` is whom the call is for; `unknown` where that could not be read. */
  encodeError(error: AwsError, requestId: string, service: string): WireAnswer;
}
