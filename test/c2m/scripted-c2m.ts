import { afterAll, beforeAll, beforeEach } from "vitest";
import { issued, json } from "../harness/client-under-test.ts";
import { type ScriptedServer, startScriptedServer } from "../harness/scripted-server.ts";

/** A C2M for the tests of a file. To each of them it has seen no requests, and issues whatever it is asked for. */
export class ScriptedC2m {
  #server: ScriptedServer | undefined;

  constructor() {
    beforeAll(async () => {
      this.#server = await startScriptedServer();
    });
    beforeEach(() => {
      this.server.requests.length = 0;
      this.server.script(json(201, issued));
    });
    afterAll(() => this.server.close());
  }

  get server(): ScriptedServer {
    if (!this.#server) throw new Error("The server runs while tests do.");
    return this.#server;
  }

  /** The bodies of the issue calls that it received. */
  issueBodies(): Record<string, unknown>[] {
    const issueCalls = this.server.requests.filter(({ path }) => path?.endsWith("/auth/tokens/long"));
    return issueCalls.map(({ body }) => JSON.parse(body));
  }
}
