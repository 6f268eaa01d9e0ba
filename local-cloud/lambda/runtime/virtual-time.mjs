// Preloaded into a function's process where the cloud's clock is a virtual one; never part of an archive. The harness
// keeps the time as a double in the file at descriptor 3, and lets it pass when the Runtime API is asked to sleep.
import { patchTime } from "./time-patch.mjs";

const { readSync } = process.getBuiltinModule("node:fs");
const timeFile = 3;
const buffer = Buffer.alloc(8);

function now() {
  readSync(timeFile, buffer, 0, 8, 0);
  return buffer.readDoubleLE();
}

function sleep(ms) {
  const { request } = process.getBuiltinModule("node:http");
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ ms });
    const url = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/harness/sleep`;
    const outgoing = request(url, { method: "POST", agent: false }, (response) => {
      response.resume();
      response.on("end", resolve);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

patchTime({ now, sleep });
