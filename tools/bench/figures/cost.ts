import { callsOfRotation, total } from "../calls.ts";
import type { Figure } from "../figure.ts";
import { RotationLab, type RotationRun } from "../function/rotation-lab.ts";
import { mbPerCpu, prices } from "../prices.ts";

/** What C2M takes to answer over a rotation, in seconds: /long was seen to take 3.6; the others are our assumption. */
const waitingSeconds = 3.6 + 0.5 + 0.5;

/** US dollars for one rotation in a new process with this much memory: calls, invocations, time, and log. */
function cost(run: RotationRun, secretsManagerCalls: number, memoryMb: number): number {
  const computingSeconds = run.rotation.cpu / 1_000 / Math.min(1, memoryMb / mbPerCpu);
  return (
    secretsManagerCalls * prices.secretsManagerCall +
    4 * prices.lambdaRequest +
    ((computingSeconds + waitingSeconds) * memoryMb * prices.lambdaGbSecond) / 1_024 +
    (run.logBytes / 1e9) * prices.logGb
  );
}

/** From a measured run: all its CPU at the share of a vCPU that the memory size gives, INIT's as well. */
export const costs: Figure[] = [128, 256].map((memoryMb) => ({
  name: `cost-${memoryMb}`,
  what: `cost of a rotation at ${memoryMb} MB, list prices`,
  unit: "$",
  aim: 0.0001,
  async prepare() {
    const lab = await RotationLab.start();
    const by = await callsOfRotation({ cold: true, graceSeconds: 0 });
    const calls = total(...[by.createSecret, by.testSecret, by.finishSecret].map((step) => step.secretsManager));
    return { sample: async () => cost(await lab.rotate("ours"), calls, memoryMb), close: () => lab.close() };
  },
}));
