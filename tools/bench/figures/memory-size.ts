import type { Figure } from "../figure.ts";
import { Cgroup } from "../function/cgroup.ts";
import { RotationLab } from "../function/rotation-lab.ts";

/**
 * Seconds that the four steps take a new process under the CPU share of a memory size; NaN where the system allows no
 * quota. Pessimistic: AWS gives INIT more than the share, and C2M answers here at once.
 */
export const memorySizes: Figure[] = [128, 256, 512].map((memoryMb) => ({
  name: `duration-${memoryMb}`,
  what: `a rotation under the CPU share of ${memoryMb} MB`,
  unit: "s",
  async prepare() {
    const quota = Cgroup.ofCpu(memoryMb);
    const lab = await RotationLab.start();
    return {
      sample: async () =>
        quota ? (await lab.rotate("ours", { cgroup: quota.procs })).rotation.wall / 1_000 : Number.NaN,
      async close() {
        await lab.close();
        quota?.remove();
      },
    };
  },
}));
