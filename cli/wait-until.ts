import { span } from "./time-text.ts";

const minute = 60_000;

/**
 * Waits until a moment (epoch ms), and says each minute how long yet.
 *
 * @param by.pause waits for so many ms; what it throws ends the wait
 */
export async function waitUntil(
  moment: number,
  { now, pause, say }: { now: () => number; pause: (ms: number) => Promise<void>; say: (text: string) => void },
): Promise<void> {
  for (let left = moment - now(); left > 0; left = moment - now()) {
    if (left > minute) say(`  … ${span(left)} yet`);
    await pause(Math.min(left, minute));
  }
}
