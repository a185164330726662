import { type Command, CommanderError } from "commander";
import { CountersignError } from "../error.js";
import { EXIT } from "./output/exit.js";
import { helpWidth, wrapText } from "./output/help-width.js";
import { printError } from "./output/output.js";
import { commandLine } from "./program.js";

/** Runs the command line of the process and handles errors of its output streams. */
export async function run(): Promise<void> {
  // A closed reader (`| head`) is no failure. Output that cannot be written is one, whatever the verdict was.
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") process.exit(EXIT.unread);
    const remedy = "check the disk space, or the file that standard output goes to";
    printError(new CountersignError("FILE_UNREADABLE", `cannot be written: ${code}`, { place: "the output", remedy }));
    process.exit(EXIT.undecided);
  });
  // If stderr cannot be written, there is nowhere to report that.
  process.stderr.on("error", () => {});
  process.exitCode = await main(process.argv);
}

/** Runs one command line and returns the exit code. Only the module of the command that is used is imported. */
export async function main(argv: readonly string[]): Promise<number> {
  const wanted = argv[2] === "help" ? argv[3] : argv[2];
  const program = await commandLine(wanted ?? "");
  quiet(program);
  try {
    await program.parseAsync([...argv]);
    return process.exitCode === undefined ? EXIT.ok : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help"))
      return error.exitCode === 0 ? EXIT.ok : EXIT.undecided;
    const told = named(error, commandOf(program, argv.slice(argv[2] === "help" ? 3 : 2)));
    printError(told);
    if (wantsJson(argv))
      (wanted === "run" ? process.stderr : process.stdout).write(`${JSON.stringify({ error: told })}\n`);
    return EXIT.undecided;
  }
}

/** The command that words call, with its own commands: ` prove table`; nothing for a name that is none. */
function commandOf(program: Command, words: readonly string[]): string {
  const [word = "", ...others] = words;
  const command = program.commands.find((one) => one.name() === word);
  return command === undefined ? "" : ` ${word}${commandOf(command, others)}`;
}

/** Whether the caller asked for JSON. Words after `--` belong to another command. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const words = argv.slice(2, end < 0 ? undefined : end);
  const isFormat = (word: string, index: number) => word === "json" && words[index - 1] === "--format";
  return words.some((word, index) => word === "--json" || word === "--format=json" || isFormat(word, index));
}

/**
 * Makes commander throw its errors, for all subcommands, instead of printing them and ending the process, and fits the
 * help to the terminal.
 */
function quiet(command: Command): void {
  command.exitOverride().configureOutput({ outputError() {}, writeOut: printHelp });
  for (const inner of command.commands) quiet(inner);
}

function printHelp(text: string): void {
  const width = helpWidth(process.stdout);
  process.stdout.write(width === null ? text : wrapText(text, width));
}

function named(error: unknown, command: string): CountersignError {
  if (error instanceof CountersignError) return error;
  if (error instanceof CommanderError) return usage(error, command);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new CountersignError("INTERNAL", message, { remedy: "report this, with the command line and its input" });
}

/** Converts commander's message: without `error:` and full stop, and with the user's words in backticks. */
function usage({ message }: CommanderError, command: string): CountersignError {
  const said = message
    .replace(/^error: /, "")
    .replace(/\.$/, "")
    .replace(/'([^']*)'/g, "`$1`");
  return new CountersignError("USAGE", said, { remedy: `see \`countersign${command} --help\`` });
}
