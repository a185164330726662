import { existsSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { CountersignError } from "../../error.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import { readInput } from "../../input.js";
import { DecisionSearch, type FoundDecision } from "../../log/decision-search.js";
import { closeLogFile, openLogs } from "../../log/log-files.js";
import { readSignature } from "../../trust/signature-file.js";
import type { Explanation } from "../../workbench/explain/explanation.js";
import { writeWhole } from "../files/write.js";
import { type CallerFlags, whoAsks, withCallerFlags } from "../input/caller-flags.js";
import { ChosenKernel } from "../input/chosen-kernel.js";
import { KERNEL_FILES, type KernelOptions, requireKernel, withKernelOptions } from "../input/kernel-options.js";
import { compileWasmOnce } from "../input/wasm-compiler.js";
import { configuredPrograms, logsToRead } from "../log/configured-log.js";
import { LogProblems } from "../log/log-problems.js";
import { EXIT } from "../output/exit.js";
import { explainText } from "../output/explain-text.js";
import { print, printError, printJson } from "../output/output.js";

/** `countersign explain [ID | FILE…]`: why a decision is what it is. */
export function command(): Command {
  const command = new Command("explain")
    .description("Says why a decision is what it is: scopes, facts read, answers of helpers, the line that returned")
    .argument("[id|file...]", "the id of a decision in the log, or files to decide about (default: the newest denial)")
    .option("--log <file>", "the log, `-` for standard input; again for more (default: that of the configuration)", all)
    .option("--config <file>", "the configuration whose log is read, or that decides about files", DEFAULT_CONFIG)
    .option("--object <file>", "the object that was loaded: shows its instructions for each effect")
    .addOption(new Option("--hook <name>", "of files, ask only this hook").choices(HOOK_NAMES))
    .option("--signature <file>", "a detached signature of the file");
  return withKernelOptions(withCallerFlags(command), "the kernel that --object or the files are relocated for")
    .option("--at <time>", "decide about files as of this time, such as 2026-01-31T12:00:00Z", time)
    .option("--html <file>", "write one page that loads nothing from the network, and print nothing")
    .addOption(new Option("--json", "one JSON object; for files an array").conflicts("html"))
    .addHelpText(
      "after",
      `
A decision in a log with \`log.level: inputs\` is executed again from its record, and its policies are observed.
No other file than the log is needed. If an input is missing, it is named, and this shows what the record holds, as for
any other decision. \`check --log\` and the summary of \`run\` print ids of denials. Instructions are those that
\`log.programs\` of the configuration keeps, unless --log is given, or those of --object: with --btf as they are on that
kernel.

Files are decided about as \`check\` does, and each decision is explained, with the instructions that have the effects.
\`--uid\`, \`--label\`, \`--comm\` and \`--as\` say who asks, and --btf on which kernel.

${KERNEL_FILES}

Exits with 0, or with 2 if there is no such decision, a part of the log that is needed cannot be read, or a file cannot
be decided about.

Examples:
  countersign explain
  countersign explain 01a220c3-2003-72f9-a12f-3bc8cdc67ab7
  countersign explain --object tracer.o --html why.html 01a220c3-2003-72f9-a12f-3bc8cdc67ab7
  countersign explain --object tracer.o --btf linux-image-6.12.118+deb13-amd64.deb
  countersign explain --label tier=edge tracer.o`,
    )
    .action(explain);
}

interface Options extends CallerFlags, KernelOptions {
  readonly config: string;
  readonly log?: readonly string[];
  readonly object?: string;
  readonly hook?: HookName;
  readonly signature?: string;
  readonly at?: number;
  readonly html?: string;
  readonly json?: true;
}

async function explain(named: readonly string[], options: Options): Promise<void> {
  requireKernel(options);
  compileWasmOnce();
  const [first, ...others] = named;
  if (first === undefined || (others.length === 0 && isId(first)))
    await show([await recordedDecision(first, options)], options, false);
  else await show(await filesExplained(named, options), options, named.length > 0);
}

/** Ids of this version are UUIDs, those of earlier ones `64d33d1e960d-1`. A file of such a name is a file. */
function isId(text: string): boolean {
  return /^[0-9a-f]+(?:-[0-9a-f]+)+$/.test(text) && !existsSync(text);
}

/** Options that say how a file is decided about, beside --label. */
const OF_FILES = ["as", "at", "comm", "hook", "signature", "uid"] as const;

async function recordedDecision(id: string | undefined, options: Options): Promise<Explanation> {
  const { label, ...given } = options;
  const unused = Object.keys(label).length > 0 ? "label" : OF_FILES.find((name) => given[name] !== undefined);
  if (unused !== undefined)
    throw new CountersignError("USAGE", `--${unused} is for files, and a recorded decision has what it was made from`, {
      remedy: `name files, or leave --${unused} out`,
    });
  if (options.btf !== undefined && options.object === undefined)
    throw new CountersignError("USAGE", "--btf is for --object or for files, and a recorded decision needs no kernel", {
      remedy: "name the object that was loaded with --object, or leave --btf out",
    });
  const { explain: explained } = await import("../../workbench/explain/explain.js");
  const problems = new LogProblems();
  const logs = options.log ?? [];
  const found = await decisionIn(logsToRead(logs, options.config), id, problems);
  problems.close();
  const explanation = explained(found.line, found.reader, configuredPrograms(logs, options.config));
  return options.object === undefined ? explanation : withObject(explanation, options.object, options);
}

/** Throws ELF_NO_PROGRAMS if the object does not have the program. */
async function withObject(explanation: Explanation, object: string, options: Options): Promise<Explanation> {
  const { withCode } = await import("../../workbench/explain/object-code.js");
  const kernel = await ChosenKernel.open(options);
  const bytes = readInput(object);
  try {
    const code = () => withCode(explanation, bytes, kernel?.relocator());
    const found = kernel === null ? code() : await kernel.target.use(code);
    if (found !== null) return found;
  } catch (error) {
    throw error instanceof CountersignError ? error.within(object) : error;
  } finally {
    kernel?.save();
  }
  const { kind, name, digest } = explanation.subject;
  throw new CountersignError("ELF_NO_PROGRAMS", `does not have the ${kind} \`${name}\` with the digest ${digest}`, {
    place: object,
    remedy: "name the object that was loaded, or leave --object out",
  });
}

async function filesExplained(files: readonly string[], options: Options): Promise<readonly Explanation[]> {
  if (options.object !== undefined || options.log !== undefined)
    throw new CountersignError("USAGE", "--log and --object are for a decision in a log, and not for files", {
      remedy: "name the id of one decision, or leave them out",
    });
  const [{ explain: explained }, { withCode }, { recordedCheck }] = await Promise.all([
    import("../../workbench/explain/explain.js"),
    import("../../workbench/explain/object-code.js"),
    import("../input/recorded-check.js"),
  ]);
  const signature = options.signature === undefined ? undefined : readSignature(options.signature);
  const request = { current: await whoAsks(options), hook: options.hook, signature, time: options.at };
  const kernel = await ChosenKernel.open(options);
  const decided = await recordedCheck(files, options.config, request, kernel, (file, error) => {
    printError(isMissing(error, file) ? neither(file, error) : isLog(error, file) ? logNamed(file, error) : error);
    process.exitCode = EXIT.undecided;
  });
  const explanations = decided.map(({ file, line, reader }) => {
    const explanation = explained(line, reader);
    if (explanation.subject.kind !== "program" || explanation.evidence.length === 0) return explanation;
    return withCode(explanation, readInput(file), kernel?.relocator()) ?? explanation;
  });
  kernel?.save();
  return explanations;
}

function isMissing({ code, place }: CountersignError, file: string): boolean {
  return code === "FILE_UNREADABLE" && place === file && !existsSync(file);
}

/** The error for what is neither a file nor the id of a decision. */
function neither(file: string, { message, cause }: CountersignError): CountersignError {
  const remedy = "name a file, or the whole id of one decision, which `countersign log` shows";
  return new CountersignError("FILE_UNREADABLE", message, { place: file, remedy, cause });
}

/** Whether the file that cannot be decided about begins as a decision log does. */
function isLog({ code }: CountersignError, file: string): boolean {
  return code === "ELF_NO_PROGRAMS" && readInput(file)[0] === "{".charCodeAt(0);
}

/** The error for a log in the place of the files to decide about. */
function logNamed(file: string, { code, message, cause }: CountersignError): CountersignError {
  const remedy = `name a BPF object; or, to explain a decision of a log, \`--log ${file}\` and its id`;
  return new CountersignError(code, message, { place: file, remedy, cause });
}

/** The decision to explain. Throws RECORD_NOT_FOUND. */
async function decisionIn(
  paths: readonly string[],
  id: string | undefined,
  { add }: LogProblems,
): Promise<FoundDecision> {
  const files = openLogs(paths);
  try {
    const search = new DecisionSearch(files, add);
    if (id === undefined) {
      const newest = await search.newestDenial();
      if (newest !== null) return newest;
      throw new CountersignError("RECORD_NOT_FOUND", `no decision of ${paths.join(", ")} is a denial`, {
        remedy: "name the id of a decision, which `countersign log` shows",
      });
    }
    const [first, ...others] = await search.withId(id);
    for (const { place } of others)
      add(
        new CountersignError("LOG_DAMAGED", `has the id of an earlier decision, at ${first!.place}`, {
          place,
          remedy: "compare the log with another copy; the first decision is explained",
        }),
      );
    if (first !== undefined) return first;
    const remedy = "check the id, and name the log that has it with --log";
    throw new CountersignError("RECORD_NOT_FOUND", `no record has the id \`${id}\``, { remedy });
  } finally {
    for (const file of files) closeLogFile(file);
  }
}

async function show(explanations: readonly Explanation[], { html, json }: Options, isList: boolean): Promise<void> {
  if (html !== undefined) {
    const { explanationPage } = await import("../../workbench/explanation-page.js");
    writeWhole(html, Buffer.from(explanationPage(explanations)));
  } else if (json === true) printJson(isList ? explanations : explanations[0]);
  else if (explanations.length > 0) print(explanations.map(explainText).join("\n\n"));
}

function time(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write it such as 2026-01-31T12:00:00Z.");
  return at;
}

function all(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
