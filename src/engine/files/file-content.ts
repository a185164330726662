import { isElf } from "../../bpf/elf/elf.js";
import { isBpfElf, type ObjectBytes, objectsOfFile } from "../../bpf/embedded.js";
import { CountersignError } from "../../error.js";
import { type HookName, LOAD_HOOKS } from "../../hooks/catalogue.js";
import { readInput } from "../../input.js";
import { MODSIG_MARKER } from "../../trust/formats/modsig.js";

/** A file to decide about, as {@link classify} found it. */
export interface FileContent {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The hook that the caller named, or the one that fits the content. */
  readonly hook: HookName;
  /** The BPF objects in it, in order. Empty for a hook that uses the whole file. */
  readonly objects: readonly ObjectBytes[];
}

/** Reads a file once and classifies it. Throws FILE_UNREADABLE, FILE_TOO_LARGE, and the errors of classify. */
export function readContent(path: string, hook?: HookName): FileContent {
  return classify(path, readInput(path), hook);
}

/**
 * The hook for a file's content, unless `named`: `bpf_prog_load` for a BPF object and for a program that embeds one,
 * `kernel_read_file` for a kernel module, `blob_verify` for anything else. Throws ELF_NO_PROGRAMS for an ELF file
 * without BPF, and ELF_UNSUPPORTED for one with too many objects.
 */
export function classify(path: string, bytes: Uint8Array, named?: HookName): FileContent {
  const hook = named ?? hookOf(path, bytes);
  if (!LOAD_HOOKS.includes(hook)) return { path, bytes, hook, objects: [] };
  const objects = placedIn(path, () => objectsOfFile(bytes));
  if (named === undefined && objects.length === 0)
    throw new CountersignError("ELF_NO_PROGRAMS", "is an ELF file with no BPF in it", {
      place: path,
      remedy: "name a BPF object, or say what is meant with --hook, such as bprm_check_security",
    });
  return { path, bytes, hook, objects };
}

/** Calls `read`. Its errors get the file as their place, unless they name it already. */
export function placedIn<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const named = !(error instanceof CountersignError) || error.place?.startsWith(path) === true;
    throw named ? error : error.within(path);
  }
}

function hookOf(path: string, bytes: Uint8Array): HookName {
  if (isBpfElf(bytes)) return "bpf_prog_load";
  if (isModule(path, bytes)) return "kernel_read_file";
  return isElf(bytes) ? "bpf_prog_load" : "blob_verify";
}

/** Whether a file is a kernel module. One that is signed ends with a marker (kernel/module/signing.c). */
function isModule(path: string, bytes: Uint8Array): boolean {
  return path.endsWith(".ko") || Buffer.from(bytes.subarray(-MODSIG_MARKER.length)).equals(MODSIG_MARKER);
}
