// Preloaded into the command line's processes: their time is the machine's, moved by so many ms, so that no test
// depends on the hour of the day at which it runs.
import { patchTime } from "../../local-cloud/lambda/runtime/time-patch.mjs";

const machineNow = Date.now;
const shift = Number(process.env.SHIFTED_TIME_MS) + Number(process.env.CLOCK_AHEAD_MS ?? 0);
const wait = process.getBuiltinModule("node:timers/promises").setTimeout;

/** A longer sleep is none: the process's time is moved on in its place. In ms. */
const longestSleepMs = 20_000;
let slept = 0;

patchTime({
  now: () => machineNow() + shift + slept,
  sleep: (ms) => {
    if (ms <= longestSleepMs) return wait(ms);
    slept += ms;
    return wait(1);
  },
});
