import { ERRNO } from "../../errno.js";
import { nextObjectId, openObject } from "../../sys/bpf.js";
import { btfReport } from "../../sys/btf.js";
import type { MapReport } from "../model/objects.js";
import type { Scan } from "../model/scan.js";
import { btfRead, objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import { fileRead, numbersRead } from "../reads/values.js";
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
 * of the kernel, settings, and its log. Returns the maps whose contents are too large. What cannot be read has an errno.
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
    reads.bytes(`${objectName("btf", id)}/name`, () => btfName(id));
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

/** The BTF of the kernel is the first, then those of modules and programs. */
function btfIds(reads: Reads): readonly number[] {
  const ids = numbersRead(reads, "@bpf/btf/ids", () => {
    const found: number[] = [];
    let id = nextObjectId("btf", 0);
    for (; id > 0; id = nextObjectId("btf", id)) found.push(id);
    return id === -ERRNO.ENOENT ? found : id;
  });
  return typeof ids === "number" ? [] : ids;
}

/** `vmlinux`, or the name of a module; empty for BTF that a task loaded. */
function btfName(id: number): Raw {
  const object = new Opened(() => openObject("btf", id));
  const report = object.use(btfReport);
  object.close();
  return typeof report === "number" ? report : Buffer.from(report.ofKernel ? report.name : "");
}
