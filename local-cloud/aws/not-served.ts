import { AwsError } from "./service.ts";
import { scopedService, type WireRequest } from "./sigv4.ts";
import type { WireAnswer, WireProtocol } from "./wire-protocol.ts";
import { escapeXml, isForm, queryError } from "./xml.ts";

/**
 * The protocols of services that are not here, each with the error that its SDKs can read: so that whoever asks for one is told so, and
 * is not left with a signature error or an answer that can't be parsed. The last one takes every request.
 */
export const notServedProtocols: WireProtocol[] = [
  refusing("the query protocol of EC2", (request) => isForm(request) && scopedService(request) === "ec2", ec2Error),
  refusing("the query protocol", isForm, (error, requestId) =>
    xml(error, queryError(error.code, error.message, requestId)),
  ),
  refusing("CBOR", ({ headers }) => headers["smithy-protocol"] === "rpc-v2-cbor", cborError),
  refusing("REST", (request) => scopedService(request) === "s3", s3Error),
  refusing("REST", () => true, jsonError),
];

type ErrorEncoder = (error: AwsError, requestId: string) => WireAnswer;

function refusing(name: string, speaks: (request: WireRequest) => boolean, encodeError: ErrorEncoder): WireProtocol {
  return {
    speaks,
    decode(request) {
      const asked = `${request.method} ${request.target}`;
      const service = scopedService(request);
      if (service !== undefined) return { service: `${service} (by ${name})`, operation: asked, input: {} };
      throw new AwsError("UnknownOperationException", `${asked} is no AWS request that is known here.`, 404);
    },
    encodeResult: () => {
      throw new Error(`Nothing is served by ${name}.`);
    },
    encodeError,
  };
}

function xml({ status }: AwsError, body: string): WireAnswer {
  return { status, headers: { "content-type": "text/xml" }, body };
}

function ec2Error(error: AwsError, requestId: string): WireAnswer {
  const { code, message } = error;
  const inner = `<Errors><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error></Errors>`;
  return xml(error, `<Response>${inner}<RequestID>${requestId}</RequestID></Response>`);
}

function s3Error(error: AwsError, requestId: string): WireAnswer {
  const { code, message } = error;
  const inner = `<Code>${code}</Code><Message>${escapeXml(message)}</Message><RequestId>${requestId}</RequestId>`;
  return xml(error, `<Error>${inner}</Error>`);
}

function jsonError({ code, message, status }: AwsError): WireAnswer {
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": code },
    body: JSON.stringify({ __type: code, message }),
  };
}

function cborError({ code, message, status }: AwsError): WireAnswer {
  const headers = { "content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor" };
  // A map of two entries.
  const body = Buffer.concat([Buffer.of(0xa2), ...["__type", code, "message", message].map(cborText)]);
  return { status, headers, body };
}

/** RFC 8949: major type 3 with a length of two bytes. */
function cborText(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 0xffff);
  return Buffer.concat([Buffer.of(0x79, bytes.length >> 8, bytes.length & 0xff), bytes]);
}
