/** Sealing: on a machine that has started, or by a fragment of its initramfs. */
import { readFileSync } from "node:fs";
import { programTypeName } from "../bpf/object/section.js";
import { installed } from "../installed.js";
import { CLASSES_MAP, encodeClasses, NO_CLASSES } from "./classes.js";
import { imageOfFiles } from "./files/image-of-files.js";
import { countsOf, type FileList } from "./files.js";
import { type ImageOptions, imageOf } from "./image/image.js";
import { type FragmentAgent, fragment } from "./initramfs/fragment.js";
import { GUARD_VERSION } from "./list/list-header.js";
import { classesDigest, type List } from "./list.js";
import type { LoadedProgram } from "./loaded-programs.js";
import { loaderFile, type StartedGuard, type StartOptions, startGuard } from "./loader/run-loader.js";
import { encodeStatus, MODE } from "./status/status-layout.js";
import type { TrustedKey } from "./trusted-key.js";

export { SEAL_INIT } from "./initramfs/fragment.js";
export { type LoadedProgram, loadedPrograms } from "./loaded-programs.js";
export { stopGuard } from "./loader/run-loader.js";

/** `lock`, or the most seconds after the seal. */
export type OpenUntil = "lock" | number;

/** GUARD_OPEN_UNTIL_LOCK of guard/interface.h. */
export const OPEN_UNTIL_LOCK = 0xffffffff;

export interface SealOptions {
  readonly mode: keyof typeof MODE;
  /** The programs that may be loaded; null for none. */
  readonly list: List | null;
  /** Signs lists; null: the list is taken as it is. */
  readonly trustedKey?: TrustedKey | null;
  /** The files that must be listed; null or absent: none. */
  readonly files?: FileList | null;
  /** Until when loads are recorded and not denied: the lock, or so many seconds; null or left out: never. */
  readonly open?: OpenUntil | null;
  /** Certificates (DER) for the kernel's keyrings; none if left out. */
  readonly keys?: ImageOptions["keys"];
}

/** Seals this machine, or attaches the guard for audit. Throws SEAL_… errors; after one the machine is as it was. */
export function sealMachine(options: SealOptions, start: StartOptions): StartedGuard {
  return startGuard(sealImage(options), start);
}

/**
 * Whether a list has a program of this type and tag. The kernel shows neither the attach target of a loaded program nor
 * its licence. Before Linux 6.18 a list has none: tags are then of another digest.
 */
export function isListed({ type, tag }: Pick<LoadedProgram, "type" | "tag">, list: List | null): boolean {
  return (
    list?.entries.some(({ progType, digest }) => programTypeName(progType) === type && digest.startsWith(tag)) ?? false
  );
}

/**
 * A fragment of an initramfs that seals the machine before /init. `onFailure` is what it does if it cannot; `agent` is
 * started before the machine is sealed.
 */
export function sealFragment(
  options: SealOptions,
  onFailure: "halt" | "continue",
  agent: FragmentAgent | null = null,
): Uint8Array {
  return fragment(readFileSync(loaderFile()), sealImage(options, onFailure), agent);
}

/** The image of the guard, as the loader reads it (image/image.h). */
export function sealImage(
  { mode, list, files = null, trustedKey = null, open = null, keys = {} }: SealOptions,
  onFailure: "halt" | "continue" = "halt",
): Uint8Array {
  const object = installed("bundle:seal/guard.bpf.o").bytes;
  const signers = trustedKey === null ? {} : { lists: [trustedKey.certificate] };
  const room = trustedKey === null ? {} : roomFor(list);
  const ofFiles = imageOfFiles(files);
  const own = { onFailure, room, keys: { ...keys, ...signers } };
  const settings = { ...ofFiles.settings, guard_open: secondsOf(open) };
  const common = { mode: MODE[mode], guardVersion: GUARD_VERSION, ...own, ...ofFiles, settings };
  const status = encodeStatus({
    listEntries: list?.header.entries ?? 0,
    generation: list?.header.generation ?? 0n,
    configDigest: list?.header.configuration ?? "",
    listDigest: list?.sha256 ?? "",
    trustedKey: trustedKey?.fingerprint ?? "",
    filesDigest: files?.sha256 ?? "",
    files: countsOf(files),
    modulesByTicket: files?.modulesByTicket ?? false,
    classesDigest: list?.header.classes ?? classesDigest(NO_CLASSES),
    classes: list?.classes ?? NO_CLASSES,
  });
  if (list === null) return imageOf(object, { ...common, status });
  const { header, tables, classes } = list;
  return imageOf(object, {
    ...common,
    kernelBtf: header.kernelBtf,
    contents: {
      ...ofFiles.contents,
      guard_list_a: tables.entries,
      guard_records_a: tables.records,
      [CLASSES_MAP]: encodeClasses(classes),
    },
    status,
  });
}

/** The fewest entries and records for which the guard has room, so that a longer list can replace the first one. */
const LEAST_ROOM = 4096;

/** Room for twice as much as the list has, in both pairs of tables. */
function roomFor(list: List | null): Readonly<Record<string, number>> {
  const entries = Math.max(2 * (list?.header.entries ?? 0), LEAST_ROOM);
  const records = Math.max(2 * (list?.header.records ?? 0), LEAST_ROOM);
  return { guard_list_a: entries, guard_list_b: entries, guard_records_a: records, guard_records_b: records };
}

function secondsOf(open: OpenUntil | null): number {
  if (open === null) return 0;
  return open === "lock" ? OPEN_UNTIL_LOCK : open;
}
