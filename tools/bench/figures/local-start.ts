import { LocalProcess } from "../../local/local-process.ts";
import type { Figure } from "../figure.ts";

/** How long a person waits for the local cloud: from the start of the process to its last word before it waits. */
export const localStart: Figure = {
  name: "local-start",
  what: "start of `npm run local`, the program deployed",
  unit: "s",
  aim: 1.2,
  async prepare() {
    return {
      async sample() {
        const start = performance.now();
        const local = LocalProcess.start();
        await local.ready();
        const seconds = (performance.now() - start) / 1_000;
        await local.stop();
        return seconds;
      },
      close: async () => undefined,
    };
  },
};
