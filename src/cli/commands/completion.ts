import { Argument, Command } from "commander";
import { bashCompletion } from "../completion/bash.js";
import { type CommandNode, commandTree } from "../completion/command-tree.js";
import { fishCompletion } from "../completion/fish.js";
import { zshCompletion } from "../completion/zsh.js";
import { printJson } from "../output/output.js";

const SHELLS: Readonly<Record<string, (root: CommandNode) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `countersign completion SHELL`: prints completions, made of the commands themselves. */
export function command(): Command {
  return new Command("completion")
    .description("Prints the completions of a shell: commands, options, their values, and files by their extension")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .option("--json", "one JSON object with `shell` and `text`")
    .addHelpText(
      "after",
      `
Print them again after an update, since they have the commands of this version. They start no process on TAB.

Examples:
  countersign completion bash > ~/.local/share/bash-completion/completions/countersign
  countersign completion zsh > /usr/local/share/zsh/site-functions/_countersign
  countersign completion fish > ~/.config/fish/completions/countersign.fish
  source <(countersign completion bash)`,
    )
    .action(completion);
}

function completion(shell: string, { json }: { json?: true }, command: Command): void {
  const make = SHELLS[shell] as (root: CommandNode) => string;
  const text = make(commandTree(command.parent ?? command));
  if (json === true) printJson({ shell, text });
  else process.stdout.write(text);
}
