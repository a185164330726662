import { readFileSync, readlinkSync } from "node:fs";
import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** MADV_DONTNEED of asm-generic/mman-common.h. */
const DONT_NEED = 4;

/** Part of the address space: its start and its length in bytes. */
export interface Mapping {
  readonly start: number;
  readonly length: number;
}

/**
 * Removes the pages of node's executable from this process's page tables (madvise(2)). A start touches some 45 MB of
 * them, an idle process a fraction. They stay in the page cache, and the next access to one maps it again. Does nothing
 * if /proc cannot be read.
 */
export function unmapExecutablePages(): void {
  try {
    const executable = readlinkSync("/proc/self/exe");
    const mappings = unmodifiedMappings(readFileSync("/proc/self/smaps", "utf8"), executable);
    for (const { start, length } of mappings) syscall(NR.madvise, start, length, DONT_NEED);
  } catch {
    // the process only keeps more pages
  }
}

/**
 * Returns the mappings of a file in /proc/PID/smaps that cannot be written and are equal to the file. A mapping with
 * anonymous pages is not: the dynamic linker has relocated them, and they would be lost.
 */
export function unmodifiedMappings(smaps: string, file: string): readonly Mapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((entry) => {
    const [, from, to, path] = HEADER.exec(entry) ?? [];
    if (from === undefined || to === undefined || path !== file || !/^Anonymous: +0 kB$/m.test(entry)) return [];
    const start = Number.parseInt(from, 16);
    return [{ start, length: Number.parseInt(to, 16) - start }];
  });
}

/** A private mapping without write permission: range, permissions, offset, device, inode, path (proc_pid_maps(5)). */
const HEADER = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ \d+ +(.*)$/m;
