import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { eventsNotKept, guardRecord, guardStart, readEvents, readStatus, wallClock } from "../../../seal/status.js";
import { EXIT } from "../../output/exit.js";
import { printError, printJson } from "../../output/output.js";
import { noGuard } from "./no-guard.js";

/** `countersign seal log`: the guard's denials as records of the decision log. */
export function logCommand(): Command {
  return new Command("log")
    .description("Prints what the guard denied, as records of the decision log")
    .addOption(new Option("--after <number>", "only events after this number").argParser(number).default("0"))
    .addHelpText(
      "after",
      `
A record of the writer (\`start\`), then one JSON object a denial, oldest first, in the form that docs/log.md describes.
The guard keeps the first 1024 denials of a boot, which nothing overwrites, and the last 1024. The command prints on
standard error how many between them it only counted; \`seal status\` has the number for each reason. Needs root. Exits
with 2 without a guard.

Examples:
  countersign seal log >> decisions.jsonl
  countersign seal log | jq -r '.denied_by.rule // empty' | sort | uniq -c`,
    )
    .action(log);
}

function log({ after }: { readonly after: string }): void {
  const status = readStatus();
  if (status === null) {
    printError(noGuard());
    process.exitCode = EXIT.undecided;
    return;
  }
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const mode = status.mode ?? "enforce";
  const from = BigInt(after);
  const counted = eventsNotKept(status.events, from);
  if (counted > 0n) process.stderr.write(`countersign: ${counted} events between these were only counted\n`);
  const events = readEvents().filter(({ number }) => number > from);
  if (events.length > 0) printJson(guardStart({ bootId, since: wallClock(0n) }));
  for (const event of events) printJson(guardRecord(event, { mode, time: wallClock(event.time), bootId }));
}

function number(text: string): string {
  if (/^\d{1,18}$/.test(text)) return text;
  throw new InvalidArgumentError("Give the number of an event.");
}
