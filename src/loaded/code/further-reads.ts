import { ERRNO } from "../../errno.js";
import type { MapReport } from "../model/objects.js";
import type { Scan } from "../model/scan.js";
import { btfRead } from "../reads/object-results.js";
import type { Reads } from "../reads/reads.js";
import { fileRead } from "../reads/values.js";
import { btfIds, btfName } from "../views/btf-objects.js";
import { kernelLog } from "./kernel-log.js";
import { mapContents, possibleProcessors } from "./map-contents.js";
import { programParts } from "./program-parts.js";

/** What says which kernel it is, what it shows and what is in it. */
const FILES: readonly string[] = [
  "/etc/os-release",
  "/proc/cmdline",
  "/proc/kallsyms",
  "/proc/modules",
  "/proc/self/status",
  "/proc/sys/kernel/bpf_stats_enabled",
  "/proc/sys/kernel/hostname",
  "/proc/sys/kernel/kptr_restrict",
  "/proc/sys/kernel/osrelease",
  "/proc/sys/kernel/tainted",
  "/proc/sys/kernel/unprivileged_bpf_disabled",
  "/proc/sys/net/core/bpf_jit_enable",
  "/proc/sys/net/core/bpf_jit_harden",
  "/proc/sys/net/core/bpf_jit_kallsyms",
  "/proc/version",
  "/sys/kernel/security/lockdown",
  "/sys/kernel/security/lsm",
  "/sys/kernel/tracing/enabled_functions",
];

/** A map whose contents are too large. */
export type LeftOut = Pick<MapReport, "id" | "name">;

/**
 * Reads what a scan does not need, so that an archive has it: instructions, contents of maps, BTF, symbols and modules
 * of the kernel, settings, and its log. Returns the maps whose contents are too large. What cannot be read has an
 * errno.
 */
export async function readFurther(reads: Reads, { programs, maps }: Scan): Promise<readonly LeftOut[]> {
  for (const { id } of programs) {
    programParts(reads, id);
    await reads.stored();
  }
  const processors = possibleProcessors(reads);
  const leftOut: LeftOut[] = [];
  for (const map of maps) {
    if (mapContents(reads, map, processors) === -ERRNO.E2BIG) leftOut.push({ id: map.id, name: map.name });
    await reads.stored();
  }
  for (const id of btfIds(reads)) {
    btfName(reads, id);
    btfRead(reads, id);
    await reads.stored();
  }
  for (const file of FILES) {
    fileRead(reads, file);
    await reads.stored();
  }
  reads.bytes("@kernel/log", kernelLog);
  await reads.stored();
  return leftOut;
}
