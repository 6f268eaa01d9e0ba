import type { Command } from "./command.ts";
import { exitCode, usage } from "./failure.ts";
import { commonOptions } from "./options.ts";

/** The command that completes the other ones. */
export function completionOf(others: readonly Command[]): Command {
  const completion: Command = {
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
        const names = await (await call.aws()).rotatedSecrets();
        terminal.result({ names }, () => {
          for (const name of names) terminal.line(name);
        });
        return exitCode.done;
      }
      const shell = options.text("shell");
      const bash = bashScript([...others, completion]);
      if (shell !== "bash" && shell !== "zsh") throw usage("--shell must be bash or zsh.");
      const script = shell === "bash" ? bash : `#compdef c2m-tokens\nautoload -U bashcompinit && bashcompinit\n${bash}`;
      terminal.result({ script }, () => terminal.text(`${script}\n`));
      return exitCode.done;
    },
  };
  return completion;
}

function bashScript(commands: readonly Command[]): string {
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
