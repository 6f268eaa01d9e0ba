import { spreadSchedule } from "../../../infra/args/spread.ts";
import { liveThrough } from "../../simulate/year.ts";
import { billOf, perSecret } from "../bill.ts";
import type { Figure } from "../figure.ts";

/** AWS's bill of a year per secret, of all that a stack of so many is; from a fleet's life on the virtual clock. */
export const bills: Figure[] = [
  bill("bill", "bill of one secret a year, all of it", { secrets: 1, monitoring: true, aim: 28, limit: 9.6 }),
  bill("bill-without", "  without the monitoring", { secrets: 1, monitoring: false, aim: 11, limit: 9.6 }),
  // A month and its rotation, which the first days of the next one end: a year takes many minutes.
  bill("bill-1000", "  per secret at 1,000", {
    secrets: 1_000,
    years: 33 / 365,
    monitoring: true,
    aim: 4.9,
    limit: 4.8,
  }),
  bill("bill-1000-spread", "  the same with `spread`", {
    secrets: 1_000,
    years: 33 / 365,
    monitoring: true,
    spread: true,
    aim: 4.9,
    limit: 4.8,
    missed: "tokens go in most hours, and then each secret's current token is read, to spare what two secrets hold",
  }),
];

function bill(
  name: string,
  what: string,
  of: Pick<Figure, "aim" | "limit" | "missed"> & {
    secrets: number;
    years?: number;
    monitoring: boolean;
    spread?: boolean;
  },
): Figure {
  const { secrets, years = 1, monitoring, spread = false, ...bounds } = of;
  return {
    name,
    what,
    unit: "$",
    ...bounds,
    rounds: 1,
    prepare: async () => ({
      async sample() {
        const schedule = spread ? (name: string) => spreadSchedule(name) : "rate(30 days)";
        const { billed } = await liveThrough({ secrets, years, schedule });
        return perSecret(billOf(billed, { monitoring }), secrets);
      },
      close: async () => undefined,
    }),
  };
}
