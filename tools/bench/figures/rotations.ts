import { World } from "../../../test/harness/rotation-world.ts";
import type { Figure } from "../figure.ts";

const rotations = 1_000;
const month = 30 * 86_400_000;

/** The speed of the tests that drive the protocol without processes and HTTP. */
export const thousandRotations: Figure = {
  name: "rotations",
  what: "1,000 rotations on the engines, in one process",
  unit: "s",
  aim: 20,
  async prepare() {
    return {
      async sample() {
        const world = await World.ready();
        const start = performance.now();
        await world.clock.advanceBy(rotations * month);
        const seconds = (performance.now() - start) / 1_000;
        const done = world.bus.events.filter(({ detail }) => detail.eventName === "RotationSucceeded").length;
        if (done !== rotations) throw new Error(`There were ${done} rotations, not ${rotations}.`);
        return seconds;
      },
      close: async () => undefined,
    };
  },
};
