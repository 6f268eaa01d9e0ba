import type { Command } from "./command.ts";
import { commonOptions, type OptionSpecs } from "./options.ts";
import { table } from "./terminal.ts";

const exitCodes = `Exit status
  0    done, or nothing is wrong
  1    it did not succeed, or something is wrong with a token
  2    the command line can't be understood
  3    refused: a precondition or the confirmation was missing; nothing was changed
  4    AWS or C2M could not be reached, or denied it
  130  stopped with Ctrl-C
`;

/** What `c2m-tokens --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => [`  ${name}`, summary]);
  return `Looks after the C2M tokens in AWS Secrets Manager that this project rotates.

Usage: c2m-tokens COMMAND [options]       (in the repository: npx c2m-tokens, or npm run ops --)

${table(rows).join("\n")}

\`c2m-tokens COMMAND --help\` tells more, with examples. Name the tokens with --stack STACK (reads \`pulumi stack output\`)
or with --secret NAME. Credentials, region and endpoints are found as by the AWS CLI. No command prints a token.

${exitCodes}`;
}

/** What `c2m-tokens COMMAND --help` prints. */
export function commandHelp({ name, summary, description, examples, options }: Command): string {
  const own = Object.keys(options).length === 0 ? "" : `Options\n${lines(options)}\n\n`;
  const shown = examples.map(([args, purpose]) => `  c2m-tokens ${args}\n      ${purpose}`).join("\n");
  return `c2m-tokens ${name}: ${summary}

${description}

${own}Common options
${lines(commonOptions)}

Examples
${shown}

${exitCodes}`;
}

function lines(options: OptionSpecs): string {
  const rows = Object.entries(options).map(([name, { value, help }]) => [
    `  --${name}${value === undefined ? "" : ` ${value}`}`,
    help,
  ]);
  return table(rows).join("\n");
}
