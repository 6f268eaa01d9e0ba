import type { BrokenProtocol } from "./broken.ts";
import { runCommand } from "./commands.ts";
import type { CommandName, CommandResult, FunctionRun } from "./function-run.ts";
import { type Protocol, theProtocol } from "./functions.ts";
import type { World } from "./parts.ts";

/** One command does something else; the others are as they are. */
export function commanding(
  broken: CommandName,
  instead: (world: World, run: FunctionRun, index: number) => Promise<CommandResult>,
): Protocol {
  return {
    ...theProtocol,
    runCommand: (world, run, name, index) =>
      name === broken ? instead(world, run, index) : runCommand(world, run, name, index),
  };
}

/** A request to Secrets Manager, without the command's precautions. */
export async function ask(world: World, run: FunctionRun, operation: string, input: object): Promise<void> {
  const send = world.connection.secretsManager(run).send as unknown as (command: object) => Promise<unknown>;
  await send({ input, constructor: { name: `${operation}Command` } });
}

/** Moves AWSCURRENT back without regard to anything else. */
export async function moveBack(world: World, run: FunctionRun, index: number): Promise<CommandResult> {
  const [from, to] = [world.holder(index, "AWSCURRENT"), world.holder(index, "AWSPREVIOUS")];
  const input = { SecretId: world.of(index).arn, VersionStage: "AWSCURRENT" };
  if (to !== undefined) {
    await ask(world, run, "UpdateSecretVersionStage", { ...input, MoveToVersionId: to, RemoveFromVersionId: from });
  }
  return { exitCode: 0, result: {} };
}

/** Operators' commands that say that something is done which is not. */
export const brokenCommands: readonly BrokenProtocol[] = [
  {
    fault: "says that it has rolled back, and looks no more whether the token lived until then",
    breaks: "truth",
    scenario: "grace",
    shownBy: [
      ["rollback", "reconcile DescribeSecret"],
      ["hold", "rollback UpdateSecretVersionStage"],
    ],
    protocol: commanding("rollback", moveBack),
  },
  {
    fault: "says that a rotation has succeeded when it has only begun",
    breaks: "truth",
    scenario: "grace",
    shownBy: [["rotate", "reconcile DescribeSecret"]],
    protocol: commanding("rotate", async (world, run, index) => {
      const versionId = world.id();
      await ask(world, run, "RotateSecret", { SecretId: world.of(index).arn, ClientRequestToken: versionId });
      return { exitCode: 0, result: { versionId } };
    }),
  },
  {
    fault: "says that nothing is pending any more without having looked",
    breaks: "truth",
    scenario: "grace",
    shownBy: [
      ["crash", "testSecret issueShortTermToken"],
      ["unstick", "reconcile DescribeSecret"],
    ],
    protocol: commanding("unstick", async (world, _, index) => {
      return { exitCode: 0, result: { stuck: world.holder(index, "AWSPENDING", "AWSCURRENT") } };
    }),
  },
];
