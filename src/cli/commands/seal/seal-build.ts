import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { Variant } from "../../../bpf/core/variant.js";
import { VARIANTS } from "../../../bpf/core/variant.js";
import type { Config } from "../../../config/config.js";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import { rulesOf } from "../../../config/keyring-files.js";
import { CountersignError } from "../../../error.js";
import { probeEntries } from "../../../seal/build.js";
import { carriedKeyring } from "../../../seal/carried-keyring.js";
import { configuredClasses } from "../../../seal/classes.js";
import { configurationDigest } from "../../../seal/configuration-digest.js";
import { encodeList, type ListEntry, parseList, signedPart } from "../../../seal/list.js";
import { type PlannedEngine, requireSealable } from "../../../seal/plan.js";
import { signersFile } from "../../../seal/program-signers.js";
import { objectFiles } from "../../files/object-files.js";
import { writeWhole } from "../../files/write.js";
import { openCache } from "../../input/cache-option.js";
import { DEFAULT_VARIANT, KERNEL_FILES, kernelPath, modulesOption, openTarget } from "../../input/kernel-options.js";
import { reportedKeyrings } from "../../input/keyring-config.js";
import { leavesOpen, moduleChoice, requireChoice } from "../../input/module-choice.js";
import { openEngineForLists } from "../../input/open-engine.js";
import { MAKERS } from "../../input/signature-makers.js";
import { writeModuleNames } from "../../kernel/modules/module-names.js";
import { SET_NAMES } from "../../kernel/modules/module-sets.js";
import type { NeededModule } from "../../kernel/modules/present-modules.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson } from "../../output/output.js";
import { table } from "../../output/table.js";
import { FileLists } from "./built-files.js";
import { FILE_HEAD, fileCells, fileJson, type JudgedFile } from "./judged-file.js";
import { JUDGED_HEAD, type JudgedRow, judgedCells, judgedJson, judgeFiles, summaryOf } from "./judged-files.js";
import { filesBeside } from "./seal-files.js";

/** `countersign seal build`: the lists of programs that the kernel lets load without asking anybody. */
export function buildCommand(): Command {
  return new Command("build")
    .description("Makes the seal list for each kernel: the programs that may load under the guard")
    .argument("[path...]", "BPF objects, executables that embed them, or folders of both")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .option("--btf <file>", "a kernel; again for more (default: the running one)", collect)
    .requiredOption("--out <folder>", "where to write the lists, each named after its kernel's release")
    .addOption(
      new Option(
        "--variant <loader>",
        `the loader's library, ${VARIANTS.join(" or ")}; again for more (default: "${DEFAULT_VARIANT}")`,
      ).argParser(variant),
    )
    .addOption(modulesOption("--loaded-modules"))
    .option("--generation <number>", "greater than that of the list before (default: the present time)", generation)
    .option(
      "--modules <choice>",
      "the kernel modules that may be loaded: all-signed, present, FILE (a folder, too) or by-ticket; again for more",
      collect,
    )
    .option("--root <folder>", "the root directory of the machine, where modules are found by their names", "/")
    .option("--executable <path>", "an executable or a library, or a folder of them; again for more", collect)
    .option("--any-maps", "list signed programs although the guard does not compare who created their maps")
    .option("--no-probes", "leave out the programs that libbpf loads to find out what the kernel supports")
    .option("--key <file>", "sign each list with this key, for `--trusted-key`: LIST.p7s covers the list's header")
    .option("--cert <file>", "the certificate of the key")
    .option("--json", "one JSON object for each program and kernel")
    .addHelpText(
      "after",
      `
Asks the policies about each program, relocated for each kernel, and lists it if they allow it to every task at any
time. The kernel compares the instructions, types, flags and attach target of a program with the list, and its maps.
If a verdict depends on anything else, such as the task or the time, the program is not listed, and the reason is shown.
It would need a ticket: a permission for one load, by an agent that asks the policies at that moment.

  listed       the guard allows it
  denied       the policies deny it
  ticket       the policies can decide only at the load; without an agent, the guard denies it
  never        the policies allow it, and the guard denies it always, because it could undo the guard
  cannot load  the kernel, or libbpf, rejects it

Parameters of modules cannot be judged, so \`--modules\` has to say which may be loaded (\`seal plan\` proposes one):

  all-signed  every module that a key of the kernel signed. Open: one that writes memory by a parameter, and that is not
              always denied, undoes the seal
  FILE        those that FILE names, one a line, or the path of a module or folder. Open: the parameters of these
  present     those that are loaded, in the initramfs, or for a device that is there; present+SET adds one of the sets
              ${SET_NAMES.join(", ")}. Open: the parameters of these. What the machine
              needs later is denied
  by-ticket   beside these, or alone: modules that are not listed load if a task of the agent's containers loads them,
              and a policy allows that, parameters included. udev, modprobe and all other tasks load what is listed.
              Open: parameters that root can write in /sys/module afterwards, and those of listed modules

FILE and present also list what modprobe loads with a module, and the policies are asked about each. present writes what
it found to OUT/RELEASE.modules, which is a FILE for \`--modules\`.

With a rule at bprm_check_security, only listed executables and libraries start: \`--executable\` names those. They have
to have fs-verity (\`fsverity enable\`). Listed files are in a second file beside the list, which ends in .files.

${KERNEL_FILES}

If a program shows that a signature over the instructions by one keyring is all that the policies ask for, and the
kernel can verify as the keyring does (\`seal plan\`: signature), OUT/signers.pem has its certificates, for --signers.

Exits with 0 if every program that can load is listed or denied, 1 if one is \`ticket\` or \`never\`, or 2 if a file
cannot be read, or a folder has nothing to list; then nothing is written. A module that is \`never\` counts for nothing:
folders have some.

Examples:
  countersign seal build --modules present+filesystems+usb --out lists /usr/lib/bpf
  countersign seal build --modules present --modules learnt/modules --out lists /usr/lib/bpf
  countersign seal build --modules all-signed --btf linux-image-6.12.118+deb13-amd64.deb --key signer.key \\
    --cert signer.pem --out lists *.o`,
    )
    .action(build);
}

interface Options {
  readonly config: string;
  readonly btf?: readonly string[];
  readonly out: string;
  readonly variant?: readonly Variant[];
  readonly loadedModules?: ReadonlySet<string>;
  readonly generation?: bigint;
  readonly modules?: readonly string[];
  readonly root: string;
  readonly executable?: readonly string[];
  readonly anyMaps?: true;
  readonly probes: boolean;
  readonly key?: string;
  readonly cert?: string;
  readonly json?: true;
}

async function build(paths: readonly string[], options: Options): Promise<void> {
  const { btf = [kernelPath({})], generation = BigInt(Math.floor(Date.now() / 1000)), key, cert } = options;
  const { variant: variants = [DEFAULT_VARIANT], anyMaps } = options;
  const modules = moduleChoice(requireChoice(options.modules));
  if (paths.length === 0 && modules.kind === "all-signed" && options.executable === undefined) throw nothingNamed();
  const sign = key === undefined && cert === undefined ? null : await MAKERS.pkcs7.open(signerOf(key, cert));
  const files = objectFiles(paths);
  const { config, engine } = await openEngineForLists(options.config, openCache());
  try {
    requireSealable(config, engine);
    const classes = configuredClasses(config);
    const configuration = configurationDigest(config, engine);
    const failed = new Set<string>();
    const judge = { config, engine, anyMaps: anyMaps === true };
    const rows: JudgedRow[] = [];
    // Written once all can be: what remains of an incomplete build would look like a list that denies by intent
    const written: (() => void)[] = [];
    const lists = new FileLists({ modules, root: options.root, executable: options.executable }, judge, failed);
    for (const path of btf) {
      const kernel = await openTarget(path, { modules: options.loadedModules }, null);
      const built = await lists.of(kernel);
      const found = await judgeFiles(files, kernel, judge, variants, failed);
      rows.push(...found);
      const { btfSha256: kernelBtf, release } = kernel;
      const probes = options.probes ? probeEntries() : [];
      const entries = [...found.flatMap((row): readonly ListEntry[] => row.entries), ...probes];
      const origin = {
        generation,
        kernelBtf,
        configuration,
        release: release ?? "",
        files: built.sha256,
      };
      const list = encodeList(entries, origin, classes);
      const out = join(options.out, `${release ?? kernelBtf.slice(0, 16)}.list`);
      const signature = sign?.make(signedPart(list), out);
      const count = `${parseList(list).header.entries} entries${options.probes ? ", with libbpf's probes" : ""}`;
      const summary = [summaryOf(found), count, ...built.summary].join("; ");
      written.push(() => {
        writeWhole(out, list);
        if (built.list !== null) writeWhole(filesBeside(out), built.list);
        if (built.present !== null) writeModules(out, kernel.name, built.present);
        if (signature !== undefined) writeWhole(`${out}.p7s`, signature);
        process.stderr.write(`${out}: ${summary}\n`);
        if (built.notes.length > 0) process.stderr.write(`modules: ${built.notes.join("; ")}\n`);
      });
    }
    if (failed.size > 0) process.stderr.write(`nothing is written, since ${failed.size} of the files cannot be read\n`);
    else {
      for (const write of written) write();
      process.stderr.write(`modules, still open: ${leavesOpen(modules)}\n`);
      await writeSigners(options, { config, engine, rows });
    }
    if (options.json === true) [...rows.map(judgedJson), ...lists.rows.map(fileJson)].forEach(printJson);
    else printTables(rows, lists.rows);
    const lost = [...rows, ...lists.rows.filter(({ result }) => result !== "never")].some(isLost);
    process.exitCode = failed.size > 0 ? EXIT.undecided : lost ? EXIT.denied : EXIT.ok;
  } finally {
    engine.close();
  }
}

interface Built {
  readonly config: Config;
  readonly engine: Pick<PlannedEngine, "reads">;
  readonly rows: readonly JudgedRow[];
}

/** Writes OUT/signers.pem if a signature is enough for the policies, and removes that of an earlier configuration. */
async function writeSigners({ config: file, out }: Options, { config, rows }: Built): Promise<void> {
  const { keyrings } = await reportedKeyrings(file, []);
  const authorities = new Map(keyrings.map(({ config: { name }, report }) => [name, report.authorities()]));
  const keyring = carriedKeyring(config, rows, authorities);
  const path = join(out, "signers.pem");
  const signers = keyring === null ? null : signersFile(rulesOf(keyring).trust);
  if (signers === null) return rmSync(path, { force: true });
  writeWhole(path, Buffer.from(signers));
  process.stderr.write(`${path}: what a signer of \`${keyring!.name}\` signed may be loaded, with --signers\n`);
}

/** Writes the modules that a machine needs beside its list, as a file that `--modules` takes. */
function writeModules(list: string, kernel: string, modules: readonly NeededModule[]): void {
  const path = filesBeside(list).replace(/files$/, "modules");
  writeWhole(path, Buffer.from(writeModuleNames(`Modules of ${kernel} that the machine needs`, modules)));
}

function signerOf(key: string | undefined, cert: string | undefined): { key: string[]; cert: string[] } {
  if (key !== undefined && cert !== undefined) return { key: [key], cert: [cert] };
  throw new CountersignError(
    "USAGE",
    "a list is signed with a key and its certificate, and only one of them is named",
    {
      remedy: "give --key and --cert",
    },
  );
}

function printTables(rows: readonly JudgedRow[], files: readonly JudgedFile[]): void {
  if (rows.length > 0) print(table(JUDGED_HEAD, rows.map(judgedCells)));
  if (files.length > 0) print(table(FILE_HEAD, files.map(fileCells)));
}

function nothingNamed(): CountersignError {
  return new CountersignError("USAGE", "no BPF object and no file is named", {
    remedy: "name objects, kernel modules with `--modules`, or executables with `--executable`",
  });
}

/** Whether policies allow the program or file, or could, and the guard denies it. */
function isLost({ result }: { readonly result: string }): boolean {
  return result === "ticket" || result === "never";
}

function generation(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new CountersignError("USAGE", `\`${text}\` is not a generation`, {
    remedy: "write a number of up to 18 digits",
  });
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function variant(value: string, before: readonly Variant[] = []): readonly Variant[] {
  const known = VARIANTS.find((each) => each === value);
  if (known !== undefined) return [...before, known];
  throw new CountersignError("USAGE", `there is no loader \`${value}\``, { remedy: `use ${VARIANTS.join(" or ")}` });
}
