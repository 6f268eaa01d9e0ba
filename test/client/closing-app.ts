/** In a process of its own: closes sources while exchanges wait for a C2M that is down, and prints what is left. */
import { createServer } from "node:http";
import { createC2mFetch, createTokenSource } from "../../client/index.ts";

const value = { access_token: "long", expires_at: "2099-01-01T00:00:00Z", client_id: "c" };
const secretsManager = { send: async () => ({ $metadata: {}, SecretString: JSON.stringify(value) }) };
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "served",
    (error: { code?: string }) => error.code,
  );

// One that takes connections and never answers, and one that takes none.
const silent = createServer(() => undefined).listen(0, "127.0.0.1");
await new Promise((resolve) => silent.once("listening", resolve));
const { port } = silent.address() as { port: number };
const sources = [`http://127.0.0.1:${port}/v2`, "http://127.0.0.1:9/v2"].map((baseUrl) =>
  createTokenSource({ secretId: "s", secretsManager, baseUrl }),
);
const asked = new Promise((resolve) => silent.once("request", resolve));
const waiting = sources.map((tokens) => codeOf(tokens.getShortTermToken()));
for (const tokens of sources.slice(0, 1)) {
  waiting.push(codeOf(createC2mFetch(tokens)("/static", { method: "POST", body: "x" })));
}
await asked;
for (const tokens of sources) tokens.close();
const told = await Promise.all(waiting);
silent.close();
silent.closeAllConnections();
await new Promise((resolve) => silent.once("close", resolve));
const alive = () => process.getActiveResourcesInfo().filter((name) => /^(Timeout|TCP)/.test(name));
// Handles take some turns to close.
for (let turn = 0; turn < 1_000 && alive().length > 0; turn += 1) await new Promise((resolve) => setImmediate(resolve));
console.log(JSON.stringify({ waiting: told, alive: alive() }));
