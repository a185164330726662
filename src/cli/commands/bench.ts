import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { fileQuestions } from "../../engine/file-decisions.js";
import { CountersignError } from "../../error.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import { type Measured, Measurements } from "../bench/measurements.js";
import { objectFiles } from "../files/object-files.js";
import { type CallerFlags, whoAsks, withCallerFlags } from "../input/caller-flags.js";
import { openEngineToMeasure } from "../input/open-engine.js";
import { EXIT } from "../output/exit.js";
import { print, printJson } from "../output/output.js";
import { progress } from "../output/progress.js";
import { table } from "../output/table.js";

/** `countersign bench FILE…`: what each attachment of a configuration costs. */
export function command(): Command {
  const command = new Command("bench")
    .description("Measures what each attachment of a configuration costs: time, steps and memory of its answers")
    .argument("<path...>", "what to decide about: files as for `check`, or folders with BPF objects")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .addOption(new Option("--hook <name>", "ask only this hook").choices(HOOK_NAMES))
    .option("--rounds <number>", "how often to decide about each subject", rounds, 200);
  return withCallerFlags(command)
    .option("--json", "one JSON object: `rounds`, `subjects`, `rows`, `memory` and `not_asked`")
    .addHelpText(
      "after",
      `
Each round decides once about each subject, as a gate does that knows the program already, with another pid each time.
FIRST is the median of the first decision about each subject, for which the sandbox builds it. STEPS are the most that
one answer took; MEMORY is what the policy's runtime holds in the end. What a gate adds, such as the analysis of a new
program and the decision log, is not measured. Nothing is written: map updates stay in memory.

Times are of this machine, and differ between runs. A row without an attachment is the whole decision at that hook.

Exits with 0 when done, 2 if a file cannot be read, or an answer was a fault. Policies have their limits of steps and
memory, and no limit of time, since one may pass because the machine is busy.

Examples:
  countersign bench program.o
  countersign bench --label tier=edge --rounds 1000 /usr/lib/bpf`,
    )
    .action(bench);
}

interface Options extends CallerFlags {
  readonly config: string;
  readonly hook?: HookName;
  readonly rounds: number;
  readonly json?: true;
}

async function bench(paths: readonly string[], options: Options): Promise<void> {
  const current = await whoAsks(options);
  const engine = await openEngineToMeasure(options.config);
  const bar = await progress(options.rounds + 1);
  try {
    const files = objectFiles(paths);
    const questions = files.flatMap(({ path }) => fileQuestions(engine, path, { hook: options.hook, wholeLoad: true }));
    if (questions.length === 0) throw noSubject(paths);
    const measurements = new Measurements();
    measurements.run(engine, questions, current, options.rounds, (round) => bar.step(`round ${round}`));
    bar.stop();
    const { rows } = measurements;
    const asked = new Set(rows.map(({ attachment }) => attachment));
    const memory = engine.memory();
    const notAsked = memory.map(({ attachment }) => attachment).filter((name) => !asked.has(name));
    const { rounds } = options;
    if (options.json === true) printJson({ rounds, subjects: questions.length, rows, memory, not_asked: notAsked });
    else report(rows, new Map(memory.map(({ attachment, bytes }) => [attachment, bytes])), notAsked);
    process.exitCode = rows.some(({ faults }) => faults > 0) ? EXIT.undecided : EXIT.ok;
  } finally {
    bar.stop();
    engine.close();
  }
}

function noSubject([path = ""]: readonly string[]): CountersignError {
  return new CountersignError("USAGE", "has nothing that a policy could decide about", {
    place: path,
    remedy: "name a BPF object, a kernel module, or a folder with one",
  });
}

function report(
  rows: readonly Measured[],
  memory: ReadonlyMap<string | null, number | null>,
  notAsked: readonly string[],
): void {
  const cells = rows.map(({ hook, attachment, decisions, p50_us, p99_us, first_us, steps, faults }) => [
    hook,
    attachment ?? "",
    String(decisions),
    ...[p50_us, p99_us, first_us].map((time) => `${time.toFixed(1)} µs`),
    steps === null ? "" : String(steps),
    bytes(memory.get(attachment) ?? null),
    faults === 0 ? "" : String(faults),
  ]);
  print(table(["HOOK", "ATTACHMENT", "DECISIONS", "P50", "P99", "FIRST", "STEPS", "MEMORY", "FAULTS"], cells));
  if (notAsked.length > 0)
    print(
      `\nnot asked, because no subject is for their hooks or the task is not in their scope: ${notAsked.join(", ")}`,
    );
}

function bytes(size: number | null): string {
  return size === null ? "" : `${Math.ceil(size / 1024)} KiB`;
}

/** Rounds are bounded so that all measured times fit into memory. */
const MAX_ROUNDS = 100_000;

function rounds(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text) || Number(text) > MAX_ROUNDS)
    throw new InvalidArgumentError(`Give a number from 1 to ${MAX_ROUNDS}.`);
  return Number(text);
}
