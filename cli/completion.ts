import { ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import type { Call, Command } from "./command.ts";
import { commands } from "./commands.ts";
import { exitCode, usage } from "./failure.ts";
import { commonOptions } from "./options.ts";

export const completion: Command = {
  name: "completion",
  summary: "a script that completes commands, options and secrets' names in your shell",
  description: `Prints a completion script for bash or zsh. Secrets' names are asked of AWS when they are completed: those of this account
and region that have a rotation.`,
  examples: [
    ["completion --shell bash > ~/.local/share/bash-completion/completions/c2m-tokens", "for bash"],
    ["completion --shell zsh > ~/.zfunc/_c2m-tokens", "for zsh, with ~/.zfunc in fpath"],
  ],
  options: {
    shell: { type: "string", value: "SHELL", help: "bash or zsh" },
    names: { type: "boolean", help: "print the secrets' names, as the script asks for them" },
  },
  async run(call) {
    const { options, terminal } = call;
    if (options.flag("names")) {
      const names = await rotatedSecrets(call);
      terminal.result({ names }, () => {
        for (const name of names) terminal.line(name);
      });
      return exitCode.done;
    }
    const shell = options.text("shell");
    if (shell !== "bash" && shell !== "zsh") throw usage("--shell must be bash or zsh.");
    const script =
      shell === "bash" ? bash() : `#compdef c2m-tokens\nautoload -U bashcompinit && bashcompinit\n${bash()}`;
    terminal.result({ script }, () => terminal.line(script));
    return exitCode.done;
  },
};

async function rotatedSecrets(call: Call): Promise<string[]> {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const answer = await call.aws().secrets.send(new ListSecretsCommand({ NextToken }));
    for (const { Name, RotationLambdaARN } of answer.SecretList ?? []) if (Name && RotationLambdaARN) names.push(Name);
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  return names;
}

function bash(): string {
  const cases = commands.map(({ name, options }) => {
    const flags = Object.keys({ ...options, ...commonOptions }).map((option) => `--${option}`);
    return `    ${name}) words="${flags.join(" ")}" ;;`;
  });
  return `_c2m_tokens() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  case "$before" in
    --secret | --yes)
      COMPREPLY=($(compgen -W "$(c2m-tokens completion --names 2>/dev/null)" -- "$word"))
      return ;;
    --shell) COMPREPLY=($(compgen -W "bash zsh" -- "$word")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="${commands.map(({ name }) => name).join(" ")} --help --version" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _c2m_tokens c2m-tokens`;
}
