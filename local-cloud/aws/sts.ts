import { AwsError, type AwsRequest, type AwsService } from "./service.ts";
import type { WireProtocol } from "./wire-protocol.ts";

const headers = { "content-type": "text/xml" };
const namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/** STS's query protocol: a form in, XML out. */
export const stsQuery: WireProtocol = {
  decode({ method, headers, body }) {
    if (method !== "POST" || !headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
      return undefined;
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
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
    const body = `<ErrorResponse xmlns="${namespace}">${error}<RequestId>${requestId}</RequestId></ErrorResponse>`;
    return { status, headers, body };
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

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
