import { allNodes, type CommandNode, type OptionNode } from "./command-tree.js";
import { shellQuoted } from "./quoted.js";
import type { Values } from "./values.js";

/**
 * The completions of bash, as one function and its tables, for bash 4.0 or later. They need neither the package
 * bash-completion nor Countersign itself: pressing TAB starts no process.
 */
export function bashCompletion(root: CommandNode): string {
  const nodes = allNodes(root);
  return `# Completions of bash for ${NAME}, made by \`${NAME} completion bash\`.
${FUNCTIONS}
# Sets \`takes\` to how many values an option takes: nothing, one, optional or many.
_${NAME}_takes() {
  case "$1" in
${rows(nodes.flatMap((node) => node.options.flatMap((option) => takes(node, option))))}
    *) takes="" ;;
  esac
}

# Offers the values of an option, or of the argument of this number.
_${NAME}_values() {
  case "$1" in
${rows(nodes.flatMap(values))}
  esac
}

# Offers the options of a command.
_${NAME}_options() {
  case "$1" in
${rows(nodes.map((node) => [[key(node)], offered(node.options.flatMap(({ names }) => names))]))}
  esac
}

# Offers the commands of a command, or fails if it has none.
_${NAME}_commands() {
  case "$1" in
${rows(nodes.filter(({ commands }) => commands.length > 0).map((node) => [[key(node)], offered(names(node))]))}
    *) return 1 ;;
  esac
}

# Whether the command in $1 has the command in $2.
_${NAME}_has() {
  case "$1:$2" in
${rows(nodes.flatMap((node) => names(node).map((name) => [[`${key(node)}:${name}`], "return 0"])))}
    *) return 1 ;;
  esac
}

complete -F _${NAME} ${NAME}
`;
}

const NAME = "countersign";

/** Functions that are the same whatever commands there are. The tables follow them. */
const FUNCTIONS = `
_${NAME}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path="" owner="" takes="" ended="" given=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ -n "$ended" ]; then
      given=$((given + 1))
      continue
    fi
    # Readline splits \`--option=value\` at \`=\`.
    if [ "$word" = "=" ]; then continue; fi
    if [ -n "$owner" ]; then
      case "$takes:$word" in
        one:*) owner="" && continue ;;
        many:-*) owner="" ;;
        many:*) continue ;;
        optional:-*) owner="" ;;
        optional:*) owner="" && continue ;;
      esac
    fi
    if [ "$word" = "--" ]; then
      ended=1
    elif [ "\${word:0:1}" = "-" ]; then
      _${NAME}_takes "$path:$word"
      if [ -n "$takes" ]; then owner="$word"; fi
    elif [ "$given" = 0 ] && _${NAME}_has "$path" "$word"; then
      path="\${path:+$path }$word"
    else
      given=$((given + 1))
    fi
  done
  if [ "$cur" = "=" ] && [ -n "$owner" ]; then cur=""; fi
  if [ -n "$owner" ] && { [ "$takes" = one ] || [ "\${cur:0:1}" != "-" ]; }; then
    _${NAME}_values "$path:$owner"
  elif [ -z "$ended" ] && [ "\${cur:0:1}" = "-" ]; then
    _${NAME}_options "$path"
  elif [ "$given" != 0 ] || ! _${NAME}_commands "$path"; then
    _${NAME}_values "$path:$given"
  fi
}

_${NAME}_words() {
  mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

# Offers folders, and the files with one of these extensions, or all files if none is named.
_${NAME}_files() {
  local extension
  compopt -o filenames 2>/dev/null
  if [ $# = 0 ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
  fi
  mapfile -t COMPREPLY < <(
    compgen -d -- "$cur"
    for extension; do compgen -f -X "!*.$extension" -- "$cur"; done
  )
}

_${NAME}_folders() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

# Offers programs, then files for their arguments.
_${NAME}_program() {
  if [ "$given" = 0 ]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$cur")
  else
    _${NAME}_files
  fi
}
`;

/** A row of a `case`: patterns, and what is done. */
type Row = readonly [patterns: readonly string[], action: string];

function rows(all: readonly Row[]): string {
  return all.map(([patterns, action]) => `    ${patterns.map(pattern).join(" | ")}) ${action} ;;`).join("\n");
}

/** A pattern in quotes, except for the number of any argument at its end. */
function pattern(text: string): string {
  if (!text.endsWith(ANY_ARGUMENT)) return shellQuoted(text);
  return `${shellQuoted(text.slice(0, -ANY_ARGUMENT.length))}${ANY_ARGUMENT}`;
}

/** Matches the number of an argument, and no option. */
const ANY_ARGUMENT = "[0-9]*";

function key({ path }: CommandNode): string {
  return path.join(" ");
}

function names({ commands }: CommandNode): string[] {
  return commands.map(({ path }) => path.at(-1) ?? "");
}

function optionKeys(node: CommandNode, option: OptionNode): string[] {
  return option.names.map((name) => `${key(node)}:${name}`);
}

function takes(node: CommandNode, option: OptionNode): Row[] {
  if (option.values === null) return [];
  const word = option.isVariadic ? "many" : option.isOptional ? "optional" : "one";
  return [[optionKeys(node, option), `takes=${word}`]];
}

function values(node: CommandNode): Row[] {
  const options = node.options.flatMap((option): Row[] => {
    const action = option.values === null ? null : offer(option.values);
    return action === null ? [] : [[optionKeys(node, option), action]];
  });
  const parameters = node.parameters.flatMap(({ values, isVariadic }, index): Row[] => {
    const action = offer(values);
    return action === null ? [] : [[[`${key(node)}:${isVariadic ? ANY_ARGUMENT : index}`], action]];
  });
  return [...options, ...parameters];
}

/** The call that offers values; null for a text that cannot be foreseen. */
function offer(values: Values): string | null {
  switch (values.kind) {
    case "words":
      return offered(values.words);
    case "files":
      return [`_${NAME}_files`, ...values.extensions.map(shellQuoted)].join(" ");
    case "folders":
      return `_${NAME}_folders`;
    case "program":
      return `_${NAME}_program`;
    case "text":
      return null;
  }
}

function offered(words: readonly string[]): string {
  return [`_${NAME}_words`, ...words.map(shellQuoted)].join(" ");
}
