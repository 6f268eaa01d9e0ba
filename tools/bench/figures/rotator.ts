import { gzipSync } from "node:zlib";
import { bundle } from "../../../infra/resources/function-code.ts";
import type { Figure } from "../figure.ts";
import type { BuildName } from "../function/builds.ts";
import { Cgroup } from "../function/cgroup.ts";
import { RotationLab, type RotationRun } from "../function/rotation-lab.ts";

/** What is deployed, in decimal kB. */
export const bundleSize = exact(
  "bundle",
  "the rotator's index.js, minified",
  "kB",
  180,
  () => bundle("rotator").length / 1_000,
);
export const bundleGzip = exact(
  "bundle-gzip",
  "the same, gzipped",
  "kB",
  60,
  () => gzipSync(bundle("rotator")).length / 1_000,
);

const others = { unbundled: "SDK unbundled", usual: "esbuild's defaults", handSigned: "hand-signed, no SDK" } as const;

/** Millions of instructions, counted by valgrind, of what an empty handler has none of, and no build is without at AWS. */
const tls = "TLS: 26 of its 225 million instructions, and 88 of another thread";

/**
 * Time from the start of the process until the handler is ready, as a ratio to an empty handler's. The lab speaks http, and
 * AWS https: the SDK loads TLS in either case, and so does the hand-signed client.
 */
export const init = [
  ratio("init", "init, to an empty handler", "ours", "empty", ({ init }) => init.wall, {
    aim: 1.45,
    limit: 1.4,
    missed: `${tls}, which shares the CPU`,
  }),
  ...Object.entries(others).map(([build, title]) =>
    ratio(`init-${build}`, `  with ${title}`, build as BuildName, "empty", ({ init }) => init.wall),
  ),
  ratio("init-cpu", "init, its CPU, to an empty handler", "ours", "empty", ({ init }) => init.cpu, {
    aim: 1.5,
    limit: 1.38,
    missed: tls,
  }),
];

/** Time from the start of the process until createSecret is done, calls included. */
export const firstStep = [
  ratio("first-step", "whole first step, to an empty handler", "ours", "empty", ({ firstStep }) => firstStep.wall, {
    aim: 2.4,
    limit: 1.86,
  }),
  ...Object.entries(others).map(([build, title]) =>
    ratio(`first-step-${build}`, `  with ${title}`, build as BuildName, "empty", ({ firstStep }) => firstStep.wall),
  ),
];

/** CPU of the process from its start until the last of four steps is done. */
export const rotationCpu = [
  ratio("cpu", "CPU of a whole rotation, to esbuild's defaults", "ours", "usual", ({ rotation }) => rotation.cpu, {
    aim: 0.65,
    limit: 0.52,
    missed: "TLS: 117 of its 424 million instructions, and of the 655 of esbuild's defaults",
  }),
  ratio("cpu-unbundled", "  to the SDK unbundled", "ours", "unbundled", ({ rotation }) => rotation.cpu),
  ratio("cpu-handSigned", "  to hand-signed, no SDK", "ours", "handSigned", ({ rotation }) => rotation.cpu),
];

/** The same by instructions, which a busy machine changes by a hundredth or two; needs valgrind, and takes a minute each. */
export const instructions = [
  counted("instructions-init", "instructions of init, main thread, to empty", "ours", "empty", "ready", {
    aim: 1.5,
    limit: 1.33,
    missed: "TLS: 26 of 225 million, an empty handler's are 150",
  }),
  counted("instructions-init-handSigned", "  with hand-signed, no SDK", "handSigned", "empty", "ready"),
  counted("instructions-cpu", "instructions of a rotation, to esbuild's defaults", "ours", "usual", "rotated", {
    aim: 0.65,
    limit: 0.52,
  }),
  counted("instructions-cpu-handSigned", "  with hand-signed, no SDK", "handSigned", "usual", "rotated"),
];

function counted(
  name: string,
  what: string,
  build: BuildName,
  base: BuildName,
  until: "ready" | "rotated",
  goal: Goal = {},
): Figure {
  const figure = inLab({ name, what, unit: "×", ...goal }, async (lab) => {
    const below = await lab.instructions(base, until);
    return (await lab.instructions(build, until)) / below;
  });
  return { ...figure, rounds: 1 };
}

/** As deployed: V8 sizes its heap by it. */
const functionMb = 256;

/** In a cgroup of the function's memory, where the system allows one. */
export const memory = [
  peak("memory", "peak memory over a rotation", "ours", { aim: 62, limit: 51 }),
  peak("memory-empty", "  of an empty handler", "empty"),
  peak("memory-unbundled", "  with SDK unbundled", "unbundled"),
  peak("memory-100", "peak memory over 100 rotations in one process", "ours", {
    rotations: 100,
    aim: 66,
    limit: 70,
    missed:
      "V8's optimizing compilers and 49 MB of Node's own binary; an empty handler has 70 MB by then, and 50 without the compilers",
  }),
  peak("memory-100-empty", "  of an empty handler", "empty", { rotations: 100 }),
  peak("memory-100-handSigned", "  with hand-signed, no SDK", "handSigned", { rotations: 100 }),
];

type Goal = Pick<Figure, "aim" | "limit" | "missed">;

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
  goal: Goal = {},
): Figure {
  return inLab({ name, what, unit: "×", ...goal }, async (lab) => {
    const below = figureOf(await lab.rotate(base));
    return figureOf(await lab.rotate(build)) / below;
  });
}

function peak(
  name: string,
  what: string,
  build: BuildName,
  { rotations = 1, ...goal }: Goal & { rotations?: number } = {},
): Figure {
  return {
    name,
    what,
    unit: "MB",
    ...goal,
    ...(rotations > 1 ? { rounds: 1 } : {}),
    async prepare() {
      const limit = Cgroup.ofMemory(functionMb);
      const lab = await RotationLab.start();
      return {
        sample: async () =>
          (await lab.rotate(build, { rotations, ...(limit && { cgroup: limit.procs }) })).peakMemoryMb,
        async close() {
          await lab.close();
          limit?.remove();
        },
      };
    },
  };
}

function inLab(
  figure: Pick<Figure, "name" | "what" | "unit"> & Goal,
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
