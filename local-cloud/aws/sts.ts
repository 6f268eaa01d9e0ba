import { AwsError, type AwsRequest, type AwsService } from "./service.ts";
import { scopedService } from "./sigv4.ts";
import type { WireProtocol } from "./wire-protocol.ts";
import { escapeXml, isForm, queryError } from "./xml.ts";

const headers = { "content-type": "text/xml" };
const namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/** STS's query protocol: a form in, XML out. */
export const stsQuery: WireProtocol = {
  speaks(request) {
    // Nobody's signature: STS, too, says that one is missing.
    return isForm(request) && (scopedService(request) ?? "sts") === "sts";
  },
  decode({ body }) {
    const { Action: operation = "", ...input } = Object.fromEntries(new URLSearchParams(body.toString()));
    return { service: "sts", operation, input };
  },
  encodeResult({ operation }, output, requestId) {
    const fields = Object.entries(output).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`);
    const result = `<${operation}Result>${fields.join("")}</${operation}Result>${metadata(requestId)}`;
    return {
      status: 200,
      headers,
      body: `<${operation}Response xmlns="${namespace}">${result}</${operation}Response>`,
    };
  },
  encodeError({ code, message, status }, requestId) {
    return { status, headers, body: queryError(code, message, requestId, namespace) };
  },
};

/** GetCallerIdentity, with which everybody checks whom their keys stand for. It needs no permission, as on AWS. */
export class StsService implements AwsService {
  readonly name = "sts";

  permissionsFor(): [] {
    return [];
  }

  async handle({ operation, caller }: AwsRequest): Promise<Record<string, unknown>> {
    if (operation !== "GetCallerIdentity") {
      throw new AwsError("InvalidAction", `sts:${operation} is not there; there is: GetCallerIdentity.`);
    }
    return { Arn: caller.arn, UserId: caller.arn, Account: caller.accountId };
  }
}

function metadata(requestId: string): string {
  return `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
}
