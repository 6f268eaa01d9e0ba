import { Fleet } from "../../../test/harness/rotation-fleet.ts";
import type { Figure } from "../figure.ts";

const secrets = 100;

/** One hourly run over a hundred secrets on which nothing is to be done, on the engines, with calls that take time. */
export const reconcileFigures: Figure[] = [
  figure("reconcile-calls", `Secrets Manager calls per secret of an hourly run over ${secrets}`, "", (all) => {
    return all.run.secretsManagerCalls / secrets;
  }),
  figure("reconcile-time", "  its time per secret on the virtual clock (15 ms a call)", "ms", (all) => {
    return (all.run.seconds * 1_000) / secrets;
  }),
  figure("reconcile-cpu", "  its CPU per secret on this machine", "ms", (all) => all.cpuMs / secrets),
];

type FullRun = Awaited<ReturnType<Fleet["reconcileAll"]>>;

function figure(name: string, what: string, unit: string, figureOf: (all: FullRun) => number): Figure {
  return {
    name,
    what,
    unit,
    async prepare() {
      const fleet = new Fleet({ secrets });
      await fleet.deploy();
      return { sample: async () => figureOf(await fleet.reconcileAll()), close: async () => fleet.stop() };
    },
  };
}
