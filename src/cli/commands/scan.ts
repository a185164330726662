import { Command } from "commander";
import { CountersignError } from "../../error.js";
import { compareScans } from "../../loaded/compare/compare.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { View } from "../../loaded/model/view.js";
import { archivedScan, presentScan, type SavedScan, savedScan } from "../../loaded/scan.js";
import { writeStreamed } from "../files/streamed-file.js";
import { type ComparedScans, comparisonLines, comparisonText } from "../output/comparison.js";
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
    .option("--save <file>", "write an archive of all that the kernel answered; - writes it to standard output")
    .option("--from <file>", "show the scan of an archive in place of the running kernel's")
    .option("--compare <file>", "show what is new, has moved or is gone since an archive was saved")
    .addHelpText(
      "after",
      `
Asks the kernel itself, needs root, and changes nothing. docs/scan.md says what no list shows. --from needs neither root
nor BPF: it prints what the scan printed that saved the archive.

Exits with 0, or with 2 if something that it reads could not be read: stderr says what. --compare exits with 1 if
something is new or has moved.

Examples:
  countersign scan
  countersign scan --json | jq -r 'select(.kind == "program") | "\\(.loaded_at) \\(.uid) \\(.name)"'
  countersign scan --save before.tar
  countersign scan --compare before.tar
  ssh root@web1 countersign scan --save - > web1.tar && countersign scan --from web1.tar`,
    )
    .action(show);
}

interface Options {
  readonly json?: true;
  readonly save?: string;
  readonly from?: string;
  readonly compare?: string;
}

/** The name of a file that means standard output. */
const STDOUT = "-";

async function show(options: Options): Promise<void> {
  const { json, save, from, compare } = options;
  requireUsable(options);
  // an archive that cannot be read is said before the kernel is asked
  const before = compare === undefined ? null : await archivedScan(compare);
  const found = save === undefined ? await scanOf(from) : await saved(save);
  if (save === STDOUT) {
    reportGaps(found.views);
    return;
  }
  if (before === null) {
    if (json === true) for (const line of scanLines(found)) printJson(line);
    else print(scanText(found));
    reportGaps(found.views);
    return;
  }
  const compared = { before, after: found, comparison: compareScans(before, found) };
  printComparison(compared, json === true);
}

function requireUsable({ json, save, from, compare }: Options): void {
  const remedy = "see `countersign scan --help`";
  if (save !== undefined && from !== undefined)
    throw new CountersignError("USAGE", "--save takes the running kernel's scan, not that of --from", { remedy });
  if (save === STDOUT && (json === true || compare !== undefined)) {
    const message = "--save - writes the archive to standard output, which can have nothing else";
    throw new CountersignError("USAGE", message, { remedy: "name a file after --save" });
  }
}

function scanOf(archive: string | undefined): Promise<Scan> {
  return archive === undefined ? presentScan() : archivedScan(archive);
}

/** Scans and saves. stderr says what the archive does not have. */
async function saved(file: string): Promise<Scan> {
  const { scan, leftOut }: SavedScan =
    file === STDOUT ? await savedScan(process.stdout) : await writeStreamed(file, savedScan);
  if (leftOut.length > 0) {
    const maps = leftOut.slice(0, SHOWN).map(({ id }) => id);
    const more = leftOut.length > SHOWN ? ` and ${leftOut.length - SHOWN} more` : "";
    const noun = leftOut.length === 1 ? "map" : "maps";
    process.stderr.write(`countersign: the archive has no contents of ${noun} ${maps.join(", ")}${more}: too large\n`);
  }
  return scan;
}

/** At most this many maps are named. */
const SHOWN = 10;

function printComparison(compared: ComparedScans, json: boolean): void {
  if (json) for (const line of comparisonLines(compared)) printJson(line);
  else print(comparisonText(compared));
  const { before, after, comparison } = compared;
  reportGaps([...before.views.map((view) => ({ ...view, name: `${view.name} of the archive` })), ...after.views]);
  if (comparison.differences.some(({ change }) => change !== "gone")) process.exitCode = EXIT.denied;
}

/** Says what could not be read. */
function reportGaps(views: readonly View[]): void {
  for (const { name, reason } of views) {
    if (reason === null) continue;
    process.exitCode = EXIT.undecided;
    printError(new CountersignError("SCAN_INCOMPLETE", reason, { place: `view of ${name}` }));
  }
}
