import type { WireAnswer, WireCall, WireProtocol } from "./wire-protocol.ts";

const root = "/2015-03-31/functions";

// Lambda is a REST service: its errors have the statuses of HTTP, where AwsError's default is the 400 of the JSON services.
const statusByCode = new Map([
  ["AccessDeniedException", 403],
  ["MissingAuthenticationTokenException", 403],
  ["UnrecognizedClientException", 403],
  ["InvalidSignatureException", 403],
  ["IncompleteSignatureException", 403],
]);

/** Lambda's REST API (2015-03-31), as far as functions are invoked and looked at. */
export const lambdaRest: WireProtocol = {
  speaks({ target }) {
    const { pathname } = new URL(target, "http://lambda");
    return pathname === root || pathname.startsWith(`${root}/`);
  },
  decode({ method, target, headers, body }) {
    const { pathname, searchParams } = new URL(target, "http://lambda");
    const [name, action, ...rest] = pathname
      .slice(root.length + 1)
      .split("/")
      .map(decodeURIComponent);
    const call = (operation: string, input: Record<string, unknown> = {}): WireCall => ({
      service: "lambda",
      operation,
      input,
    });
    if (!name) return call(method === "GET" ? "ListFunctions" : `${method} ${pathname}`);
    const qualifier = searchParams.get("Qualifier");
    const input = { FunctionName: name, ...(qualifier !== null && { Qualifier: qualifier }) };
    const route = rest.length === 0 ? `${method} ${action ?? ""}`.trim() : "";
    if (route === "POST invocations") {
      return call("Invoke", {
        ...input,
        InvocationType: headers["x-amz-invocation-type"] ?? "RequestResponse",
        LogType: headers["x-amz-log-type"] ?? "None",
        Payload: body.toString(),
      });
    }
    if (route === "GET") return call("GetFunction", input);
    if (route === "GET configuration") return call("GetFunctionConfiguration", input);
    if (route === "GET policy") return call("GetPolicy", input);
    return call(`${method} ${pathname}`, input);
  },
  encodeResult: (call, output) => (call.operation === "Invoke" ? invokeAnswer(output) : json(200, output)),
  encodeError: ({ code, message, status }) => ({
    status: statusByCode.get(code) ?? status,
    headers: { "content-type": "application/json", "x-amzn-errortype": code },
    body: JSON.stringify({ Type: status >= 500 ? "Service" : "User", Message: message, message }),
  }),
};

/** Invoke answers in headers; the body is the function's own. */
function invokeAnswer(output: Record<string, unknown>): WireAnswer {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (output.FunctionError !== undefined) headers["x-amz-function-error"] = String(output.FunctionError);
  if (output.LogResult !== undefined) headers["x-amz-log-result"] = String(output.LogResult);
  if (output.ExecutedVersion !== undefined) headers["x-amz-executed-version"] = String(output.ExecutedVersion);
  return { status: Number(output.StatusCode), headers, body: String(output.Payload ?? "") };
}

function json(status: number, output: Record<string, unknown>): WireAnswer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(output) };
}
