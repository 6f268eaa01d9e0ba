import type { C2mKnobs } from "../../local-cloud/c2m/knobs.ts";
import { RealClock } from "../../local-cloud/clock.ts";
import { LocalCloud } from "../../local-cloud/cloud.ts";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import { type LiveLine, watch } from "./live-lines.ts";
import type { Pace } from "./pace.ts";
import { client } from "./program.ts";
import { survivingPlan, withKeptGroups, worthKeeping } from "./saved-state.ts";
import { type SavedState, writeState } from "./state-file.ts";

/** The keys of the operator, who may do everything. Fixed, so that they can stand in a shell's profile. */
export const accessKey = { accessKeyId: "local", secretAccessKey: "local" } as const;

/** How often a changed state is written, in ms: as much as a crash can lose. */
const saveEveryMs = 5_000;

const day = 86_400_000;

export interface LocalSession {
  cloud: LocalCloud;
  plan: Plan;
  /** Stops it, and writes the state where it is kept. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** 0: any free one. */
  awsPort: number;
  c2mPort: number;
  pace: Pace;
  c2m: Partial<C2mKnobs>;
  /** From `planProgram`. */
  program: Promise<Plan>;
  /** Where the state is written to; undefined: nowhere. */
  stateFile: string | undefined;
  /** What was read from it. */
  saved: SavedState | undefined;
}

/** Starts a local cloud on the machine's clock with the program in it. Rejects when a port is taken. */
export async function startLocal(options: StartOptions, onLine: (line: LiveLine) => void): Promise<LocalSession> {
  const { awsPort, c2mPort, stateFile, saved, program } = options;
  const { everyMs, reconcileEveryMs } = options.pace;
  let isStopping = false;
  const clock = new RealClock((error) => {
    // What was running when the cloud went away fails, and that is nobody's fault.
    if (!isStopping) onLine({ what: "error", whom: "-", note: error instanceof Error ? error.message : String(error) });
  });
  const cloud = await LocalCloud.start({
    clock,
    awsPort,
    c2mPort,
    runRulesEveryMs: reconcileEveryMs,
    // A month's calls are made in an hour, and the app's come from the same address.
    c2m: { rateLimitPerMinute: Number.POSITIVE_INFINITY, ...options.c2m },
    secretsManager: {
      rotateEveryMs: everyMs,
      // The next window tries again soon enough.
      retry: "manual",
      nextRotationDate: "start",
      // Versions that are a day old can be purged: there must be room for all younger ones.
      versionLimit: 100 + Math.ceil(day / everyMs),
    },
    ...(saved && { state: saved.cloud }),
  });
  let plan: Plan | undefined;
  let isChanged = true;
  const save = () => {
    if (stateFile === undefined || !plan || !isChanged) return;
    writeState(stateFile, { cloud: worthKeeping(cloud.save(), clock.now()), plan: survivingPlan(plan) });
    isChanged = false;
  };
  const saveRegularly = () => {
    clock.at(clock.now() + saveEveryMs, saveRegularly);
    save();
  };
  const stop = async () => {
    isStopping = true;
    clock.stop();
    await cloud.stop();
    isChanged = true;
    save();
  };
  try {
    cloud.identities.adopt(cloud.administrator, accessKey);
    for (const c2m of [cloud.c2m, cloud.c2mStage]) c2m.registerClient(client);
    cloud.calls.onCall(() => {
      isChanged = true;
    });
    watch(cloud, (line) => {
      if (!isStopping) onLine(line);
    });
    const isThere = (arn: string) => cloud.secretsManager.engine.find(arn) !== undefined;
    const declared = await program;
    const hasGroup = (name: string) => cloud.logs.group(name) !== undefined;
    const before = saved && withKeptGroups(survivingPlan(saved.plan, isThere), declared, hasGroup);
    ({ plan } = await deploy(cloud, declared, before));
    saveRegularly();
  } catch (error) {
    await stop();
    throw error;
  }
  return { cloud, plan, stop };
}
