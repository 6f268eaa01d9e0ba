import type { RotationStep } from "../../../local-cloud/secrets-manager/rotation.ts";
import { type CallsBy, callsOfRotation, total } from "../calls.ts";
import type { Figure } from "../figure.ts";

const steps: RotationStep[] = ["createSecret", "testSecret", "finishSecret"];

/** Calls per rotation with grace; setSecret makes none. */
export const calls: Figure[] = [
  counted("calls-cold", "Secrets Manager calls of a rotation, new process", 8, true, secretsManagerCalls),
  counted("calls-warm", "  in a process that holds the credentials", 7, false, secretsManagerCalls),
  ...steps.map((step) =>
    counted(`calls-${step}`, `  of which ${step}`, undefined, false, (by) => total(by[step].secretsManager)),
  ),
  counted("calls-c2m", "C2M calls of a rotation, later revocation and its proof included", 5, false, (by) =>
    total(...Object.values(by).map(({ c2m }) => c2m)),
  ),
];

function secretsManagerCalls(by: CallsBy): number {
  return total(...steps.map((step) => by[step].secretsManager));
}

function counted(
  name: string,
  what: string,
  aim: number | undefined,
  cold: boolean,
  count: (by: CallsBy) => number,
): Figure {
  return {
    name,
    what,
    unit: "",
    ...(aim === undefined ? {} : { aim }),
    rounds: 1,
    prepare: async () => ({
      sample: async () => count(await callsOfRotation({ cold, graceSeconds: 3_600 })),
      close: async () => undefined,
    }),
  };
}
