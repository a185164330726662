import { Command } from "commander";
import type { KeyringConfig } from "../../../config/keyring.js";
import { verdictName } from "../../../errno.js";
import { CountersignError } from "../../../error.js";
import { readInput } from "../../../input.js";
import { MAX_SIGNATURE } from "../../../trust/formats/pkcs7.js";
import { acceptedUntil, type KeyringEntry, type KeyringReport } from "../../../trust/keyring-report.js";
import { type ReportedKeyring, reportedKeyrings } from "../../input/keyring-config.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled, warn } from "../../output/output.js";
import { progress } from "../../output/progress.js";
import { day, entryJson } from "./keyring-list.js";
import { storedSignatures } from "./stored-signatures.js";

const DAY = 24 * 3_600_000;

/** `countersign keyring check`: lists keys, lists and signatures that do not verify now or will soon expire. */
export function checkCommand(): Command {
  return new Command("check")
    .description("Shows keys, revocation lists and stored signatures that are rejected now, or will be soon")
    .argument("[name...]", "keyrings of the configuration; all by default")
    .option("--config <file>", "the configuration", "countersign.yaml")
    .option("--days <number>", "how many days count as soon", "30")
    .option("--json", "one JSON object for each finding")
    .addHelpText(
      "after",
      `
Signatures are the PKCS#7 signatures (\`.p7s\`) in the folders of \`signatures\` in the configuration. A signature is
accepted if one of the keyrings accepts its signers. A folder without any signature is a warning on stderr, which does
not change the exit code.

Exits with 0 if nothing is found, 1 if anything is, or 2 if a file cannot be read.

Example:
  countersign keyring check --days 90`,
    )
    .action(run);
}

interface Options {
  readonly config: string;
  readonly days: string;
  readonly json?: true;
}

async function run(names: readonly string[], { config: file, days, json }: Options): Promise<void> {
  const now = Date.now();
  const end = now + daysOf(days) * DAY;
  const { config, keyrings } = await reportedKeyrings(file, names);
  const found: Finding[] = keyrings.flatMap(({ config, report }) =>
    report.entries(now).flatMap((entry) => (isDue(entry, end) ? [{ keyring: config, entry }] : [])),
  );
  const { paths, warnings } = storedSignatures(config);
  warnings.forEach(warn);
  found.push(...(await signatures(paths, keyrings, now, end)));
  for (const { keyring, entry } of found)
    if (json === true) printJson(entryJson(keyring, entry));
    else print(sentence(keyring, entry));
  if (json !== true && found.length === 0) {
    print(
      `everything is accepted until at least ${day(end)}: ${keyrings.map(({ config }) => titled(config)).join(", ")}`,
    );
  }
  process.exitCode = found.length === 0 ? EXIT.ok : EXIT.denied;
}

interface Finding {
  readonly keyring: KeyringConfig;
  readonly entry: KeyringEntry;
}

function isDue({ refusal, until, afterwards }: KeyringEntry, end: number): boolean {
  return refusal !== null || (until !== null && until <= end && afterwards !== null);
}

/** Judges each stored signature by every keyring, and reports the result of the one by which it is valid longest. */
async function signatures(
  paths: readonly string[],
  keyrings: readonly ReportedKeyring[],
  now: number,
  end: number,
): Promise<Finding[]> {
  const bar = await progress(paths.length);
  const found: Finding[] = [];
  for (const path of paths) {
    bar.step(path);
    const judged = keyrings.map(({ config, report }) => ({ keyring: config, entry: judge(report, path, now) }));
    const best = judged.reduce<Finding | null>(
      (a, b) => (a !== null && acceptedUntil(a.entry) >= acceptedUntil(b.entry) ? a : b),
      null,
    );
    if (best !== null && isDue(best.entry, end)) found.push(best);
  }
  bar.stop();
  return found;
}

function judge(report: KeyringReport, path: string, now: number): KeyringEntry {
  try {
    return report.signature(path, readInput(path, MAX_SIGNATURE), now);
  } catch (error) {
    throw error instanceof CountersignError && error.place?.startsWith(path) !== true ? error.within(path) : error;
  }
}

/** A keyring's name and profile. */
function titled({ name, profile }: KeyringConfig): string {
  return `${name} (profile ${profile})`;
}

function sentence(keyring: KeyringConfig, { kind, name, refusal, until, afterwards }: KeyringEntry): string {
  const what = `${titled(keyring)}: ${kind} \`${name}\``;
  if (refusal !== null)
    return `${what} ${styled("red", "is rejected")}: ${verdictName(refusal.verdict)}, ${refusal.reason}`;
  const errno = afterwards === null ? "" : `: ${verdictName(afterwards.verdict)}, ${afterwards.reason}`;
  return `${what} is accepted ${styled("yellow", `until ${day(until ?? 0)}`)}${errno}`;
}

function daysOf(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new CountersignError("USAGE", `\`${text}\` is not a number of days`, { remedy: "write it as 30" });
}
