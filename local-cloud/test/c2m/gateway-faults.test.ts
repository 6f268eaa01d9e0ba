import { describe, expect, test } from "vitest";
import { type Reply, startLocalC2m } from "./local-c2m.ts";

const statuses = [200, 202, 401, 403, 404, 502, 503];
const bodies = ["html", "message", "empty"] as const;

type C2m = Awaited<ReturnType<typeof startLocalC2m>>;

/** Every call, with what shows at C2M whether it was done. */
const calls: Record<
  string,
  { call: (c2m: C2m, token: string, id: string) => Promise<Reply>; done: (c2m: C2m) => number }
> = {
  issueLongTermToken: {
    call: (c2m) => c2m.issue(),
    done: ({ engine }) => engine.tokens.filter(({ kind }) => kind === "long").length - 1,
  },
  issueShortTermToken: {
    call: (c2m, token) => c2m.exchange(token),
    done: ({ engine }) => engine.tokens.filter(({ kind }) => kind === "short").length,
  },
  revokeToken: {
    call: (c2m, token, id) => c2m.revoke(id, token),
    done: ({ engine }) => 1 - engine.liveLongTokens().length,
  },
  submitStatic: { call: (c2m, token) => c2m.submit(token), done: ({ engine }) => engine.jobs.all.length },
};

function expected(status: number, body: (typeof bodies)[number]): [type: string | null, body: RegExp] {
  const words = { 200: "OK", 202: "Accepted", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found" }[status];
  switch (body) {
    case "html":
      return ["text/html", new RegExp(`^<html>.*${status}`)];
    case "message":
      return ["application/json", new RegExp(`^\\{"message":"${words ?? "[A-Z][a-zA-Z ]+"}"\\}$`)];
    case "empty":
      return [null, /^$/];
  }
}

describe.each(Object.entries(calls))("the gateway in front of %s", (operation, { call, done }) => {
  describe.each(["before", "after"] as const)("answers by itself, %s the call is done,", (when) => {
    const answers = statuses.flatMap((status) => bodies.map((body) => ({ status, body })));
    test.each(answers)("with $status and $body", async ({ status, body }) => {
      const c2m = await startLocalC2m({ rateLimitPerMinute: 100 });
      const { json } = await c2m.issue();
      c2m.faults.add({ service: "c2m", operation, fault: { kind: "gateway", status, body, when } });
      const reply = await call(c2m, String(json.access_token), String(json.token_id));
      const [type, text] = expected(status, body);
      expect([reply.status, reply.headers.get("content-type"), reply.headers.get("x-token-id")]).toEqual([
        status,
        type,
        null,
      ]);
      expect(reply.text).toMatch(text);
      expect(done(c2m)).toBe(when === "before" ? 0 : 1);
      expect(c2m.calls.calls.at(-1)).toMatchObject({ operation, status, error: "gateway" });
      expect(c2m.exchanges.at(-1)?.faulty).toBe(true);
    });
  });
});

test("C2M's own 404 has its code, the gateway's has none", async () => {
  const c2m = await startLocalC2m();
  const { json } = await c2m.issue();
  expect((await c2m.revoke("tok_lt_000000", json.access_token)).json).toEqual({
    code: "not_found",
    message: "No such token",
  });
  const fault = { kind: "gateway", status: 404, body: "message", when: "before" } as const;
  c2m.faults.add({ service: "c2m", operation: "revokeToken", fault });
  expect((await c2m.revoke("tok_lt_000000", json.access_token)).json).toEqual({ message: "Not Found" });
});
