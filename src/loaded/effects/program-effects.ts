import type { Btf } from "../../bpf/btf/btf.js";
import type { CodeMap } from "../../bpf/model/code.js";
import { type EffectsAtMost, effectsAtMost } from "../../bpf/translated-program.js";
import type { MapReport, ProgramReport } from "../model/objects.js";
import type { LoadedFor } from "./attach-type.js";
import type { Callees } from "./callees.js";

/** What the kernel shows of a loaded program. */
export interface LoadedCode {
  readonly report: ProgramReport;
  readonly loadedFor: LoadedFor;
  /** Of struct bpf_prog_info: struct bpf_insn[] (xlated_prog_insns), struct bpf_func_info[], struct bpf_line_info[]. */
  readonly translated: Uint8Array;
  readonly functions: Uint8Array;
  readonly lines: Uint8Array;
  /** Null if it has none, or it cannot be read. */
  readonly btf: Btf | null;
}

/** A map that a program refers to. */
export interface UsedMap {
  readonly report: MapReport;
  /**
   * Whether anyone uses it besides the program and the processes that loaded it: another program of others, another
   * process, or a pin. Writing to it is then `writes_shared_map`.
   */
  readonly isShared: boolean;
  /** The value of key 0 of an array with one element; null if it was not read. */
  readonly value: Uint8Array | null;
}

/** The kernel that translated the program. */
export interface TranslatingKernel {
  readonly callees: Callees;
  /** BTF of vmlinux; null if it cannot be read: accesses to the context of many types are then not told apart. */
  readonly types: Btf | null;
}

/** BPF_F_RDONLY_PROG of linux/bpf.h. */
const RDONLY_PROG = 1 << 7;

/**
 * What a loaded program can at most do: a superset of the effects of the instructions with which it was loaded, and of
 * those that an analysis of its object says. Every effect, with the reasons in `unknown`, if a function that it calls
 * is not known, as with sysctl kernel.kptr_restrict, or its BTF was not read. Throws INSN_MALFORMED and LOAD_MALFORMED
 * for bytes that no kernel shows.
 */
export function programEffects(
  code: LoadedCode,
  maps: readonly UsedMap[],
  { callees, types }: TranslatingKernel,
): EffectsAtMost {
  const { report, loadedFor, translated, functions, lines, btf } = code;
  const byId = new Map(maps.map((map) => [map.report.id, codeMapOf(map)]));
  return effectsAtMost({
    name: report.name,
    type: report.type,
    attachType: loadedFor.attachType,
    attachTo: loadedFor.attachTo,
    insns: translated,
    functions,
    lines,
    btf: btf === null && report.btfId !== null ? "unread" : btf,
    kernelTypes: types,
    mapById: (id) => byId.get(id) ?? null,
    // The BTF of a map says where it holds pointers; that of the program is the same for maps that came with it.
    keepsPointers: maps.some(({ report: { btfId } }) => btfId !== null && (btf === null || btfId !== report.btfId)),
    kernel: callees.viewOf(report.type),
  });
}

function codeMapOf({ report, isShared, value }: UsedMap): CodeMap {
  const isFixed = report.frozen === true && (report.flags & RDONLY_PROG) !== 0 && report.maxEntries === 1;
  return {
    name: report.name,
    type: report.type,
    key_size: report.keySize,
    value_size: report.valueSize,
    max_entries: report.maxEntries,
    flags: report.flags,
    contents: null,
    own: !isShared,
    data: isFixed ? value : null,
    frozen: isFixed && value !== null,
    inner: null,
  };
}
