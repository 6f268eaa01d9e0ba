import type { Call } from "../command.ts";
import { refused } from "../failure.ts";

/**
 * Has what can't be undone confirmed by the secret's name: with `--yes NAME`, or typed by the person.
 *
 * @throws Failure (refused)
 */
export async function confirmByName({ options, terminal }: Call, name: string, what: string): Promise<void> {
  const given = options.text("yes");
  if (given === name) return;
  if (given !== undefined)
    throw refused(`--yes names ${JSON.stringify(given)}, and the secret is ${JSON.stringify(name)}.`);
  const remedy = `If you mean it: --yes ${name}`;
  if (!terminal.isInteractive) throw refused(`${what} This can't be undone, and was not confirmed.`, remedy);
  const answer = await terminal.ask(`${what} This can't be undone.\nType the secret's name to go on: `);
  if (answer.trim() !== name) throw refused("Not confirmed.", remedy);
}
