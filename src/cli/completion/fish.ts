import { allNodes, type CommandNode, type OptionNode } from "./command-tree.js";
import { fishQuoted } from "./quoted.js";
import type { Values } from "./values.js";

/** The completions of fish: one `complete` for each command, option and argument (complete(1) of fish). */
export function fishCompletion(root: CommandNode): string {
  const nodes = allNodes(root);
  const paths = nodes.filter(({ path }) => path.length > 0).map(key);
  return `# Completions of fish for ${NAME}, made by \`${NAME} completion fish\`.

# The command that the words so far select, and a star if another word follows it.
function __${NAME}_selected
  set -l commands ${paths.map(fishQuoted).join(" ")}
  set -l words (commandline -opc)
  set -l path
  for word in $words[2..]
    if string match -q -- '-*' $word
      continue
    end
    set -l longer (string join ' ' $path $word)
    if not contains -- $longer $commands
      set -a path '*'
      break
    end
    set path $longer
  end
  echo "$path"
end

# Whether the words so far select the command in $argv.
function __${NAME}_at
  contains -- (__${NAME}_selected) $argv (string trim -- "$argv *")
end

# Whether the words so far end with the command in $argv.
function __${NAME}_ends_at
  test (__${NAME}_selected) = "$argv"
end

# Folders, and the files with one of these extensions.
function __${NAME}_files
  __fish_complete_suffix .$argv | string replace -r -- '^-[^=]*=' '' |
    string match -er -- '(?:/|\\.(?:'(string join '|' $argv)'))(?:\\t.*)?$'
end

complete -c ${NAME} -e
complete -c ${NAME} -f
${nodes.flatMap(lines).join("\n")}
`;
}

const NAME = "countersign";

function key({ path }: CommandNode): string {
  return path.join(" ");
}

function lines(node: CommandNode): string[] {
  const start = complete("at", node);
  const commands = node.commands.map(
    ({ path, description }) => `${complete("ends_at", node)} -a ${path.at(-1)} -d ${fishQuoted(description)}`,
  );
  const parameters = node.parameters.flatMap(({ values }) => argument(values).map((text) => `${start} ${text}`));
  return [...commands, ...parameters, ...node.options.map((option) => `${start} ${described(option)}`)];
}

function complete(condition: string, node: CommandNode): string {
  return `complete -c ${NAME} -n ${fishQuoted(`__${NAME}_${condition} ${fishQuoted(key(node))}`)}`;
}

function described({ names, description, values, isOptional }: OptionNode): string {
  const spellings = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const offered = values === null ? [] : value(values, isOptional);
  return [...spellings, ...offered, "-d", fishQuoted(description)].join(" ");
}

/** `-r`: a value has to follow; `-F`: any file is offered; `-x`: a value has to follow, and no file is offered. */
function value(values: Values, isOptional: boolean): string[] {
  const offered = argument(values);
  return isOptional ? offered : [offered.includes("-F") ? "-r" : "-x", ...offered];
}

function argument(values: Values): string[] {
  switch (values.kind) {
    case "words":
      return [`-a ${fishQuoted(values.words.map((word) => fishQuoted(word)).join(" "))}`];
    case "files":
      if (values.extensions.length === 0) return ["-F"];
      return [`-a ${fishQuoted(`(__${NAME}_files ${values.extensions.join(" ")})`)}`];
    case "folders":
      return [`-a ${fishQuoted("(__fish_complete_directories)")}`];
    case "program":
      return [`-a ${fishQuoted("(__fish_complete_subcommand --fcs-skip=2)")}`];
    case "text":
      return [];
  }
}
