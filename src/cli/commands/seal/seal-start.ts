import { Command } from "commander";
import { CountersignError } from "../../../error.js";
import { countsOf } from "../../../seal/files.js";
import { isListed, type LoadedProgram, loadedPrograms, sealMachine } from "../../../seal/sealing.js";
import { EXIT } from "../../output/exit.js";
import { print, printError, printJson } from "../../output/output.js";
import { OPEN_HELP, OPEN_OPTION, OPEN_TEXT, openUntil } from "./open-option.js";
import { FILES, readFileList, titleOfFiles } from "./seal-files.js";
import {
  DENY_ALL,
  LIST,
  readSignedList,
  readSigners,
  requireList,
  SIGNERS,
  TRUSTED_KEY,
  titleOfList,
} from "./seal-list.js";

/** `countersign seal start`: seals a machine that has started. */
export function startCommand(): Command {
  return new Command("start")
    .description("Seals this machine until the next boot")
    .option("--list <file>", LIST)
    .option("--deny-all", DENY_ALL)
    .option("--files <file>", FILES)
    .option("--trusted-key <file>", TRUSTED_KEY)
    .option("--signers <file>", SIGNERS)
    .option("--audit", "count what would be denied, and allow it")
    .option(OPEN_OPTION, OPEN_HELP)
    .option("--accept-loaded", "seal although programs are loaded that are not listed")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
Attaches the guard, proves with a program that must be denied that the kernel calls it, and seals it: from then on
nobody can detach it before the next boot, root included. If a step fails, everything is detached again.

This is late: programs that are loaded already stay, and only \`seal initramfs\` seals before them. If one of them is
not listed, nothing is sealed, unless --accept-loaded is given. Before Linux 6.18 none of them can be found in a list.
With --audit nothing is denied, and \`seal stop\` ends it.

${OPEN_TEXT}

With --trusted-key, the list has to be signed with that key: its signature is in LIST.p7s, as \`seal build\` writes it.

With --signers, a program may also be loaded if its instructions have a signature that the kernel verifies by one of
these certificates, whatever else it is: only for configurations whose policies ask for nothing more.

Examples:
  countersign seal start --list "lists/$(uname -r).list" --audit
  countersign seal start --list "lists/$(uname -r).list" --trusted-key signer.pem
  countersign seal start --list "lists/$(uname -r).list" --accept-loaded`,
    )
    .action(start);
}

interface Options {
  readonly list?: string;
  readonly denyAll?: true;
  readonly files?: string;
  readonly trustedKey?: string;
  readonly signers?: string;
  readonly audit?: true;
  readonly openUntilLock?: string | true;
  readonly acceptLoaded?: true;
  readonly json?: true;
}

function start(given: Options): void {
  const {
    list: file,
    files: named,
    trustedKey: certificate,
    signers,
    audit,
    openUntilLock,
    acceptLoaded,
    json,
  } = given;
  requireList(given);
  const open = openUntil(openUntilLock, audit === true);
  const { list, trustedKey } = readSignedList(file, certificate);
  const files = readFileList(named, file, list);
  const keys = readSigners(signers);
  const loaded = loadedPrograms();
  const unlisted = loaded.filter((program) => !isListed(program, list));
  if (acceptLoaded !== true && audit !== true && unlisted.length > 0) {
    unlisted.map(unlistedError).forEach(printError);
    process.exitCode = EXIT.undecided;
    return;
  }
  const mode = audit === true ? "audit" : "enforce";
  const accepted = acceptLoaded === true || audit === true ? null : loaded.map(({ id }) => id);
  const { programs, weakMountPoints: weak } = sealMachine(
    { mode, list, files, trustedKey, keys, open },
    { loaded: accepted },
  );
  if (json === true)
    printJson({
      ...{ mode, open, entries: list?.header.entries ?? 0, files: countsOf(files), unlisted, programs },
      weak_mount_points: weak.map(({ path, fileSystem }) => ({ path, file_system: fileSystem })),
    });
  else
    print(
      [
        `${open === null ? TITLES[mode] : TITLES.open}: ${titleOfList(list)}${titleOfFiles(files)}`,
        ...unlisted.map(lineOf),
        ...weak.map(weakLine),
      ].join("\n"),
    );
}

const TITLES = {
  audit: "audit, nothing is denied",
  enforce: "sealed until the next boot",
  open: "open until lock",
} as const;

function lineOf({ id, name, type, tag }: LoadedProgram): string {
  return `loaded before, and not listed: ${id} ${name} (${type}, tag ${tag})`;
}

function weakLine({ path, fileSystem }: { readonly path: string; readonly fileSystem: string }): string {
  return (
    `the links of the guard can be lost: ${path} is a directory of ${fileSystem}, which can remove it without asking ` +
    "the guard; `seal initramfs` has no such directory"
  );
}

function unlistedError({ id, name, type, tag }: LoadedProgram): CountersignError {
  return new CountersignError(
    "SEAL_UNLISTED_LOADED",
    `is loaded, and the list does not have it (${type}, tag ${tag})`,
    { place: `program ${id} \`${name}\``, remedy: "list the program, unload it, or use `--accept-loaded`" },
  );
}
