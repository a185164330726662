import { CountersignError } from "../../error.js";
import { sha256 } from "../insn/digest.js";
import { CALL_SRC, INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import type { OPENINGS, SettingValue, StatedMap, StatedProgram, StatementContent } from "../statement/content.js";
import { type DeclaredSetting, declaredSettings } from "../statement/settings.js";
import { loadedBtf } from "./loaded-btf.js";
import { structureIn } from "./type-structure.js";

/** A statement with everything about its object that all its programs share, decoded once. */
export class StatedObjectForm {
  /** SHA-256 of the object file. */
  readonly sha256: string;
  readonly license: string;
  readonly maps: readonly StatedMapForm[];
  /** SHA-256 of the BTF that libbpf loads; null if the object has none. */
  readonly btf: string | null;
  readonly originalBtf: Uint8Array | null;
  readonly open: ReadonlySet<string>;
  /** Settings by the index of their map. */
  readonly settings: ReadonlyMap<number, readonly DeclaredSetting[]>;
  /** The values that the signer fixed, by kind and name. */
  readonly fixed: ReadonlyMap<string, SettingValue>;

  /**
   * Throws BTF_MALFORMED if the statement's BTF cannot be completed, and STATEMENT_MALFORMED if it fixes what is no
   * setting: the signer did not mean that other values are covered as declared.
   */
  constructor(readonly content: StatementContent) {
    const { object } = content.program;
    this.sha256 = object.sha256;
    this.license = object.license;
    this.originalBtf = object.btf === null ? null : bytesOf(object.btf);
    this.btf = this.originalBtf === null ? null : sha256(loadedBtf(this.originalBtf, object));
    this.open = new Set(content.rules.open);
    this.fixed = new Map(content.rules.fixed.map(({ kind, name, value }) => [`${kind} ${name}`, value]));
    const byMap = new Map<number, DeclaredSetting[]>();
    for (const setting of declaredSettings(object)) {
      const others = byMap.get(setting.map);
      if (others === undefined) byMap.set(setting.map, [setting]);
      else others.push(setting);
    }
    this.settings = byMap;
    const known = new Set([...byMap.values()].flat().map(({ kind, name }) => `${kind} ${name}`));
    for (const rule of this.fixed.keys())
      if (!known.has(rule)) throw malformed("rules.fixed", `fixes \`${rule}\`, which is no setting`);
    this.maps = object.maps.map((map) => ({ ...map, data: map.data === null ? null : bytesOf(map.data) }));
  }

  /** The structure of types of the BTF that libbpf loads (type-structure.ts); null if they are too many. */
  structureOf(types: readonly number[]): string | null {
    if (this.originalBtf === null) return null;
    return structureIn(loadedBtf(this.originalBtf, this.content.program.object), types);
  }
}

/** A stated map with its contents as bytes. */
export interface StatedMapForm extends Omit<StatedMap, "data"> {
  readonly data: Uint8Array | null;
}

/** What a program's relocation on one kernel is. */
export interface RelocatedForm {
  /** Instructions with zeroed fds and offsets of maps, and zeroed fds of BTF objects. */
  readonly insns: Uint8Array;
  /**
   * The BTF object of the kernel by slot: of each `ld_imm64` with src 3 and each kfunc call whose symbol is in a
   * module.
   */
  readonly btfObjects: ReadonlyMap<number, string>;
  /** What libbpf attaches the program to; null if it names no target of the kernel. */
  readonly attach: RelocatedTarget | null;
  /** Whether it names a target that this kernel lacks. */
  readonly isMissing: boolean;
  /** Of struct_ops programs: the index of the member in the kernel's struct. Null for other types. */
  readonly memberIndex: number | null;
}

export interface RelocatedTarget {
  readonly btfId: number;
  /** `vmlinux`, or the name of a module. */
  readonly object: string;
}

/** One program of a statement as it would be loaded on one kernel. */
export class ExpectedProgram {
  readonly insns: Uint8Array;
  /** SHA-256 of the instructions in the form that {@link lookupKey} describes. */
  readonly key: string;
  /** Instructions before relocation. */
  readonly unrelocated: Uint8Array;
  /** The func_info that libbpf passes, as this machine stores it: the slot and the BTF id of each function. */
  readonly functions: Uint8Array;

  /** Throws STATEMENT_MALFORMED if a reference of the statement is at no such instruction. */
  constructor(
    readonly object: StatedObjectForm,
    readonly program: StatedProgram,
    readonly relocated: RelocatedForm,
  ) {
    this.insns = relocated.insns;
    this.unrelocated = bytesOf(program.insns);
    if (this.insns.length !== this.unrelocated.length)
      throw malformed(`program ${program.name}`, "its relocation has another length");
    const stated = new Set(program.map_references.map(({ slot }) => slot));
    const found = mapSlots(this.insns);
    if (found.length !== stated.size || found.some((slot) => !stated.has(slot)))
      throw malformed(`program ${program.name}`, "its references to maps are not those of its instructions");
    for (const { slot, offset, map } of program.map_references) {
      if (object.maps[map] === undefined) throw malformed(`program ${program.name}`, `there is no map ${map}`);
      if (sourceAt(this.insns, slot) !== (offset === null ? LD_SRC.MAP_FD : LD_SRC.MAP_VALUE))
        throw malformed(`program ${program.name}`, `its instruction ${slot} refers to a map in another way`);
    }
    this.key = lookupKey(this.insns);
    this.functions = functionInfo(program);
  }

  readonly opens = (what: (typeof OPENINGS.program)[number]): boolean =>
    this.object.open.has(`${this.program.name}.${what}`);

  readonly opensMap = (map: string, what: (typeof OPENINGS.map)[number]): boolean =>
    this.object.open.has(`map:${map}.${what}`);
}

/**
 * The SHA-256 by which candidates for a load are looked up. It covers all instructions except references to maps (src 1
 * and 2), which libbpf replaces if the map is not created, and the fds of BTF objects (src 3). Both are compared later.
 */
export function lookupKey(insns: Uint8Array): string {
  const bytes = new Uint8Array(insns);
  for (let at = 0; at + INSN_SIZE <= bytes.length; at += INSN_SIZE) {
    if (bytes[at] === OP.LD_IMM64 && at + 2 * INSN_SIZE <= bytes.length) {
      const src = bytes[at + 1]! >> 4;
      if (src === LD_SRC.MAP_FD || src === LD_SRC.MAP_VALUE) bytes.fill(0, at, at + 2 * INSN_SIZE);
      else if (src === LD_SRC.BTF_ID) bytes.fill(0, at + INSN_SIZE + 4, at + 2 * INSN_SIZE);
      at += INSN_SIZE;
    } else if (missingMapAt(bytes, at / INSN_SIZE) !== null) {
      bytes.fill(0, at, at + 2 * INSN_SIZE);
      at += INSN_SIZE;
    }
  }
  return sha256(bytes);
}

/** POISON_LDIMM64_MAP_BASE and the base after it (libbpf.c). */
const MISSING_MAP = 2_001_000_000;
const MISSING_MAP_END = 2_002_000_000;

/**
 * The index of the map that this slot and the next refer to, if libbpf replaced the reference by two equal calls
 * because the map is not created (poison_map_ldimm64); otherwise null.
 */
export function missingMapAt(insns: Uint8Array, slot: number): number | null {
  const at = slot * INSN_SIZE;
  if (insns[at] !== OP.CALL || at + 2 * INSN_SIZE > insns.length) return null;
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const imm = view.getUint32(at + 4, true);
  if (imm < MISSING_MAP || imm >= MISSING_MAP_END) return null;
  if (insns[at + 1]! >> 4 !== CALL_SRC.HELPER) return null;
  for (const offset of [0, 4])
    if (view.getUint32(at + offset, true) !== view.getUint32(at + INSN_SIZE + offset, true)) return null;
  return view.getUint32(at, true) === OP.CALL ? imm - MISSING_MAP : null;
}

/** One record for each function, if the program itself has one (reloc_prog_func_and_line_info). */
function functionInfo({ functions }: StatedProgram): Uint8Array {
  if (functions[0]?.btf_id == null) return new Uint8Array(0);
  const words = functions.flatMap(({ start, btf_id }) => (btf_id === null ? [] : [start, btf_id]));
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** The first slots of all `ld_imm64` that refer to a map. */
function mapSlots(insns: Uint8Array): number[] {
  const slots: number[] = [];
  for (let at = 0; at + INSN_SIZE <= insns.length; at += INSN_SIZE) {
    if (insns[at] !== OP.LD_IMM64) continue;
    if (MAP_SOURCES.has(insns[at + 1]! >> 4)) slots.push(at / INSN_SIZE);
    at += INSN_SIZE;
  }
  return slots;
}

const MAP_SOURCES: ReadonlySet<number> = new Set([
  LD_SRC.MAP_FD,
  LD_SRC.MAP_VALUE,
  LD_SRC.MAP_IDX,
  LD_SRC.MAP_IDX_VALUE,
]);

export function sourceAt(insns: Uint8Array, slot: number): number {
  return insns[slot * INSN_SIZE + 1]! >> 4;
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, "base64");
}

function malformed(place: string, message: string): CountersignError {
  return new CountersignError("STATEMENT_MALFORMED", message, {
    place,
    remedy: "sign the object again with this version of Countersign",
  });
}
