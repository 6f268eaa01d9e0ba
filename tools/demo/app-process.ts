/** An app in a process of its own, which can be frozen. It is told what to send; the time is in the file at descriptor 4. */
import { readSync } from "node:fs";
import { App, type AppOptions } from "./app.ts";

const timeFile = 4;
const buffer = Buffer.alloc(8);

const app = new App({
  ...(JSON.parse(process.env.DEMO_APP ?? "") as AppOptions),
  now() {
    readSync(timeFile, buffer, 0, 8, 0);
    return buffer.readDoubleLE();
  },
});

process.on("message", async (letter: number) => {
  process.send?.({ begun: letter });
  process.send?.({ letter, state: await app.send(letter) });
});
process.once("disconnect", () => app.stop());
