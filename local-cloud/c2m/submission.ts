import { type C2mRequest, header } from "./exchange.ts";
import type { C2mKnobs } from "./knobs.ts";
import { Refusal } from "./refusal.ts";

/** The body of `POST /static`, as it was sent. Fields that nobody knows are kept. */
export type Submission = Readonly<Record<string, unknown>>;

type Fields = Record<string, unknown>;
type Rule = "MISSING_REQUIRED_FIELD" | "INVALID_ONEOF" | "MUTUAL_EXCLUSION_VIOLATION" | "INVALID_FORMAT";

/** What is wrong with a field. The status is that of the knob. */
class InvalidField extends Error {
  readonly rule: Rule;

  constructor(rule: Rule, message: string) {
    super(message);
    this.rule = rule;
  }
}

const addressFields = ["firstName", "lastName", "address1", "city", "state", "zip", "country"];
const jobOptionFields = [
  ...["documentClass", "layout", "productionTime", "envelope", "color", "paperType", "printOption", "mailClass"],
];

/**
 * The submission in a request. Throws the 400 or 422 that names the field, never its value. What the documents disagree on
 * is read leniently: which form tells the document and the recipient, and the name of a field that holds an id.
 */
export function submissionOf(request: C2mRequest, knobs: C2mKnobs): Submission {
  const body = jsonBody(request);
  try {
    checkDocument(required(body, "docSourceAll"));
    checkRecipient(required(body, "recipientAddressSource"));
    checkOptions(body);
    if (isGiven(body.returnAddress)) checkReturnAddress(body.returnAddress);
    if (isGiven(body.paymentDetails)) fieldsOf(body.paymentDetails, "paymentDetails");
    if (isGiven(body.tags)) checkTags(body.tags);
  } catch (error) {
    if (error instanceof InvalidField) throw new Refusal(knobs.invalidJobStatus, error.rule, error.message);
    throw error;
  }
  return body;
}

/** `{documentIdSource: {documentId}}`, `{requestIdSource: {requestId}}`, `{url}`, or an id. */
function checkDocument(value: unknown): void {
  const at = "docSourceAll";
  const form = formOf(value, at, ["documentIdSource", "requestIdSource", "url"]);
  if (form === undefined) return;
  const [name, content] = form;
  if (name !== "url") checkId(content, `${at}.${name}`);
  else if (!/^https?:\/\//i.test(textOf(content, `${at}.url`)) || !URL.canParse(String(content))) {
    throw new InvalidField("INVALID_FORMAT", `${at}.url must be an http(s) URL`);
  }
}

/** `{singleAddress: {…}}`, `{recipientAddressByList: {addressList: [{…}]}}`, or the id of a stored address or list. */
function checkRecipient(value: unknown): void {
  const at = "recipientAddressSource";
  const form = formOf(value, at, ["singleAddress", "recipientAddressByList"]);
  if (form === undefined) return;
  const [name, content] = form;
  if (name === "singleAddress") {
    checkAddress(content, `${at}.${name}`);
    return;
  }
  const list = required(fieldsOf(content, `${at}.${name}`), "addressList", `${at}.${name}.`);
  if (!Array.isArray(list) || list.length === 0) {
    throw new InvalidField("INVALID_FORMAT", `${at}.${name}.addressList must be a list of at least one address`);
  }
  for (const [index, address] of list.entries()) checkAddress(address, `${at}.${name}.addressList[${index}]`);
}

function checkReturnAddress(value: unknown): void {
  if (!isId(value) && idIn(value) === undefined) checkAddress(value, "returnAddress");
}

function checkAddress(value: unknown, at: string): void {
  const address = fieldsOf(value, at);
  for (const field of addressFields) textOf(required(address, field, `${at}.`), `${at}.${field}`);
  for (const field of ["address2", "address3"]) {
    if (isGiven(address[field]) && typeof address[field] !== "string") {
      throw new InvalidField("INVALID_FORMAT", `${at}.${field} must be a text`);
    }
  }
}

function checkOptions({ jobTemplate, jobOptions }: Fields): void {
  if (isGiven(jobTemplate) && isGiven(jobOptions)) {
    throw new InvalidField("MUTUAL_EXCLUSION_VIOLATION", "jobTemplate and jobOptions can't be given together");
  }
  if (isGiven(jobTemplate)) textOf(jobTemplate, "jobTemplate");
  if (!isGiven(jobOptions)) return;
  const options = fieldsOf(jobOptions, "jobOptions");
  for (const field of jobOptionFields) textOf(required(options, field, "jobOptions."), `jobOptions.${field}`);
}

function checkTags(tags: unknown): void {
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string")) {
    throw new InvalidField("INVALID_FORMAT", "tags must be a list of texts");
  }
}

/** Which of the forms it is, and what is in it; undefined for an id. Throws where it is none of them, or several. */
function formOf(value: unknown, at: string, forms: string[]): [name: string, content: unknown] | undefined {
  if (isId(value)) return undefined;
  const fields = fieldsOf(value, at);
  const given = forms.filter((form) => isGiven(fields[form]));
  const [form] = given;
  if (form !== undefined && given.length === 1 && idIn(value) === undefined) return [form, fields[form]];
  if (form === undefined && idIn(value) !== undefined) return undefined;
  throw new InvalidField("INVALID_ONEOF", `${at} must be exactly one of ${forms.join(", ")} and an id`);
}

function checkId(value: unknown, at: string): void {
  if (!isId(value) && idIn(fieldsOf(value, at)) === undefined) {
    throw new InvalidField("INVALID_FORMAT", `${at} must hold an id: a positive whole number`);
  }
}

/** Some documents name ids by what they are of: `{documentId: 1}`, `{addressListId: 1}`. */
function idIn(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([field, id]) => /Id$/.test(field) && isId(id))?.[1];
}

/** Earlier versions wrote ids as texts. */
function isId(value: unknown): boolean {
  return typeof value === "string" ? /^0*[1-9]\d*$/.test(value) : Number.isSafeInteger(value) && Number(value) > 0;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function required(fields: Fields, field: string, at = ""): unknown {
  const value = fields[field];
  if (!isGiven(value) || value === "") throw new InvalidField("MISSING_REQUIRED_FIELD", `${at}${field} is required`);
  return value;
}

function textOf(value: unknown, at: string): string {
  if (typeof value !== "string" || value.trim() === "") {
    throw new InvalidField("INVALID_FORMAT", `${at} must be a text that is not blank`);
  }
  return value;
}

function fieldsOf(value: unknown, at: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidField("INVALID_FORMAT", `${at} must be an object`);
  }
  return { ...value };
}

function jsonBody(request: C2mRequest): Fields {
  const invalidJson = (message: string) => new Refusal(400, "INVALID_JSON", message);
  if (!/^application\/json *(;|$)/i.test(header(request, "content-type") ?? "")) {
    throw invalidJson("Content-Type must be application/json");
  }
  let body: unknown;
  try {
    body = JSON.parse(request.body.toString());
  } catch {
    throw invalidJson("The body is not JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalidJson("The body must be an object");
  }
  return { ...body };
}
