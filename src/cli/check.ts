import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CONFIG } from "../config/config.js";
import { readSignature } from "../engine/offline.js";
import type { TimedEngine } from "../engine/timed-engine.js";
import { CountersignError } from "../error.js";
import { HOOK_NAMES, type HookName } from "../hooks/catalogue.js";
import { type Current, ROOT_ON_HOST } from "../policy/current.js";
import { type Ask, askAbout, labelled, openEngine } from "./ask.js";
import { checkLog } from "./check-log.js";
import { printCheck } from "./check-output.js";
import { type Checked, exitCodeOf } from "./checked.js";
import { printError } from "./output.js";
import { progress } from "./progress.js";

/** `countersign check FILE…`: decides about files without loading or running them. */
export function command(): Command {
  return new Command("check")
    .description("Decides about files offline, as the configuration would at its hooks")
    .argument("<file...>", "BPF objects, programs that carry them, kernel modules, or any blob")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .addOption(
      new Option("--hook <name>", "ask only this hook, instead of the hooks that fit the content of the file").choices(
        HOOK_NAMES,
      ),
    )
    .option("--signature <file>", "a detached signature of what is checked")
    .option("--as <file>", "who asks: a JSON file with fields of `current`")
    .addOption(
      new Option("--label <key=value>", "ask as a container with this label; again for more")
        .argParser(label)
        .default({}, "no container"),
    )
    .option("--uid <number>", "ask as this user", uid)
    .option("--comm <name>", "ask as a task of this name")
    .option("--at <time>", "decide as of this time, such as 2026-01-31T12:00:00Z", time)
    .option("--log [file]", "record the decisions in this log, or in the configuration's; without it no log is written")
    .option("--json", "one JSON object a file, an array for several")
    .addHelpText(
      "after",
      `
Policies decide about a BPF object as \`run\` has them decide while it is loaded: each map is created and its fd is
returned, then each program, at the hooks that the configuration serves. Facts that only a live load has are listed
where a policy reads them. \`--hook\` evaluates one hook alone.

Signatures are looked for beside each file (FILE.p7s) and in the configuration's \`signatures\`, by digest. Unless told
otherwise root asks, on the host. Exits with 0 when everything is allowed, 1 when something is denied, 2 when something
could not be decided: a file cannot be read, or an enforcing policy failed, with \`on_fault: allow\` too.

Examples:
  countersign check program.o
  countersign check --label tier=edge --label app=web *.o
  countersign check --log=checks.jsonl program.o
  countersign check --hook blob_verify --signature firmware.p7s firmware.bin`,
    )
    .action(check);
}

interface Options {
  readonly config: string;
  readonly hook?: HookName;
  readonly signature?: string;
  readonly as?: string;
  readonly label: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly comm?: string;
  readonly at?: number;
  /** True means the log of the configuration. */
  readonly log?: string | true;
  readonly json?: true;
}

async function check(files: readonly string[], options: Options): Promise<void> {
  const current = await whoAsks(options);
  const given = options.signature === undefined ? null : readSignature(options.signature);
  const engine = await openEngine(options.config, "check", options.at, (configured) => {
    return options.log === undefined ? null : checkLog(options.log, configured, options.config, files);
  });
  const bar = await progress(files.length);
  try {
    const ask = { current, hook: options.hook, signatures: { given, store: engine.signatures }, time: options.at };
    const checked: Checked[] = [];
    for (const file of files) {
      bar.step(file);
      checked.push(await checkFile(engine, file, ask));
    }
    bar.stop();
    printCheck(checked, options.json === true, (attachment, fact) => engine.reads(attachment, fact));
    for (const { error } of checked) if (error !== null) printError(error);
    process.exitCode = exitCodeOf(checked);
  } finally {
    bar.stop();
    engine.close();
  }
}

async function checkFile(engine: TimedEngine, file: string, ask: Ask): Promise<Checked> {
  try {
    const asked = await askAbout(engine, file, ask, true);
    const differences = asked
      .map(({ decision: { hook, subject, answers }, ...its }) => {
        return { hook, subject: subject.name, asked: answers.map(({ attachment }) => attachment), ...its };
      })
      .filter(({ unknown, offlineOnly }) => unknown.length + offlineOnly.length > 0);
    return { file, decisions: asked.map(({ decision }) => decision), differences, error: null };
  } catch (error) {
    if (error instanceof CountersignError) return { file, decisions: [], differences: [], error };
    throw error;
  }
}

async function whoAsks({ as, label, uid, comm }: Options): Promise<Current> {
  const base = as === undefined ? ROOT_ON_HOST : (await import("../config/current.js")).readCurrent(as);
  const user = uid === undefined ? {} : { uid, euid: uid };
  return labelled({ ...base, ...user, ...(comm === undefined ? {} : { comm }) }, label);
}

function label(text: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("Write it as key=value.");
  return { ...labels, [key]: value };
}

function uid(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff)
    throw new InvalidArgumentError("Give a number below 4294967296.");
  return Number(text);
}

function time(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write it such as 2026-01-31T12:00:00Z.");
  return at;
}
