import type { C2mFrontDoor } from "../../local-cloud/c2m/front-door.ts";
import { type HttpSend, TransportError } from "../../src/c2m/http.ts";

/** The client's HTTP, straight to the local C2M. */
export function sendTo(frontDoor: C2mFrontDoor, baseUrl: string): HttpSend {
  return async ({ method, url, headers, body }) => {
    if (url.origin !== new URL(baseUrl).origin) throw new Error("A request to another host");
    const path = url.pathname.slice(new URL(baseUrl).pathname.length);
    const answer = await frontDoor.serve({ method, path, headers, body: body ?? "", baseUrl });
    if (answer === "cut") throw new TransportError(true, "ECONNRESET");
    return {
      status: answer.status,
      headers: answer.headers,
      body: typeof answer.body === "string" ? answer.body : new TextDecoder().decode(answer.body),
      bodyFault: undefined,
    };
  };
}
