import { Command, InvalidArgumentError, Option } from "commander";
import { parseConfig, readConfig } from "../../config/config.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { oneLine } from "../../error.js";
import { COUNT_NAMES, COUNTS } from "../../gate/decisions/tally.js";
import type { ReportedDenial } from "../../gate/messages/messages.js";
import type { RunResult } from "../../gate/run/run.js";
import { AGENT_SOCKET, agentOfSeal } from "../input/agent-of-seal.js";
import { argvBytes } from "../input/argv-bytes.js";
import { printError, styled, warn } from "../output/output.js";

/** `countersign run`: runs a command behind a live gate. */
export function command(): Command {
  return new Command("run")
    .description("Runs a command, with all its children, so that what it loads into the kernel is decided by policies")
    .argument("<command...>", "the command and its arguments, after `--`")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .option("--audit", "dry run: deny nothing, record what would have been denied")
    .option(
      "--follow-files",
      "do not seal keyrings without `sealed`: they follow their files, which the command may change",
    )
    .option("--log-fd <fd>", "log decisions to this fd, which the gate inherits and the command does not", fdNumber)
    .addOption(
      new Option("--agent <socket>", "the agent's socket, if the machine is sealed with one").default(AGENT_SOCKET),
    )
    .option("--quiet", "no summary at the end")
    .option("--json", "the summary as one JSON object, on stderr")
    .addHelpText(
      "after",
      `
The command's output, terminal, signals and exit code are its own (docs/run.md). The summary goes to stderr. Exit codes
of the gate itself: 2 if it cannot start, 125 if the command could not be confined, 126 and 127 if it could not be
executed.

On a machine that is sealed with an agent (docs/seal.md), the agent is asked about what this configuration allows: a
program is loaded if both allow it.

Examples:
  countersign run -- bpftool prog load program.o /sys/fs/bpf/program
  countersign run --audit -- execsnoop-libbpf`,
    )
    .action(run);
}

function fdNumber(text: string): number {
  if (/^(?:[3-9]|[1-9]\d{1,6})$/.test(text)) return Number(text);
  throw new InvalidArgumentError(
    "Give the number of an open fd above 2, such as 3 if the shell opens `3>>decisions.jsonl`.",
  );
}

interface Options {
  readonly config: string;
  readonly audit?: true;
  readonly followFiles?: true;
  readonly logFd?: number;
  readonly agent: string;
  readonly quiet?: true;
  readonly json?: true;
}

async function run(
  words: readonly string[],
  { config: file, audit, followFiles, logFd, agent, quiet, json }: Options,
): Promise<void> {
  const { usePrivateCopy } = await import("../../sys/native.js");
  usePrivateCopy();
  const { runCommand } = await import("../../gate/run/run.js");
  const { inAudit } = await import("../../gate/decisions/settings.js");
  const read = readConfig(file, "run", parseConfig, followFiles !== true);
  const result = await runCommand({
    config: audit ? inAudit(read) : read,
    command: argvBytes(words),
    logFd,
    agent: await agentOfSeal(agent),
    say: printError,
    warn,
  });
  const { notEnforced } = read.gate;
  if (json) process.stderr.write(`${JSON.stringify({ ...asJson(result), not_enforced: notEnforced })}\n`);
  else if (!quiet) process.stderr.write(summary(result, notEnforced, read.log !== null || logFd !== undefined));
  const { endAs } = await import("../../sys/process.js");
  endAs(result.ending);
}

function asJson({ ending, mode, counts, denials, restrictions }: RunResult): object {
  return {
    ...ending,
    mode,
    ...Object.fromEntries(COUNTS.map((count) => [COUNT_NAMES[count], counts[count]])),
    ...(restrictions === null ? {} : { restrictions }),
    denials: denials.map(({ is: _, ...denial }) => denial),
  };
}

/** Maximum number of denials in the summary. The decision log has all of them. */
const SHOWN = 10;

/** `isLogged`: with the id of each denial, by which `countersign log` finds its record. */
function summary(
  { mode, counts, denials, restrictions }: RunResult,
  notEnforced: readonly string[],
  isLogged: boolean,
): string {
  const denied = mode === "enforce" ? "denied" : "would have been denied";
  const parts = [`${counts.allowed} allowed`, `${counts.denied} ${denied}`];
  if (counts.probes > 0) parts.push(`${counts.probes} probes of the loader`);
  const would = restrictions === null ? "" : "would have been ";
  if (counts.repeats > 0) parts.push(`${counts.repeats} repeated denials by the gate not logged again`);
  if (counts.throttled > 0) parts.push(`${counts.throttled} loads waited for the release of programs`);
  if (counts.granted > 0) parts.push(`${counts.granted} ${would}granted capabilities`);
  if (counts.frozen > 0) parts.push(`${counts.frozen} ${would}loaded with frozen maps`);
  if (counts.shadowDecisions + counts.shadowMissed > 0) parts.push(shadowPart(counts));
  if (counts.logFailures > 0) parts.push(`${counts.logFailures} could not be logged`);
  if (counts.torn > 0) parts.push(`${counts.torn} torn lines in the log`);
  if (restrictions !== null) parts.push(`${restrictions} restrictions of the gate remain (docs/run.md)`);
  if (counts.stalls > 0) parts.push(`${counts.stalls} tasks killed that kept the gate waiting`);
  if (notEnforced.length > 0) parts.push(`not enforced: ${notEnforced.join(", ")}`);
  const shown = denials.slice(0, SHOWN).map((denial) => line(denial) + (isLogged ? ` (${denial.id})` : ""));
  const more = denials.length > SHOWN ? [`  … and ${denials.length - SHOWN} more in the decision log`] : [];
  return `${[`countersign: ${parts.join(", ")}`, ...shown, ...more].join("\n")}\n`;
}

function shadowPart({ shadowDecisions, shadowDifferences, shadowMissed }: RunResult["counts"]): string {
  const missed = shadowMissed === 0 ? "" : `, and ${shadowMissed} that it did not make`;
  return `${shadowDifferences} of ${shadowDecisions} decisions different in the shadow${missed}`;
}

/** The words before a denial, by its outcome. */
const WORDS: Readonly<Record<ReportedDenial["outcome"], string>> = {
  denied: "denied",
  "dry run": "would deny",
  audit: "audit denial",
};

function line({ hook, subject, reason, outcome }: ReportedDenial): string {
  const word = styled(outcome === "denied" ? "red" : "yellow", WORDS[outcome], process.stderr);
  const text = oneLine(`${hook} \`${subject}\`: ${reason}`);
  return `  ${word} ${text}`;
}
