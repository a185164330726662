import type { Argument, Command, Option } from "commander";
import { type Values, valuesOfArgument, valuesOfOption } from "./values.js";

/** A command as completions and the manual page describe it. */
export interface CommandNode {
  /** The words that select it, such as `seal` and `build`; empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly options: readonly OptionNode[];
  readonly parameters: readonly ParameterNode[];
  readonly commands: readonly CommandNode[];
}

export interface OptionNode {
  /** The spellings, such as `-V` and `--version`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Null if the option takes no value. */
  readonly values: Values | null;
  /** Whether the value may be left out. */
  readonly isOptional: boolean;
  /** Whether every following word up to the next option is a value too. */
  readonly isVariadic: boolean;
}

export interface ParameterNode {
  readonly name: string;
  readonly values: Values;
  readonly isVariadic: boolean;
}

/** Describes a command and those below it. Hidden commands and options are left out, as in `--help`. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const help = command.createHelp();
  const commands = help
    .visibleCommands(command)
    .map((inner) => (isHelp(inner, command) ? helpNode(inner, path, command) : below(inner, path)));
  return {
    path,
    description: command.description(),
    options: help.visibleOptions(command).map(optionNode),
    parameters: command.registeredArguments.map(parameterNode),
    commands,
  };
}

function below(command: Command, path: readonly string[]): CommandNode {
  return commandTree(command, [...path, command.name()]);
}

/** The `help` that commander adds is none of the commands that were added. */
function isHelp(command: Command, parent: Command): boolean {
  return !parent.commands.includes(command);
}

/** `help` takes the name of another command. */
function helpNode(help: Command, path: readonly string[], parent: Command): CommandNode {
  const words = parent.commands.map((command) => command.name());
  return {
    path: [...path, help.name()],
    description: help.description(),
    options: [],
    parameters: [{ name: "command", values: { kind: "words", words }, isVariadic: false }],
    commands: [],
  };
}

function optionNode(option: Option): OptionNode {
  return {
    names: [option.short, option.long].filter((name) => name !== undefined && name !== null),
    description: option.description,
    values: option.required || option.optional ? valuesOfOption(option) : null,
    isOptional: option.optional && !option.required, // `<name[=value]>` is both
    isVariadic: option.variadic,
  };
}

function parameterNode(argument: Argument): ParameterNode {
  return { name: argument.name(), values: valuesOfArgument(argument), isVariadic: argument.variadic };
}

/** All commands of a tree that can be written, the root first. */
export function allNodes(root: CommandNode): readonly CommandNode[] {
  return [root, ...root.commands.flatMap(allNodes)];
}
