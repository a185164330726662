import { allNodes, type CommandNode, type OptionNode, type ParameterNode } from "./command-tree.js";
import { shellQuoted } from "./quoted.js";
import type { Values } from "./values.js";

/**
 * The completions of zsh: one function for each command, with specifications for `_arguments` (zshcompsys(1)). The
 * text can be a file of $fpath, or be evaluated after compinit.
 */
export function zshCompletion(root: CommandNode): string {
  return `#compdef ${NAME}
# Completions of zsh for ${NAME}, made by \`${NAME} completion zsh\`.

${allNodes(root).map(zshFunction).join("\n")}
if [ "\${funcstack[1]}" = "_${NAME}" ]; then
  _${NAME} "$@"
else
  compdef _${NAME} ${NAME}
fi
`;
}

const NAME = "countersign";

function functionName({ path }: CommandNode): string {
  return ["", NAME, ...path].join("_");
}

function zshFunction(node: CommandNode): string {
  const specifications = [...node.options.flatMap(option), ...(node.commands.length > 0 ? COMMANDS : arguments_(node))];
  const list = specifications.map((text) => ` \\\n    ${shellQuoted(text)}`).join("");
  const first = `${functionName(node)}() {\n`;
  if (node.commands.length === 0) return `${first}  _arguments -S${list}\n}\n`;
  const cases = node.commands.map((inner) => `        ${name(inner)}) ${functionName(inner)} ;;\n`).join("");
  const described = node.commands.map((inner) => `        ${shellQuoted(`${name(inner)}:${inner.description}`)}\n`);
  return `${first}  local curcontext="$curcontext" state line
  local -a choices
  _arguments -C${list}
  case "$state" in
    command)
      choices=(
${described.join("")}      )
      _describe -t commands command choices
      ;;
    rest)
      curcontext="\${curcontext%:*:*}:${NAME}-$words[1]:"
      case "$words[1]" in
${cases}      esac
      ;;
  esac
}
`;
}

/** A word that is a command of this one, then the words that this command completes. */
const COMMANDS = ["1: :->command", "*:: :->rest"];

function name({ path }: CommandNode): string {
  return path.at(-1) ?? "";
}

/** One specification for each spelling. An option with a value can be repeated; another excludes its spellings. */
function option({ names, description, values, isOptional, isVariadic }: OptionNode): string[] {
  const text = `[${escaped(description)}]`;
  if (values === null) return names.map((one) => `(${names.join(" ")})${one}${text}`);
  const separator = isVariadic ? ":*-*:" : isOptional ? "::" : ":";
  return names.map((one) => `*${one}${one.startsWith("--") ? "=" : ""}${text}${separator}value:${action(values)}`);
}

/** The space keeps zsh from putting arguments of its own before `-e`, which has to be the first. */
const PROGRAMS = " _command_names -e";

function arguments_({ parameters }: CommandNode): string[] {
  return parameters.flatMap(({ name, values, isVariadic }: ParameterNode, index) => {
    if (values.kind === "program") return [`(-)1:program:${PROGRAMS}`, "*::argument: _normal"];
    return [`${isVariadic ? "*" : index + 1}:${escaped(name)}:${action(values)}`];
  });
}

function action(values: Values): string {
  switch (values.kind) {
    case "words":
      return `(${values.words.map((word) => word.replaceAll(/[^\w./-]/g, "\\$&")).join(" ")})`;
    case "files":
      return values.extensions.length === 0 ? "_files" : `_files -g "${glob(values.extensions)}"`;
    case "folders":
      return "_files -/";
    case "program":
      return PROGRAMS;
    case "text":
      return " ";
  }
}

/** zsh reads a group without an alternative as qualifiers of the pattern. */
function glob(extensions: readonly string[]): string {
  return extensions.length === 1 ? `*.${extensions[0]}` : `*.(${extensions.join("|")})`;
}

/** Colons and brackets have a meaning in a specification. */
function escaped(text: string): string {
  return text.replaceAll(/[\\:[\]]/g, "\\$&");
}
