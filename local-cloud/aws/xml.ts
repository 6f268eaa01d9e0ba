import type { WireRequest } from "./sigv4.ts";

/** Whether a request is a form, as AWS's query protocol sends its calls. */
export function isForm({ method, headers }: WireRequest): boolean {
  return method === "POST" && headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
}

/** An error as services with the query protocol answer it. */
export function queryError(code: string, message: string, requestId: string, namespace?: string): string {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
  const xmlns = namespace === undefined ? "" : ` xmlns="${namespace}"`;
  return `<ErrorResponse${xmlns}>${error}<RequestId>${requestId}</RequestId></ErrorResponse>`;
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
