import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sha256, tagOf, zeroMapReferences } from "../../bpf/insn/digest.js";
import { decodeInsns, INSN_SIZE, LD_SRC, OP } from "../../bpf/insn/insn.js";
import type { Kernel } from "../../bpf/relocate.js";
import { tagOnKernel } from "../../bpf/report/kernel-tag.js";
import { readInput } from "../../input.js";
import type { KnownMap, KnownProgram, KnownReference } from "./known-program.js";
import type { KnownSource } from "./known-source.js";
import { readable } from "./readable.js";

/** Maximum number of files, and of bytes of all together. */
const MAX_FILES = 65_536;
const MAX_BYTES = 1 << 28;

/**
 * The instructions that a gate kept (`log.programs`), each in a file that is named by their SHA-256. Neither name nor
 * type is known, and the references to maps only of instructions as they were loaded.
 */
export function recordedPrograms(folder: string): KnownSource {
  return function* (kernel, incomplete) {
    let left = MAX_BYTES;
    const names = namesIn(folder, incomplete);
    if (names.length > MAX_FILES) incomplete(`${folder} has more than ${MAX_FILES} programs`);
    for (const name of names.slice(0, MAX_FILES)) {
      const file = join(folder, name);
      const bytes = readable(() => readInput(file));
      // the gate can have removed it
      if (bytes === null || sha256(bytes) !== name) continue;
      left -= bytes.length;
      if (left < 0) return incomplete(`${folder} has more than ${MAX_BYTES} bytes`);
      const program = readable(() => recorded(bytes, file, kernel));
      if (program !== null) yield program;
    }
  };
}

function namesIn(folder: string, incomplete: (reason: string) => void): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
  } catch (error) {
    incomplete(`${folder} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return [];
  }
}

/** Throws INSN_MALFORMED. */
function recorded(raw: Uint8Array, file: string, { vmlinux }: Kernel): KnownProgram {
  const references = referencesIn(raw);
  const insns = zeroMapReferences(raw, "little");
  const digest = sha256(insns);
  return {
    ...({ source: "recorded", file, offset: null, package: null } as const),
    ...{ name: "", type: null, attachType: null, license: null },
    ...{ digest, tag: tagOnKernel(vmlinux, { insns, tag: tagOf(digest) }), insns },
    ...{ flags: 0, functions: null },
    references: isZeroed(raw, references) ? null : references,
  };
}

/** Whether the fds and offsets are not those of a load: a process rarely has a map as its standard input. */
function isZeroed(raw: Uint8Array, references: readonly KnownReference[]): boolean {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return references.length > 0 && references.every(({ slot }) => view.getInt32(slot * INSN_SIZE + 4, true) === 0);
}

const OF_FD: ReadonlySet<number> = new Set([LD_SRC.MAP_FD, LD_SRC.MAP_VALUE]);
const WITH_OFFSET: ReadonlySet<number> = new Set([LD_SRC.MAP_VALUE, LD_SRC.MAP_IDX_VALUE]);
const OF_MAP: ReadonlySet<number> = new Set([...OF_FD, LD_SRC.MAP_IDX, LD_SRC.MAP_IDX_VALUE]);

/** The references to maps, which are told apart by their fds and indexes in fd_array. */
function referencesIn(raw: Uint8Array): readonly KnownReference[] {
  const insns = decodeInsns(raw);
  const maps = new Map<string, KnownMap>();
  const found: KnownReference[] = [];
  for (let slot = 0; slot + 1 < insns.count; slot++) {
    if (insns.opcode[slot] !== OP.LD_IMM64) continue;
    const [src, number, offset] = [insns.src[slot]!, insns.imm[slot]!, insns.imm[slot + 1]!];
    slot += 1;
    if (!OF_MAP.has(src)) continue;
    const key = `${OF_FD.has(src)} ${number}`;
    const map = maps.get(key) ?? { name: "", type: null, index: null, fixed: null };
    maps.set(key, map);
    found.push({ map, slot: slot - 1, offset: WITH_OFFSET.has(src) ? offset : null });
  }
  return found;
}
