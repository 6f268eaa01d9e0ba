import { gzipSync } from "node:zlib";
import { bundle } from "../../../infra/resources/function-code.ts";
import type { Figure } from "../figure.ts";
import type { BuildName } from "../function/builds.ts";
import { RotationLab, type RotationRun } from "../function/rotation-lab.ts";

/** What is deployed, in decimal kB. */
export const bundleSize = exact(
  "bundle",
  "the rotator's index.js, minified",
  "kB",
  200,
  () => bundle("rotator").length / 1_000,
);
export const bundleGzip = exact(
  "bundle-gzip",
  "the same, gzipped",
  "kB",
  68,
  () => gzipSync(bundle("rotator")).length / 1_000,
);

const others = { unbundled: "SDK unbundled", usual: "esbuild's defaults", handSigned: "hand-signed, no SDK" } as const;

/** Time from the start of the process until the handler is ready, as a ratio to an empty handler's. */
export const init = [
  ratio("init", "init, to an empty handler", "ours", "empty", ({ init }) => init.wall, 1.9),
  ...Object.entries(others).map(([build, title]) =>
    ratio(`init-${build}`, `  with ${title}`, build as BuildName, "empty", ({ init }) => init.wall),
  ),
  ratio("init-cpu", "init, its CPU, to an empty handler", "ours", "empty", ({ init }) => init.cpu),
];

/** Time from the start of the process until createSecret is done, calls included. */
export const firstStep = [
  ratio("first-step", "whole first step, to an empty handler", "ours", "empty", ({ firstStep }) => firstStep.wall, 2.9),
  ...Object.entries(others).map(([build, title]) =>
    ratio(`first-step-${build}`, `  with ${title}`, build as BuildName, "empty", ({ firstStep }) => firstStep.wall),
  ),
];

/** CPU of the process from its start until the last of four steps is done. */
export const rotationCpu = [
  ratio("cpu", "CPU of a whole rotation, to esbuild's defaults", "ours", "usual", ({ rotation }) => rotation.cpu, 0.6),
  ratio("cpu-unbundled", "  to the SDK unbundled", "ours", "unbundled", ({ rotation }) => rotation.cpu),
  ratio("cpu-handSigned", "  to hand-signed, no SDK", "ours", "handSigned", ({ rotation }) => rotation.cpu),
];

export const memory = [
  one("memory", "peak memory over a rotation", "MB", "ours", ({ peakMemoryMb }) => peakMemoryMb, 70),
  one("memory-empty", "  of an empty handler", "MB", "empty", ({ peakMemoryMb }) => peakMemoryMb),
  one("memory-unbundled", "  with SDK unbundled", "MB", "unbundled", ({ peakMemoryMb }) => peakMemoryMb),
];

function exact(name: string, what: string, unit: string, aim: number, value: () => number): Figure {
  return {
    name,
    what,
    unit,
    aim,
    rounds: 1,
    prepare: async () => ({ sample: async () => value(), close: async () => undefined }),
  };
}

/** Both run one after the other for each sample, so that what else the machine does hits them alike. */
function ratio(
  name: string,
  what: string,
  build: BuildName,
  base: BuildName,
  figureOf: (run: RotationRun) => number,
  aim?: number,
): Figure {
  return inLab({ name, what, unit: "×", ...(aim === undefined ? {} : { aim }) }, async (lab) => {
    const below = figureOf(await lab.rotate(base));
    return figureOf(await lab.rotate(build)) / below;
  });
}

function one(
  name: string,
  what: string,
  unit: string,
  build: BuildName,
  figureOf: (run: RotationRun) => number,
  aim?: number,
): Figure {
  return inLab({ name, what, unit, ...(aim === undefined ? {} : { aim }) }, async (lab) =>
    figureOf(await lab.rotate(build)),
  );
}

function inLab(
  figure: Pick<Figure, "name" | "what" | "unit" | "aim">,
  sample: (lab: RotationLab) => Promise<number>,
): Figure {
  return {
    ...figure,
    async prepare() {
      const lab = await RotationLab.start();
      return { sample: () => sample(lab), close: () => lab.close() };
    },
  };
}
