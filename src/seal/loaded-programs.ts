import { programTypeName } from "../bpf/object/section.js";
import { nextObjectId } from "../sys/bpf.js";
import { programReportById } from "../sys/bpf-programs.js";

/** A program that the kernel has. */
export interface LoadedProgram {
  readonly id: number;
  readonly name: string;
  /** As bpftool spells it. */
  readonly type: string;
  /** 8 bytes in hex: since Linux 6.18 the first of the SHA-256 that lists have, before that of a SHA-1. */
  readonly tag: string;
}

/** The programs that the kernel has now, by id. Needs root; empty without. */
export function loadedPrograms(): readonly LoadedProgram[] {
  const found: LoadedProgram[] = [];
  for (let id = nextObjectId("program", 0); id > 0; id = nextObjectId("program", id)) {
    const report = programReportById(id);
    // A program can be unloaded between the two calls.
    if (typeof report === "number") continue;
    found.push({ id, name: report.name, type: programTypeName(report.type), tag: report.tag });
  }
  return found;
}
