import type { Writable } from "node:stream";
import { Command, Option } from "commander";
import { CountersignError } from "../../error.js";
import { compareScans } from "../../loaded/compare/compare.js";
import type { ObjectName } from "../../loaded/model/references.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { View } from "../../loaded/model/view.js";
import {
  archivedScan,
  type ExaminedScan,
  namedScan,
  presentScan,
  type SavedScan,
  savedScan,
  type Wanted,
} from "../../loaded/scan.js";
import { serveLoads } from "../../loaded/verify/load-again.js";
import { writeStreamed } from "../files/streamed-file.js";
import { writeWhole } from "../files/write.js";
import { type CallerFlags, whoAsks, withCallerFlags } from "../input/caller-flags.js";
import { collectOption } from "../input/collect-option.js";
import { objectNamed } from "../input/object-name.js";
import type { ScanVerdict } from "../loaded/scan-verdicts.js";
import { type ComparedScans, comparedViews, comparisonLines, comparisonText } from "../output/comparison.js";
import { EXIT } from "../output/exit.js";
import { namedText } from "../output/named-text.js";
import { print, printError, printJsonLines } from "../output/output.js";
import { LongProgress } from "../output/progress.js";
import { namedLines, scanLines } from "../output/scan-lines.js";
import { scanText } from "../output/scan-text.js";
import { detachCommand } from "./scan/scan-detach.js";

/** `countersign scan`: what is loaded in the running kernel. */
export function command(): Command {
  const command = new Command("scan")
    .description(
      "Shows which BPF programs, maps and links the running kernel has, where they are attached and who holds them",
    )
    .argument("[objects...]", "only these, in full: KIND:ID, as in `program:72`, `map:31` and `link:12`")
    .option("--brief", "only what the kernel lists: neither which programs they are nor what they can do")
    .option("--deep", "try each id that there can be, however long it takes")
    .option("--html <file>", "write one page that loads nothing from the network, and print nothing")
    .addOption(
      new Option(
        "--json",
        "one JSON object a line: programs, maps, links, places, struct_ops, then what was read",
      ).conflicts("html"),
    )
    .option("--save <file>", "write an archive of all that the kernel answered; - writes it to standard output")
    .option("--from <file>", "show the scan of an archive in place of the running kernel's")
    .option("--config <file>", "show what this configuration would decide about what is loaded")
    .option("--known <path>", "a BPF object, what embeds some, or a folder of both; again for more", collectOption)
    .option("--packages", "also know the programs of all installed packages (dpkg), and name the package")
    .option("--verify", "load known programs again, which never run, to identify by what the kernel makes of them")
    .option("--yes", "do it, after --verify alone has said how many loads it takes")
    .addOption(new Option("--load-again").hideHelp())
    .option("--compare <file>", "show what is new, has moved or is gone since an archive was saved");
  return withCallerFlags(command)
    .addCommand(detachCommand())
    .addHelpText(
      "after",
      `
Asks the kernel itself, needs root, and changes nothing; only --verify loads programs, one at a time, named cs_verify,
which are closed at once and never attached, pinned or run. docs/scan.md says what no list shows. --from needs neither
root nor BPF: it prints what the scan printed that saved the archive. \`scan detach\` removes an attachment or pin.

Objects that are named are shown in full: programs with their instructions and what their effects come from, maps with
their types and number of elements. Instructions are read of these alone, and what hides is not looked for.

With --config, policies decide about the load and the hand-out of each program and map. Facts that the kernel does not
keep, such as statements and signatures, are unknown: a policy that reads one has not decided. Root asks, with the uid
of the loader, unless the options say who does.

Programs are known from the executables and libraries of processes that refer to something, from --known, --packages,
and the statements, lists and log.programs of --config. With --from, these are read on this machine.

What one view of the kernel shows and another one does not is hidden, and comes first: a rootkit may be at work. The
ids that there may be are tried from the newest on, 1,000,000 of each kind or for 5 seconds: --deep tries all.

Exits with 0, with 1 if something is hidden, or with 2 if something that it reads could not be read: stderr says what.
--compare exits with 1 if something is new or has moved, --config if something would be denied; with 2 if something
could not be decided.

Examples:
  countersign scan
  countersign scan program:72 map:31
  countersign scan --json | jq -r 'select(.kind == "program") | "\\(.loaded_at) \\(.uid) \\(.name)"'
  countersign scan --config countersign.yaml --label app=tracer
  countersign scan --packages --known /opt/tracer
  countersign scan --from web1.tar --html web1.html
  countersign scan --save before.tar
  countersign scan --compare before.tar
  countersign scan detach program:72
  ssh root@web1 countersign scan --save - > web1.tar && countersign scan --from web1.tar`,
    )
    .action(show);
}

interface Options extends CallerFlags {
  readonly config?: string;
  readonly known?: readonly string[];
  readonly packages?: true;
  readonly verify?: true;
  readonly yes?: true;
  readonly loadAgain?: true;
  readonly brief?: true;
  readonly deep?: true;
  readonly html?: string;
  readonly json?: true;
  readonly save?: string;
  readonly from?: string;
  readonly compare?: string;
}

/** The name of a file that means standard output. */
const STDOUT = "-";

async function show(words: readonly string[], options: Options): Promise<void> {
  const { brief, deep, html, json, save, from, compare, verify, loadAgain } = options;
  if (loadAgain === true) return serveLoads();
  const isWhole = brief !== true && compare === undefined;
  requireUsable(options);
  if (words.length > 0) return showNamed(words.map(objectNamed), options);
  // an archive that cannot be read is said before the kernel is asked
  const before = compare === undefined ? null : (await archivedScan(compare)).scan;
  const sources = await sourcesOfOptions(options);
  const approve = verify === true ? (...of: Approved) => requireApproval(options, ...of) : null;
  const progress = new LongProgress();
  const tell: Wanted["tell"] = (kind, tried, of) => progress.show(`tried ids of ${kind}s`, tried, of);
  const wanted: Wanted = { sources, approve, compared: deep === true ? "deep" : "usual", tell };
  const scanning = save === undefined ? scanOf(from, isWhole ? wanted : undefined) : saved(save, wanted);
  const found = await scanning.finally(() => progress.stop());
  const { scan, ...rest } = found;
  if (save === STDOUT) {
    reportGaps(scan.views);
    return;
  }
  if (before === null) {
    const shown = brief === true ? { examined: null, comparison: null } : rest;
    const verdicts = shown.examined === null ? null : await verdictsOf(scan, shown.examined, options);
    if (html !== undefined) await writePage(html, ({ scanPage }) => scanPage(scan, shown, verdicts));
    else if (json === true) printJsonLines(scanLines(scan, shown, verdicts));
    else print(scanText(scan, shown, verdicts));
    reportGaps(scan.views);
    const isHiding = (shown.comparison?.hidden.length ?? 0) > 0;
    const code = Math.max(exitCodeOf(verdicts ?? []), isHiding ? EXIT.denied : EXIT.ok);
    process.exitCode = Math.max(Number(process.exitCode ?? 0), code);
    return;
  }
  const compared = { before, after: scan, comparison: compareScans(before, scan) };
  if (html !== undefined) await writePage(html, ({ comparisonPage }) => comparisonPage(compared));
  else if (json === true) printJsonLines(comparisonLines(compared));
  else print(comparisonText(compared));
  reportComparison(compared);
}

/** Modules are loaded here rather than at start. */
async function writePage(
  file: string,
  pageOf: (pages: typeof import("../output/scan-page.js")) => string,
): Promise<void> {
  writeWhole(file, Buffer.from(pageOf(await import("../output/scan-page.js"))));
}

/** Shows objects that are named. */
async function showNamed(named: readonly ObjectName[], options: Options): Promise<void> {
  requireNameable(options);
  const { html, json, from = null, verify } = options;
  const approve = verify === true ? (...of: Approved) => requireApproval(options, ...of) : null;
  const wanted: Wanted = { sources: await sourcesOfOptions(options), approve, compared: null };
  const found = await namedScan(from, named, wanted);
  const { scan, examined } = found;
  const maps = scan.maps.filter(({ id }) => named.some((one) => one.kind === "map" && one.id === id));
  const verdicts = await verdictsOf({ ...scan, maps }, examined ?? { subjects: [] }, options);
  if (html !== undefined) await writePage(html, ({ namedPage }) => namedPage(found, named, verdicts));
  else if (json === true) printJsonLines(namedLines(found, named, verdicts));
  else print(namedText(found, named, verdicts));
  reportGaps(scan.views);
  process.exitCode = Math.max(Number(process.exitCode ?? 0), exitCodeOf(verdicts ?? []));
}

/** Throws USAGE for options that are about all that is loaded. */
function requireNameable({ brief, deep, save, compare }: Options): void {
  const whole = { "--brief": brief, "--deep": deep, "--save": save, "--compare": compare };
  const [other] = Object.entries(whole).find(([, given]) => given !== undefined) ?? [];
  if (other !== undefined)
    throw new CountersignError("USAGE", `${other} goes without the names of objects`, {
      remedy: "see `countersign scan --help`",
    });
}

function requireUsable(options: Options): void {
  const { brief, config, known, packages, html, json, save, from, compare, verify, yes } = options;
  const remedy = "see `countersign scan --help`";
  const other = brief === true ? "--brief" : compare !== undefined ? "--compare" : save === STDOUT ? "--save -" : null;
  const asked = config !== undefined ? "--config" : known !== undefined ? "--known" : packages ? "--packages" : null;
  if (asked !== null && other !== null)
    throw new CountersignError("USAGE", `${asked} goes without ${other}`, { remedy });
  const elsewhere = save !== undefined ? "--save" : from !== undefined ? "--from" : other;
  if (verify === true && elsewhere !== null)
    throw new CountersignError("USAGE", `--verify goes without ${elsewhere}`, { remedy });
  if (yes === true && verify !== true) throw new CountersignError("USAGE", "--yes goes with --verify", { remedy });
  if (save !== undefined && from !== undefined)
    throw new CountersignError("USAGE", "--save takes the running kernel's scan, not that of --from", { remedy });
  if (save === STDOUT && (json === true || html !== undefined || compare !== undefined)) {
    const message = "--save - writes the archive to standard output, which can have nothing else";
    throw new CountersignError("USAGE", message, { remedy: "name a file after --save" });
  }
}

/** What the configuration would decide; null without one. */
async function verdictsOf(
  scan: Scan,
  examined: Pick<NonNullable<ExaminedScan["examined"]>, "subjects">,
  options: Options,
): Promise<readonly ScanVerdict[] | null> {
  const { config } = options;
  if (config === undefined) return null;
  const [{ openEngine }, { scanVerdicts }] = await Promise.all([
    import("../input/open-engine.js"),
    import("../loaded/scan-verdicts.js"),
  ]);
  const current = await whoAsks(options);
  const isNamed = options.as !== undefined || options.uid !== undefined;
  const callerOf = (uid: number) => (isNamed ? current : { ...current, uid, euid: uid });
  const engine = await openEngine(config, "check", null);
  try {
    return await scanVerdicts(engine, scan, examined, callerOf);
  } finally {
    engine.close();
  }
}

/** A fact that is not known takes precedence over a denial: nothing was decided. */
function exitCodeOf(verdicts: readonly ScanVerdict[]): number {
  if (verdicts.some(({ verdict }) => verdict === "not decided")) return EXIT.undecided;
  return verdicts.some(({ verdict }) => verdict === "denied") ? EXIT.denied : EXIT.ok;
}

/** Modules are loaded here rather than at start. */
async function sourcesOfOptions(options: Options): Promise<NonNullable<Wanted["sources"]>> {
  const { config, known, packages } = options;
  if (config === undefined && known === undefined && packages === undefined) return [];
  const { sourcesOf } = await import("../input/known-sources.js");
  return sourcesOf(options);
}

function scanOf(archive: string | undefined, wanted: Wanted | undefined): Promise<ExaminedScan> {
  return archive === undefined ? presentScan(wanted) : archivedScan(archive, wanted);
}

type Approved = Parameters<NonNullable<Wanted["approve"]>>;

/** Throws USAGE, with the number of loads, unless the user has said yes. */
function requireApproval({ yes }: Options, ...[loads, programs]: Approved): void {
  if (yes === true) return;
  const [again, of] = [
    loads === 1 ? "1 load" : `${loads} loads`,
    programs === 1 ? "1 program" : `${programs} programs`,
  ];
  const message = `--verify takes ${again} to identify ${of}: one at a time, at most 50 in a second and 60 s together`;
  throw new CountersignError("USAGE", message, { remedy: "add --yes to have them loaded" });
}

/** Scans and saves. stderr says what the archive does not have. */
async function saved(file: string, wanted: Wanted): Promise<ExaminedScan> {
  const write = (out: Writable) => savedScan(out, wanted);
  const { leftOut, ...found }: SavedScan =
    file === STDOUT ? await write(process.stdout) : await writeStreamed(file, write);
  if (leftOut.length > 0) {
    const maps = leftOut.slice(0, SHOWN).map(({ id }) => id);
    const more = leftOut.length > SHOWN ? ` and ${leftOut.length - SHOWN} more` : "";
    const noun = leftOut.length === 1 ? "map" : "maps";
    process.stderr.write(`countersign: the archive has no contents of ${noun} ${maps.join(", ")}${more}: too large\n`);
  }
  return found;
}

/** At most this many maps are named. */
const SHOWN = 10;

/** Says what could not be read, and sets the exit code. */
function reportComparison(compared: ComparedScans): void {
  reportGaps(comparedViews(compared));
  if (compared.comparison.differences.some(({ change }) => change !== "gone")) process.exitCode = EXIT.denied;
}

/** Says what could not be read. */
function reportGaps(views: readonly View[]): void {
  for (const { name, reason } of views) {
    if (reason === null) continue;
    process.exitCode = EXIT.undecided;
    printError(new CountersignError("SCAN_INCOMPLETE", reason, { place: `view of ${name}` }));
  }
}
