import { Command, InvalidArgumentError, Option } from "commander";
import type { Variant } from "../../bpf/core/variant.js";
import type { Relocations } from "../../bpf/relocations.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import type { FileRequest } from "../../engine/file-decisions.js";
import { shadowDifferences } from "../../engine/shadow-change.js";
import { CountersignError } from "../../error.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import { openCache } from "../input/cache-option.js";
import { type CallerFlags, requireSubjects, whoAsks, withCallerFlags } from "../input/caller-flags.js";
import {
  KERNEL_FILES,
  type KernelOptions,
  openTarget,
  requireKernel,
  withKernelOptions,
} from "../input/kernel-options.js";
import { type OpenedEngines, openEngineWithShadow, type ShadowEngine } from "../input/open-engine.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { checkLog } from "../output/check-log.js";
import { printCheck } from "../output/check-output.js";
import { type Checked, exitCodeOf } from "../output/checked.js";
import type { Reads } from "../output/live-notes.js";
import { printError } from "../output/output.js";
import { progress } from "../output/progress.js";

/** `countersign check FILE…`: decides about files without loading or running them. */
export function command(): Command {
  const command = new Command("check")
    .description("Decides about files offline, as the configuration would at its hooks")
    .argument("[file...]", "BPF objects, executables that embed them, kernel modules, or any blob")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .addOption(
      new Option("--hook <name>", "ask only this hook, instead of the hooks that fit the content of the file").choices(
        HOOK_NAMES,
      ),
    )
    .option("--request <file>", "decide about the requests in this file, one JSON object in each line; - for stdin")
    .option("--signature <file>", "a detached signature of what is checked");
  withCallerFlags(command)
    .option("--at <time>", "decide as of this time, such as 2026-01-31T12:00:00Z", time)
    .option(
      "--log [file]",
      "record the decisions in this log, or in the configuration's, and print the id of each denial beside it",
    );
  return withKernelOptions(command, "decide about programs as they are on this kernel, after relocation")
    .option("--json", "one JSON object a file, an array for several")
    .addHelpText(
      "after",
      `
Policies decide about a BPF object as \`run\` has them decide while it is loaded: each map is created and its fd is
returned, then each program, at the hooks that the configuration serves. Facts that only a live load has are listed
where a policy reads them. \`--hook\` evaluates one hook alone.

With --btf, facts about programs are those on that kernel, and only effects of branches that it takes count. Programs
that cannot load there are listed, and the decision is about their facts in the object.

${KERNEL_FILES}

What the configuration's \`shadow\` would decide otherwise follows the table; the exit code does not depend on it.

A request describes its subject as a case of a test does, and who asks: {"program": {"type": "xdp"}, "uid": 1000}, or
{"command": {"name": "BPF_OBJ_PIN", "path": "/sys/fs/bpf/x"}}. Or it has all facts of a recorded decision, as those that
\`log --as-request\` writes. Writes of one request are seen by the next, unless it has \`maps\` of its own. A line that
is no request is an error, and the others are decided. With --json each decision is one line.

Signatures are looked for beside each file (FILE.p7s) and in the configuration's \`signatures\`, by digest. Unless told
otherwise root asks, on the host. Exits with 0 when everything is allowed, 1 when something is denied, 2 when something
could not be decided: a file cannot be read, or an enforcing policy failed, with \`on_fault: allow\` too.

Examples:
  countersign check program.o
  countersign check --label tier=edge --label app=web *.o
  countersign check --log=checks.jsonl program.o
  countersign check --btf linux-image-6.12.118+deb13-amd64.deb program.o
  countersign check --json --request requests.jsonl
  countersign check --hook blob_verify --signature firmware.p7s firmware.bin`,
    )
    .action(check);
}

interface Options extends KernelOptions, CallerFlags {
  readonly config: string;
  readonly hook?: HookName;
  readonly request?: string;
  readonly signature?: string;
  readonly at?: number;
  /** True means the log of the configuration. */
  readonly log?: string | true;
  readonly json?: true;
}

async function check(files: readonly string[], options: Options): Promise<void> {
  requireKernel(options);
  requireSubjects(files, options);
  const current = await whoAsks(options);
  const cache = openCache(options);
  const target = options.btf === undefined ? null : await openTarget(options.btf, options, cache);
  const signature = options.signature === undefined ? undefined : await signatureIn(options.signature);
  const opened = await openEngineWithShadow(options.config, "check", cache, options.at, (configured) => {
    return options.log === undefined ? null : checkLog(options.log, configured, options.config, files);
  });
  const { engine, shadow } = opened;
  const bar = await progress(files.length);
  try {
    if (options.request !== undefined) {
      const [{ checkRequests }, { configuredPrograms }] = await Promise.all([
        import("../input/request-check.js"),
        import("../log/configured-log.js"),
      ]);
      const asked = { hook: options.hook, time: options.at, json: options.json === true };
      process.exitCode = await checkRequests(opened, options.request, {
        ...asked,
        programs: configuredPrograms([], options.config),
        isLogged: options.log !== undefined,
      });
      return;
    }
    const request = { current, hook: options.hook, signature, time: options.at, wholeLoad: true };
    const checked: Checked[] = [];
    for (const file of files) {
      bar.step(file);
      checked.push(await checkFile(opened, file, request, target, options.variant));
    }
    bar.stop();
    const reads: Reads = (attachment, fact) => engine.reads(attachment, fact);
    printCheck(checked, options.json === true, reads, target, options.log !== undefined);
    for (const { error } of checked) if (error !== null) printError(error);
    process.exitCode = exitCodeOf(checked);
  } finally {
    bar.stop();
    engine.close();
    shadow?.engine.close();
    cache?.save();
  }
}

async function signatureIn(file: string): Promise<Uint8Array> {
  const { readSignature } = await import("../../trust/signature-file.js");
  return readSignature(file);
}

async function checkFile(
  { engine, shadow }: OpenedEngines,
  file: string,
  request: FileRequest,
  target: TargetKernel | null,
  variant: Variant,
): Promise<Checked> {
  const decide = async (relocations: Relocations | null): Promise<Checked> => {
    const asked = { ...request, relocate: relocations?.relocate };
    const { decideFile } = await import("../../engine/file-decisions.js");
    const decided = await decideFile(engine, file, asked);
    const decisions = decided.map(({ decision }) => decision);
    const changes =
      shadow === null ? null : shadowDifferences(shadow.file, decisions, await ofShadow(shadow, file, asked));
    for (const change of changes ?? []) engine.logDifference(change);
    const differences = decided
      .map(({ decision: { hook, subject, answers }, ...its }) => {
        return { hook, subject: subject.name, asked: answers.map(({ attachment }) => attachment), ...its };
      })
      .filter(({ unknown, offlineOnly }) => unknown.length + offlineOnly.length > 0);
    const reasons = relocations?.reasons.filter((reason) => reason !== null) ?? [];
    return { file, decisions, differences, changes, reasons, error: null };
  };
  try {
    // Modules are read before the first decision, so that nothing is decided twice.
    if (target === null) return await decide(null);
    return await target.use(() => decide(target.relocations(variant)));
  } catch (error) {
    if (error instanceof CountersignError)
      return { file, decisions: [], differences: [], changes: null, reasons: [], error };
    throw error;
  }
}

async function ofShadow({ engine }: ShadowEngine, file: string, request: FileRequest): Promise<readonly Decision[]> {
  const { decideFile } = await import("../../engine/file-decisions.js");
  return (await decideFile(engine, file, request)).map(({ decision }) => decision);
}

function time(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write it such as 2026-01-31T12:00:00Z.");
  return at;
}
