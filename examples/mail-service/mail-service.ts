import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type C2mFetch, PermanentError, RetryableError } from "../../client/index.ts";

/** What the service is asked to send. */
interface MailJob {
  /** The recipient, as it stands on the envelope. */
  address: string;
  /** What the letter says. */
  letter: string;
}

/**
 * A small HTTP service that sends letters through C2M: `POST /letters` with a {@link MailJob} as JSON.
 *
 * How C2M takes a job is not part of what this repository knows. What stands in its place is the local C2M's `GET /account`,
 * an invention, too: it lets in a token that works. Put your call in `sendToC2m`.
 */
export function createMailService(c2mFetch: C2mFetch): Server {
  return createServer((request, response) => {
    serve(c2mFetch, request, response).catch((error: unknown) => refuse(response, error));
  });
}

async function serve(c2mFetch: C2mFetch, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST" || request.url !== "/letters") return answer(response, 404, { error: "not found" });
  const job = parseJob(await text(request));
  if (!job) return answer(response, 400, { error: "address and letter must be texts" });
  // Who hangs up is no longer waited for.
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const sender = await sendToC2m(c2mFetch, job, gone.signal);
  answer(response, 202, { accepted: true, address: job.address, sender });
}

/** Resolves with the account that the letter is charged to. */
async function sendToC2m(c2mFetch: C2mFetch, _job: MailJob, signal: AbortSignal): Promise<string> {
  const reply = await c2mFetch("/account", { signal });
  if (!reply.ok) throw new Error(`C2M answered HTTP ${reply.status}`);
  const { client_id: clientId } = (await reply.json()) as { client_id: string };
  return clientId;
}

function parseJob(body: string): MailJob | undefined {
  try {
    const { address, letter } = JSON.parse(body) as Partial<MailJob>;
    return typeof address === "string" && typeof letter === "string" ? { address, letter } : undefined;
  } catch {
    return undefined;
  }
}

/** The client's errors say by their class what the caller must do; their messages hold no secret. */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  if (error instanceof RetryableError) {
    const seconds = Math.ceil((error.retryAfterMs ?? 1_000) / 1_000);
    response.setHeader("retry-after", String(seconds));
    answer(response, 503, { error: error.message });
  } else {
    answer(response, error instanceof PermanentError ? 500 : 502, { error: String(error) });
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
