import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { bearer, type C2mAnswer, type C2mRequest, header } from "./exchange.ts";

interface Content {
  [type: string]: { schema: object };
}

interface Response {
  $ref?: string;
  headers?: Record<string, { schema: object }>;
  content?: Content;
}

interface Operation {
  operationId: string;
  security: Record<string, string[]>[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, Response>;
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Response> };
}

// `merge` is what `<<` stands for; YAML 1.2 dropped it from its core.
const description: Description = parse(readFileSync(new URL("openapi.yaml", import.meta.url), "utf8"), { merge: true });
// "strictRequired" is off because the mechanisms are told apart by fields that are declared one level up.
const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
addFormats.default(ajv);
ajv.addVocabulary(["components"]);
const validators = new Map<object, ValidateFunction>();

/**
 * Everything about a request and its answer that the description (`openapi.yaml`) does not allow; empty when all is as it
 * should be. Paths lie below the base URL. The stand-in `GET /account` is not described and passes.
 */
export function checkExchange(request: C2mRequest, answer: Pick<C2mAnswer, "status" | "headers" | "body">): string[] {
  return [...checkRequest(request), ...checkAnswer(request, answer)];
}

/** The request's half: what a client must keep to. Values are never repeated in the problems. */
export function checkRequest(request: C2mRequest): string[] {
  if (isStandIn(request)) return [];
  const operation = operationOf(request);
  if (!operation) return [`request: ${request.method} ${request.path} is not an operation of the API`];
  return [...checkSecurity(operation, request), ...checkRequestBody(operation, request)].map(
    (problem) => `request: ${operation.operationId}: ${problem}`,
  );
}

/** The answer's half: what the server must keep to, whatever it was asked. */
export function checkAnswer(request: C2mRequest, answer: Pick<C2mAnswer, "status" | "headers" | "body">): string[] {
  const operation = isStandIn(request) ? undefined : operationOf(request);
  // What does not exist is not described.
  if (!operation) return [];
  const declared = operation.responses[answer.status];
  const problems = declared
    ? [...checkHeaders(resolve(declared), answer), ...checkAnswerBody(resolve(declared), answer)]
    : ["the status is not declared"];
  return problems.map((problem) => `answer: ${operation.operationId} ${answer.status}: ${problem}`);
}

function isStandIn({ method, path }: C2mRequest): boolean {
  return method === "GET" && path === "/account";
}

function operationOf({ method, path }: C2mRequest): Operation | undefined {
  // The description has no query parameters: a path with one is none of its paths.
  for (const [template, item] of Object.entries(description.paths)) {
    const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, "[A-Za-z0-9%._~!$&'()*+,;=:@-]+")}$`);
    if (pattern.test(path)) return item[method.toLowerCase()];
  }
  return undefined;
}

function resolve(response: Response): Response {
  const name = response.$ref?.replace("#/components/responses/", "");
  return name === undefined ? response : (description.components.responses[name] ?? response);
}

function checkSecurity(operation: Operation, request: C2mRequest): string[] {
  const shown = { ClientKey: header(request, "x-client-id"), BearerToken: bearer(request) };
  const problems: string[] = [];
  const schemes = operation.security.flatMap((alternative) => Object.keys(alternative));
  const used = Object.entries(shown).filter(([, credential]) => credential !== undefined && credential !== "");
  for (const [scheme] of used) if (!schemes.includes(scheme)) problems.push(`${scheme} is not for this call`);
  if (used.length === 0) problems.push(`needs one of ${schemes.join(", ")}`);
  if (header(request, "authorization") !== undefined && shown.BearerToken === undefined) {
    problems.push("the Authorization header is not a bearer token's");
  }
  const body = shown.BearerToken === undefined ? undefined : parsed(String(request.body));
  const proofs = ["client_secret", "otp_code", "assertion"];
  if (typeof body === "object" && body !== null && proofs.some((field) => field in body)) {
    problems.push("a bearer token and other credentials are alternatives");
  }
  return problems;
}

function checkRequestBody({ requestBody }: Operation, request: C2mRequest): string[] {
  const body = String(request.body);
  if (!requestBody) return body === "" ? [] : ["has a body, but the call takes none"];
  if (body === "") return requestBody.required ? ["has no body"] : [];
  return checkContent(requestBody.content, header(request, "content-type"), body);
}

function checkHeaders({ headers = {} }: Response, answer: Pick<C2mAnswer, "headers">): string[] {
  return Object.entries(headers).flatMap(([name, { schema }]) => {
    const value = header(answer, name.toLowerCase());
    return value === undefined ? [] : checkValue(schema, value, `header ${name}`);
  });
}

function checkAnswerBody({ content }: Response, answer: Pick<C2mAnswer, "status" | "headers" | "body">): string[] {
  if (!content) return answer.body === "" ? [] : ["has a body, but none is declared"];
  // A gateway's error may be empty.
  if (answer.body === "" && answer.status >= 400) return [];
  return checkContent(content, header(answer, "content-type"), answer.body);
}

function checkContent(content: Content, contentType: string | undefined, body: string): string[] {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  const declared = type === undefined ? undefined : content[type];
  if (!declared) return [`content-type must be one of ${Object.keys(content).join(", ")}`];
  if (type !== "application/json") return checkValue(declared.schema, body, "body");
  const value = parsed(body);
  return value === undefined ? ["body is not JSON"] : checkValue(declared.schema, value, "body");
}

function checkValue(schema: object, value: unknown, what: string): string[] {
  const validate = validators.get(schema) ?? ajv.compile({ components: description.components, ...schema });
  validators.set(schema, validate);
  if (validate(value)) return [];
  // Ajv's messages name the rule and the place, not the value.
  return (validate.errors ?? []).map(({ instancePath, message }) => `${what}${instancePath} ${message}`);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
