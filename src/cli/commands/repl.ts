import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { Command, Option } from "commander";
import { type Config, parseConfig, readConfig } from "../../config/config.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { questionsAboutFile } from "../../engine/files/file-questions.js";
import { StatementStore } from "../../engine/statements/statement-store.js";
import type { RequestWithMaps } from "../../engine/timed-engine.js";
import { CountersignError, oneLine } from "../../error.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import { type CallerFlags, requireSubjects, whoAsks, withCallerFlags } from "../input/caller-flags.js";
import { EXIT } from "../output/exit.js";
import { print, printError, printJson, styled } from "../output/output.js";
import { table } from "../output/table.js";
import { completionsOf } from "../repl/completions.js";
import { type Evaluated, EvaluationFault, Session } from "../repl/session.js";

/** `countersign repl [FILE]`: explores the facts of a file or of requests, and evaluates expressions of policies. */
export function command(): Command {
  const command = new Command("repl")
    .description("Evaluates expressions of policies in the sandbox, on the facts of a file: a line in, its value out")
    .argument("[file]", "a BPF object, an executable that embeds one, a kernel module, or any blob")
    .option("--request <file>", "have the subjects and callers of these requests, one JSON object in each line")
    .option("--config <file>", "the configuration with keyrings and maps (default: countersign.yaml if it is there)")
    .addOption(new Option("--hook <name>", "have the subject of this hook").choices(HOOK_NAMES));
  return withCallerFlags(command)
    .option("--eval <expression>", "evaluate this and end; again for more", (text, all: readonly string[] = []) => [
      ...all,
      text,
    ])
    .option(
      "--json",
      "one JSON object a line: `value` or `text`, `verdict`, `helpers`, `steps`, `warnings`, or `error`",
    )
    .addHelpText(
      "after",
      `
The subject is called as in a policy, such as \`prog\`, \`map\`, \`command\` or \`file\`. A line may use \`current\`
and all helpers. \`const\`, \`let\` and \`function\` declare names for later lines. Each line is linked and evaluated as
a policy, so errors are those that a policy has. TAB completes facts and helpers. Map updates do not outlive their line.

  .subjects   the programs and maps in the file, or the requests, each with its hook
  .use N      have subject N of that list
  .exit       end; so does Ctrl-D

A request describes its subject, and who asks, as for \`check --request\`: commands, tokens, modules and executables
too.

Standard input can also be a file or a pipe. Exits with 0, or with 2 if a line that was not typed in a terminal failed.

Examples:
  countersign repl program.o
  countersign repl --eval prog.helpers --eval 'verify_program(prog, "platform")' program.o
  echo 'prog.effects' | countersign repl --json program.o
  countersign repl --request requests.jsonl --eval command.path`,
    )
    .action(repl);
}

/** A configuration without keyrings and maps. Its attachment is replaced by the line that is evaluated. */
const NO_CONFIG = "version: 1\nattachments: [{ policy: repl.js }]\n";

interface Options extends CallerFlags {
  readonly request?: string;
  readonly config?: string;
  readonly hook?: HookName;
  readonly eval?: readonly string[];
  readonly json?: true;
}

async function repl(file: string | undefined, { eval: given = [], json, ...options }: Options): Promise<void> {
  requireSubjects(file === undefined ? [] : [file], options);
  if (options.request === "-" && given.length === 0)
    throw new CountersignError("USAGE", "`--request -` goes without lines on standard input", {
      remedy: "give the lines with --eval, or the requests in a file",
    });
  const path = options.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : null);
  const config = path === null ? parseConfig("countersign.yaml", NO_CONFIG) : readConfig(path, "check");
  const questions =
    options.request === undefined
      ? await questionsOf(file!, config, options)
      : await (await import("../repl/requested.js")).requestsIn(options.request, options.hook, config);
  const start = questions.find(({ subject }) => "helpers" in subject) ?? questions[0]!;
  const session = new Session(config, path === null ? "." : dirname(path), start);
  const isTyped = given.length === 0 && process.stdin.isTTY === true;
  const lines = given.length > 0 ? given : linesOf(session, isTyped, (typed) => completionsOf(session, typed));
  for await (const line of lines) {
    if (line.trim() === "") continue;
    if (line.trim() === ".exit") break;
    try {
      if (line.startsWith(".")) obey(session, questions, line.trim());
      else report(await session.evaluate(line), json === true);
    } catch (error) {
      if (!(error instanceof CountersignError || error instanceof EvaluationFault)) throw error;
      tell(error, json === true);
      if (!isTyped) process.exitCode = EXIT.undecided;
    }
  }
}

/** What a load of the file asks. Throws USAGE for a file without a subject for the hook. */
async function questionsOf(file: string, config: Config, options: Options): Promise<readonly RequestWithMaps[]> {
  const current = await whoAsks(options);
  const statements = StatementStore.ofConfiguration(config);
  const questions = questionsAboutFile(file, config.signatures, { hook: options.hook }, statements);
  if (questions.length === 0)
    throw new CountersignError("USAGE", "has no subject for this hook", {
      place: file,
      remedy: "leave out --hook, or name a file with a program",
    });
  return questions.map(({ hook, subject }) => ({ hook, subject: subject as never, current }));
}

/** Lines of standard input, with a prompt if it is a terminal. */
function linesOf(
  session: Session,
  isTyped: boolean,
  completer: (typed: string) => [string[], string],
): AsyncIterable<string> {
  if (!isTyped) return createInterface({ input: process.stdin });
  const terminal = createInterface({ input: process.stdin, output: process.stdout, completer });
  const prompt = async function* () {
    terminal.setPrompt(`${session.argument}> `);
    terminal.prompt();
    for await (const line of terminal) {
      yield line;
      terminal.setPrompt(`${session.argument}> `);
      terminal.prompt();
    }
  };
  return prompt();
}

/** Executes a line that starts with a point. Throws USAGE for any other than those of `--help`. */
function obey(session: Session, questions: readonly RequestWithMaps[], line: string): void {
  const [, number] = /^\.use (\d+)$/.exec(line) ?? [];
  const chosen = number === undefined ? undefined : questions[Number(number) - 1];
  if (chosen !== undefined) session.question = chosen;
  else if (line === ".subjects") {
    const rows = questions.map(({ hook, subject }, index) => [String(index + 1), hook, oneLine(subject.name ?? "")]);
    print(table(["", "HOOK", "SUBJECT"], rows));
  } else
    throw new CountersignError("USAGE", `\`${line}\` is no command of this prompt, or no subject has that number`, {
      remedy: "use `.subjects`, `.use N` or `.exit`",
    });
}

function report(evaluated: Evaluated, asJson: boolean): void {
  if (asJson) {
    printJson(evaluated);
    return;
  }
  const { value, text, verdict, helpers, warnings } = evaluated;
  for (const warning of warnings) print(styled("yellow", `warning: ${warning}`));
  for (const helper of helpers) print(styled("dim", oneLine(helper)));
  if (text !== undefined) print(oneLine(text));
  else if ("value" in evaluated)
    print(
      inspect(value, { depth: 8, breakLength: 100, colors: process.stdout.isTTY === true && !process.env.NO_COLOR }),
    );
  if (verdict !== undefined) print(`as a verdict: ${oneLine(verdict)}`);
}

function tell(error: CountersignError | EvaluationFault, asJson: boolean): void {
  if (asJson) printJson({ error: error instanceof CountersignError ? error : { message: error.message } });
  else if (error instanceof CountersignError) printError(error);
  else process.stderr.write(`${styled("red", oneLine(error.message), process.stderr)}\n`);
}
