import type { Command } from "./command.ts";
import { completion } from "./commands/completion.ts";
import { compromised } from "./commands/compromised.ts";
import { decommission } from "./commands/decommission.ts";
import { doctor } from "./commands/doctor.ts";
import { reconcile } from "./commands/reconcile.ts";
import { rollback } from "./commands/rollback.ts";
import { rotate } from "./commands/rotate.ts";
import { status } from "./commands/status.ts";
import { unstick } from "./commands/unstick.ts";
import { verify } from "./commands/verify.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  status,
  verify,
  rotate,
  rollback,
  unstick,
  compromised,
  reconcile,
  decommission,
  doctor,
  completion,
];
