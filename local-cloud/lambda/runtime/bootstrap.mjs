// The runtime in a function's process: loads the handler, then asks the Runtime API for one invocation after the other.
// As AWS's own runtime client for Node.js 24, by documented behaviour.
import { patchConsole } from "./console.mjs";
import { contextFor } from "./context.mjs";
import { errorBody, runtimeError } from "./function-errors.mjs";
import { loadHandler } from "./load-handler.mjs";

// ESM's node:http would load all of undici.
const { Agent, request } = process.getBuiltinModule("node:http");
const { Socket } = process.getBuiltinModule("node:net");
const { writeSync } = process.getBuiltinModule("node:fs");

// The harness holds the other end. When it is gone, nobody else will end this process.
new Socket({ fd: 4 })
  .on("close", () => process.exit(1))
  .resume()
  .unref();

const environment = process.env;
// What the shell added, through which the process was started.
for (const name of ["PWD", "OLDPWD", "SHLVL", "_"]) delete environment[name];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let requestId;

patchConsole({
  logFormat: environment.AWS_LAMBDA_LOG_FORMAT,
  requestId: () => requestId,
  write: (line) => writeSync(1, line),
});

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const url = `http://${environment.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/${path}`;
    const outgoing = request(url, { method, agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function reportError(thrown) {
  const body = errorBody(thrown);
  const { errorType, errorMessage, trace } = body;
  if (environment.AWS_LAMBDA_LOG_FORMAT === "JSON") console.error({ errorType, errorMessage, stackTrace: trace });
  else console.error("Invoke Error", `\t${JSON.stringify({ errorType, errorMessage, stack: trace })}`);
  await call("POST", requestId === undefined ? "init/error" : `invocation/${requestId}/error`, JSON.stringify(body));
}

/** Reports and ends the process; the environment can't be used again. */
async function die(thrown, exitCode) {
  try {
    await reportError(thrown);
  } finally {
    // Also when nobody is there any more to report to.
    process.exit(exitCode);
  }
}

// The exit codes are those of AWS's runtime client.
process.on("unhandledRejection", (reason) => die(runtimeError("UnhandledPromiseRejection", String(reason)), 128));
process.on("uncaughtException", (error) => die(error, 129));
process.on("beforeExit", () => {
  const message =
    "The Lambda runtime client detected an unexpected Node.js exit code: a Promise that was never settled.";
  return die(runtimeError("NodeJsExit", message), 13);
});

async function run(handler) {
  for (;;) {
    const { headers, body } = await call("GET", "invocation/next");
    requestId = headers["lambda-runtime-aws-request-id"];
    environment._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    const deadline = Number(headers["lambda-runtime-deadline-ms"]);
    const functionArn = headers["lambda-runtime-invoked-function-arn"];
    let result;
    try {
      result =
        JSON.stringify(
          await handler(JSON.parse(body), contextFor({ requestId, deadline, functionArn, environment })),
        ) ?? "null";
    } catch (error) {
      await reportError(error);
      continue;
    }
    await call("POST", `invocation/${requestId}/response`, result);
  }
}

try {
  await run(await loadHandler(environment.LAMBDA_TASK_ROOT, environment._HANDLER));
} catch (error) {
  await die(error, 1);
}
