import { compromised } from "./acting/compromised.ts";
import { decommission } from "./acting/decommission.ts";
import { reconcile } from "./acting/reconcile.ts";
import { rollback } from "./acting/rollback.ts";
import { rotate } from "./acting/rotate.ts";
import { unstick } from "./acting/unstick.ts";
import type { Command } from "./command.ts";
import { completionOf } from "./completion.ts";
import { doctor } from "./looking/doctor.ts";
import { status } from "./looking/status.ts";
import { verify } from "./looking/verify.ts";

const others: readonly Command[] = [
  status,
  verify,
  rotate,
  rollback,
  unstick,
  compromised,
  reconcile,
  decommission,
  doctor,
];

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [...others, completionOf(others)];
