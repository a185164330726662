import { Command } from "commander";
import { CountersignError } from "../../error.js";
import type { View } from "../../loaded/model/view.js";
import { scan } from "../../loaded/scan.js";
import { EXIT } from "../output/exit.js";
import { print, printError, printJson } from "../output/output.js";
import { scanLines } from "../output/scan-lines.js";
import { scanText } from "../output/scan-text.js";

/** `countersign scan`: what is loaded in the running kernel. */
export function command(): Command {
  return new Command("scan")
    .description(
      "Shows which BPF programs, maps and links the running kernel has, where they are attached and who holds them",
    )
    .option("--json", "one JSON object a line: programs, maps, links, places, struct_ops, then what was read")
    .addHelpText(
      "after",
      `
Asks the kernel itself, needs root, and changes nothing. docs/scan.md says what no list shows.

Exits with 0, or with 2 if something that it reads could not be read: stderr says what.

Examples:
  countersign scan
  countersign scan --json | jq -r 'select(.kind == "program") | "\\(.loaded_at) \\(.uid) \\(.name)"'`,
    )
    .action(show);
}

function show({ json }: { readonly json?: true }): void {
  const found = scan();
  if (json === true) for (const line of scanLines(found)) printJson(line);
  else print(scanText(found));
  reportGaps(found.views);
}

/** Says what could not be read. */
function reportGaps(views: readonly View[]): void {
  for (const { name, reason } of views) {
    if (reason === null) continue;
    process.exitCode = EXIT.undecided;
    printError(new CountersignError("SCAN_INCOMPLETE", reason, { place: `view of ${name}` }));
  }
}
