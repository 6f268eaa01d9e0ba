import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test, vi } from "vitest";

const harness = `
  import { functionFrom, startTestCloud } from "${new URL("../aws/test-cloud.ts", import.meta.url).href}";
  const cloud = await startTestCloud();
  cloud.logs.createGroup("/aws/lambda/waits");
  cloud.lambda.createFunction(functionFrom("waits", "exports.handler = () => new Promise(() => { console.log(process.pid); setInterval(() => {}, 1000); })"));
  cloud.logs.onLine(({ message }) => process.stdout.write(message.split("\\t").at(-1) + "\\n"));
  await cloud.lambda.invoke("waits", {});
`;

test("a function's process ends when the harness is killed", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", harness], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  const pid = await vi.waitFor(() => Number(/^(\d+)$/m.exec(output)?.[1] ?? expect.fail("not started")), {
    timeout: 10_000,
  });
  expect(process.kill(pid, 0)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "close");
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), { timeout: 5000 });
});
