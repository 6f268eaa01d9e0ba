import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type C2mFetch, type JobsErrorKind, type Letter, RetryableError, sendLetter } from "../../client/index.ts";

/** What callers get for what C2M refuses; the token's troubles are this service's, not theirs. */
const statuses: Partial<Record<JobsErrorKind, number>> = { invalid: 400, not_found: 404, rate_limited: 503 };

/**
 * A small HTTP service that sends letters through C2M: `POST /letters` with a {@link Letter} as JSON. It answers 202 where
 * C2M took the letter, and 504 where nobody knows: such a letter must not be sent again before somebody has looked.
 *
 * Nobody here has seen a real answer of C2M's jobs calls: what is known of them are their description and their clients.
 */
export function createMailService(c2mFetch: C2mFetch): Server {
  return createServer((request, response) => {
    serve(c2mFetch, request, response).catch((error: unknown) => fail(response, error));
  });
}

async function serve(c2mFetch: C2mFetch, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST" || request.url !== "/letters") return answer(response, 404, { error: "not found" });
  const letter = parseLetter(await text(request));
  if (!letter) {
    return answer(response, 400, {
      error: "docSourceAll and recipientAddressSource must be there (see C2M's POST /static)",
    });
  }
  // A caller who hangs up meanwhile does not end it: it would be a letter that may be sent or not.
  const sent = await sendLetter(c2mFetch, letter);
  if (sent.outcome === "accepted") return answer(response, 202, sent);
  if (sent.outcome === "unknown") {
    console.error(`A letter may have been sent or not: ${sent.reason}`);
    return answer(response, 504, sent);
  }
  answer(response, statuses[sent.error.kind] ?? 500, sent);
}

function parseLetter(body: string): Letter | undefined {
  try {
    const letter = JSON.parse(body) as Partial<Letter>;
    const isLetter = letter.docSourceAll !== undefined && letter.recipientAddressSource !== undefined;
    return isLetter ? (letter as Letter) : undefined;
  } catch {
    return undefined;
  }
}

/** The client's errors say by their class what the caller must do; their messages hold no secret. Nothing was sent. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  const isTemporary = error instanceof RetryableError;
  if (isTemporary) response.setHeader("retry-after", String(Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)));
  answer(response, isTemporary ? 503 : 500, { outcome: "not_sent", reason: String(error) });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
