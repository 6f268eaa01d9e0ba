import type { C2mAnswer } from "../../../local-cloud/c2m/exchange.ts";
import { type HttpAnswer, type HttpSend, TransportError } from "../../../src/c2m/http.ts";
import { anotherIdOf } from "./c2m-client.ts";
import type { Trouble } from "./effects.ts";
import type { FunctionRun } from "./function-run.ts";
import type { OddIssue } from "./moves.ts";
import type { World } from "./parts.ts";

/** Straight to the engine of the C2M that the URL leads to; what a gateway says in its place is said here. */
export function c2mPort(world: World, run: FunctionRun): HttpSend {
  const { effects, c2ms, watch } = world;
  return async (call) => {
    const to = c2ms.behind(call.url);
    if (!to) throw new Error("A request to a host that nobody named.");
    watch.sent(run, to.baseUrl, call);
    const { baseUrl, engine } = to;
    const { method, url, headers, body = "" } = call;
    const request = { method, path: url.href.slice(baseUrl.length), headers, body, baseUrl };
    const { operation = "unknown" } = engine.identify(request);
    const perform = async (done: () => void, asked = request) => {
      const pending = engine.answer(asked);
      done();
      return answerOf(await pending);
    };
    return await effects.request(run, {
      service: "c2m",
      operation,
      mutates: true,
      subject: subjectOf(request.path),
      perform,
      troubled: async (trouble, done) => {
        switch (trouble) {
          case "lost":
            await perform(done);
            throw new TransportError(true, "ECONNRESET");
          case "cut":
            throw new TransportError(true, "ECONNRESET");
          case "down":
            throw new TransportError(false, "ECONNREFUSED");
          case "same-token":
            return sameAgain(world, baseUrl, headers["x-client-id"]) ?? (await perform(done));
          case "no-id":
            return withoutId(await perform(done));
          case "other-id":
            return withAnotherId(await perform(done));
          case "fewer-scopes":
            return await perform(done, { ...request, body: withoutScope(body) });
          case "long-token":
            return withLongToken(await perform(done));
          case "gateway-json":
            watch.happened.claimed.add(subjectOf(request.path));
            return fromGateway[trouble];
          case "limit":
            throw new Error("C2M has no such limit.");
          default:
            return fromGateway[trouble];
        }
      },
    });
  };
}

type GatewayTrouble = Exclude<Trouble, "lost" | "cut" | "down" | "limit" | OddIssue>;

const html = (status: number): HttpAnswer => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><body><h1>${status}</h1></body></html>`,
  bodyFault: undefined,
});

const json = (status: number, body: object): HttpAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
  bodyFault: undefined,
});

const fromGateway: Record<GatewayTrouble, HttpAnswer> = {
  refused: json(429, { message: "as ordered" }),
  error: json(500, { message: "as ordered" }),
  denied: json(403, { message: "as ordered" }),
  "gateway-401": json(401, { message: "Unauthorized" }),
  "gateway-404": json(404, { message: "Not Found" }),
  "gateway-403": html(403),
  "gateway-down": html(403),
  "gateway-502": html(502),
  "gateway-200": html(200),
  "gateway-json": json(200, { status: "ok" }),
};

function answerOf({ status, headers, body }: C2mAnswer): HttpAnswer {
  return { status, headers, body, bodyFault: undefined };
}

/** The answer with which the newest long token that lives was issued; undefined where there is none. */
function sameAgain(
  { c2ms, clock, effects, watch }: World,
  baseUrl: string,
  clientId: string | undefined,
): HttpAnswer | undefined {
  const engine = c2ms.at(baseUrl);
  const token = engine?.liveLongTokens().findLast((one) => one.clientId === clientId);
  if (!engine || !token) return undefined;
  watch.happened.givenAgain.set(token.id, effects.count);
  const { accessToken: access_token, id: token_id, scopes, expiresAt } = token;
  return json(201, {
    token_type: "Bearer",
    access_token,
    ...(engine.knobs.tokenIdInBody ? { token_id } : {}),
    scopes,
    expires_in: Math.floor((expiresAt - clock.now()) / 1_000),
    expires_at: new Date(expiresAt).toISOString(),
  });
}

function withoutId(answer: HttpAnswer): HttpAnswer {
  if (answer.status >= 300) return answer;
  const { "x-token-id": _, ...headers } = answer.headers;
  const { token_id: __, ...body } = JSON.parse(answer.body) as Record<string, unknown>;
  return { ...answer, headers, body: JSON.stringify(body) };
}

/** The id in the header is the token's. */
function withAnotherId(answer: HttpAnswer): HttpAnswer {
  const tokenId = answer.headers["x-token-id"];
  if (answer.status >= 300 || tokenId === undefined) return answer;
  const body = { ...(JSON.parse(answer.body) as object), token_id: anotherIdOf(tokenId) };
  return { ...answer, body: JSON.stringify(body) };
}

/** Nobody can use it, since C2M knows it by another text. */
function withLongToken(answer: HttpAnswer): HttpAnswer {
  if (answer.status >= 300) return answer;
  return { ...answer, body: JSON.stringify({ ...(JSON.parse(answer.body) as object), access_token: tooLongToStore }) };
}

/** Secrets Manager stores 65,536 bytes. */
const tooLongToStore = "t".repeat(65_537);

function withoutScope(body: string): string {
  const asked = JSON.parse(body) as { scopes?: string[] };
  return JSON.stringify({ ...asked, scopes: (asked.scopes ?? []).filter((scope) => scope !== "tokens:revoke") });
}

/** The token id in the path of a revocation. */
export function subjectOf(path: string): string {
  return decodeURIComponent(/tokens\/([^/]+)\/revoke$/.exec(path)?.[1] ?? "");
}
