import { Scratch } from "./analysis/values/scratch.js";
import type { Btf } from "./btf/btf.js";
import { disassemble } from "./insn/disassembly.js";
import { CALL_SRC, decodeInsns, type Insns, LD_SRC, OP } from "./insn/insn.js";
import { LiveProgram, liveRecords } from "./live-program.js";
import type { Code } from "./model/code.js";
import { HELPERS } from "./tables/names.gen.js";
import { loadForm } from "./translated/load-form.js";
import type { TranslatedParts } from "./translated-program.js";

/** One translated instruction. */
export interface ListedInsn {
  /** Its index: an instruction with a 64-bit number takes two. */
  readonly insn: number;
  /** The function that begins here; null if none does. */
  readonly function: string | null;
  /** `file.c:12` and the text of the line, if it is not that of the instruction before; otherwise null. */
  readonly source: string | null;
  /** In the syntax of `llvm-objdump -d`, as the kernel shows it: a call has a distance of the kernel's. */
  readonly text: string;
  /** The function that it calls or the symbol or map that it refers to; null for others, or if it is not known. */
  readonly refers: string | null;
}

/**
 * The translated instructions of a loaded program, as the kernel shows them. Throws INSN_MALFORMED, LOAD_MALFORMED and
 * BTF_MALFORMED for bytes that no kernel shows.
 */
export function translatedListing(
  parts: Pick<TranslatedParts, "name" | "type" | "insns" | "functions" | "lines" | "kernel"> & {
    readonly btf: Btf | null;
    /** The name of the map with an id; null if it is not known. */
    readonly mapName: (id: number) => string | null;
  },
): readonly ListedInsn[] {
  const shown = decodeInsns(parts.insns);
  const { insns, names } = loadForm(parts.insns, parts.kernel);
  const scratch = Scratch.begin();
  try {
    const records = (bytes: Uint8Array, size: number, kind: "functions" | "lines") =>
      liveRecords(bytes, size, Math.ceil(bytes.length / size), kind);
    const lines = records(parts.lines, 16, "lines");
    const code = new LiveProgram({
      ...{ name: parts.name, type: parts.type, expectedAttachType: null, attachTo: null, insns, scratch },
      kernel: { count: names.length + 1, kind: (id) => names[id - 1]!.kind, name: (id) => names[id - 1]!.name },
      ...{ btf: parts.btf, functions: records(parts.functions, 8, "functions"), lines, relocations: null },
      fds: { mapByFd: () => null, mapByIndex: () => null },
    });
    const functions = new Map(code.functions.map(({ start, name }) => [start, name]));
    const lineOf = (slot: number): string | null => {
      const place = code.sourceAt(slot);
      if (place === null || lines === null || parts.btf === null) return place;
      return `${place} ${parts.btf.string(lines.field(lines.lastBefore(slot), LINE_TEXT)).trim()}`.trimEnd();
    };
    const listed: ListedInsn[] = [];
    let before: string | null = null;
    for (let insn = 0; insn < shown.count; insn++) {
      const line = lineOf(insn);
      const source = line === before ? null : line;
      before = line;
      const text = disassemble(shown, insn);
      // what the kernel shows with modes of its own is that of a load
      const known = text === UNKNOWN ? disassemble(code.insns, insn) : text;
      const refers = mapOf(shown, insn, parts.mapName) ?? refersTo(code, insn);
      listed.push({ insn, function: functions.get(insn) ?? null, source, text: known, refers });
      if (shown.opcode[insn] === OP.LD_IMM64) insn++;
    }
    return listed;
  } finally {
    scratch.end();
  }
}

const UNKNOWN = "<unknown>";
/** The field of a record of lines after its offset that has the text of the line in BTF (struct bpf_line_info). */
const LINE_TEXT = 2;

/** A translated instruction has the id of a map, and the offset into its value in the second slot. */
function mapOf({ opcode, src, imm }: Insns, slot: number, mapName: (id: number) => string | null): string | null {
  if (opcode[slot] !== OP.LD_IMM64) return null;
  const isValue = src[slot] === LD_SRC.MAP_VALUE;
  if (!isValue && src[slot] !== LD_SRC.MAP_FD) return null;
  const id = imm[slot]!;
  const map = `map ${id}${mapName(id) === null ? "" : ` ${mapName(id)}`}`;
  return isValue ? `value of ${map}, byte ${imm[slot + 1] ?? 0}` : map;
}

function refersTo(code: Code, slot: number): string | null {
  const { opcode, src, imm } = code.insns;
  if (opcode[slot] === OP.LD_IMM64) return code.ksymAt(slot)?.name ?? null;
  if (opcode[slot] !== OP.CALL) return null;
  if (src[slot] === CALL_SRC.HELPER) return HELPERS[imm[slot]!] ?? null;
  if (src[slot] === CALL_SRC.KFUNC) return code.kfuncAt(slot)?.name ?? null;
  if (src[slot] !== CALL_SRC.SUBPROGRAM) return null;
  const target = slot + imm[slot]! + 1;
  return code.functions.find(({ start }) => start === target)?.name ?? null;
}
