/**
 * Loads as libbpf makes them of `test/hostile/fixtures/recognition/tracer.o`, on a kernel of a few types and with one
 * module. test/system compares such loads with those of libbpf itself.
 */
import { readFileSync } from "node:fs";
import { BtfWriter } from "../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../src/bpf/btf/btf.js";
import { sha256 } from "../../src/bpf/insn/digest.js";
import { kconfigContents } from "../../src/bpf/recognition/kconfig-contents.js";
import { loadedBtf } from "../../src/bpf/recognition/loaded-btf.js";
import { StatedObjectForm } from "../../src/bpf/recognition/stated-program.js";
import {
  type FoundStatements,
  type IndexedStatement,
  type KernelConfiguration,
  type LiveMap,
  type LiveProgramLoad,
  StatedRelocator,
  StatementIndex,
} from "../../src/bpf/recognition.js";
import { Kernel } from "../../src/bpf/relocate.js";
import { programPartOf, type StatementContent, statementOf } from "../../src/bpf/statement.js";

export const TRACER = readFileSync(new URL("../hostile/fixtures/recognition/tracer.o", import.meta.url));

export const CONFIGURATION: KernelConfiguration = {
  version: 0x061234,
  options: new Map([["CONFIG_HZ", "250"]]),
  hasFunction: () => false,
  possibleCpus: 6,
};

/** The BTF ids of attach targets. */
export const KERNEL_IDS = { sched_switch: 0, do_exit: 0, find_task: 0 };

/** The BTF of the last kernel that {@link kernelOf} made. */
export const KERNEL_BYTES: Record<"vmlinux" | "module", Uint8Array> = {
  vmlinux: new Uint8Array(0),
  module: new Uint8Array(0),
};

/**
 * `shift`: how far the fields of `struct task` are from where the object has them. `skipped`: the number of types in
 * the module's BTF before those that programs refer to.
 */
export function kernelOf(shift = 16, module = "ping", skipped = 0): Kernel {
  const vmlinux = new BtfWriter();
  const int = vmlinux.int("int", 4, { encoding: 1 });
  const task = vmlinux.struct("task", 24 + shift, [
    ["flags", int, 0],
    ["tgid", int, 8 * shift],
    ["pid", int, 8 * (shift + 4)],
  ]);
  const pointer = vmlinux.ptr(task);
  KERNEL_IDS.find_task = vmlinux.func("find_task", vmlinux.proto(pointer, [["pid", int]]));
  KERNEL_IDS.do_exit = vmlinux.func("do_exit", vmlinux.proto(0, [["code", int]]));
  const trace = vmlinux.proto(0, [["", vmlinux.ptr(0)]]);
  KERNEL_IDS.sched_switch = vmlinux.typedef("btf_trace_sched_switch", vmlinux.ptr(trace));
  const split = new BtfWriter("little", vmlinux);
  for (let index = 0; index < skipped; index++) split.struct(`skipped_${index}`, 0, []);
  split.func("module_ping", split.proto(0, [["value", int]]));
  split.var("module_level", split.type("", "const", int));
  KERNEL_BYTES.vmlinux = vmlinux.bytes();
  KERNEL_BYTES.module = split.bytes();
  const base = new Btf(vmlinux.bytes());
  return new Kernel(base, [{ name: module, btf: new Btf(split.bytes(), module, base) }]);
}

export type Changeable<T> = { -readonly [K in keyof T]: T[K] };
export type ChangeableMap = Changeable<LiveMap>;
export type ChangeableContent = {
  version: 1;
  program: Deep<StatementContent["program"]>;
  rules: Deep<StatementContent["rules"]>;
};
type Deep<T> = T extends readonly (infer E)[]
  ? Deep<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Deep<T[K]> }
    : T;

/** A load that tests change; `mapsByName` are the maps that `maps` has by slot. */
export interface ChangeableLoad extends Changeable<Omit<LiveProgramLoad, "attach">> {
  attach: Changeable<LiveProgramLoad["attach"]>;
  maps: Map<number, ChangeableMap>;
  btfObjects: Map<number, string | null>;
  readonly mapsByName: ReadonlyMap<string, ChangeableMap>;
}

/** The content of a statement, to be changed before {@link signed}. */
export function contentOf(
  options: Parameters<typeof statementOf>[2] = {},
  bytes: Uint8Array = TRACER,
): ChangeableContent {
  return structuredClone(statementOf(bytes, null, options).statement.content) as ChangeableContent;
}

let statements = 0;

/** A statement of a store with this content. */
export function signed(content: ChangeableContent = contentOf()): IndexedStatement {
  statements += 1;
  const sha256 = statements.toString(16).padStart(64, "0");
  const { object, programs } = content.program;
  return {
    sha256,
    byteOrder: object.byte_order,
    programs: programs.map(({ name, insns }) => ({ name, insnCount: Buffer.byteLength(insns, "base64") / 8 })),
    statement: {
      ...{ content: content as StatementContent, sha256 },
      ...{ programPart: new Uint8Array(0), programSha256: sha256 },
    },
  };
}

export function indexOf(kernel: Kernel, ...of: readonly IndexedStatement[]): StatementIndex<IndexedStatement> {
  return new StatementIndex(of, new StatedRelocator(kernel).relocate);
}

export function findIn(
  index: StatementIndex<IndexedStatement>,
  load: ChangeableLoad,
  name: string,
): FoundStatements<IndexedStatement> {
  return index.find(
    load,
    name,
    () => CONFIGURATION,
    () => true,
  );
}

/** The load of a program as libbpf makes it if the loader changes nothing. Each call has new maps. */
export function loadOf(name: string, kernel: Kernel, configuration = CONFIGURATION): ChangeableLoad {
  const content = { version: 1, program: programPartOf(TRACER), rules: { fixed: [], open: [] } } as const;
  const { object, programs } = content.program;
  const at = programs.findIndex((program) => program.name === name);
  const program = programs[at]!;
  const form = new StatedObjectForm(content);
  const relocated = new StatedRelocator(kernel).relocate(form, at)[0]!;
  const insns = Buffer.from(relocated.insns);
  const mapsByName = new Map<string, ChangeableMap>();
  const maps = new Map<number, ChangeableMap>();
  for (const { slot, map, offset } of program.map_references) {
    const stated = object.maps[map]!;
    const live = mapsByName.get(stated.name) ?? liveMap(content, form.btf, map, mapsByName.size + 1, configuration);
    mapsByName.set(stated.name, live);
    maps.set(slot, live);
    insns.writeInt32LE(live.id + 100, 8 * slot + 4);
    insns.writeInt32LE(offset ?? 0, 8 * slot + 12);
  }
  for (const [slot] of relocated.btfObjects) if (insns[8 * slot] === LD_IMM64) insns.writeInt32LE(77, 8 * slot + 12);
  const functions = program.functions.flatMap(({ start, btf_id }) => (btf_id === null ? [] : [start, btf_id]));
  const { attach } = relocated;
  return {
    insns,
    type: program.type,
    expectedAttachType: program.expected_attach_type,
    flags: program.flags,
    ifindex: 0,
    license: object.license,
    attach: { btfId: attach?.btfId ?? 0, of: attach?.object ?? null, name: null },
    btf: form.btf,
    funcInfo: { bytes: new Uint8Array(Uint32Array.from(functions).buffer), size: 8 },
    coreRelos: { bytes: new Uint8Array(0), size: 0 },
    maps,
    mapsByName,
    btfObjects: new Map(relocated.btfObjects),
    boundFds: 0,
  };
}

const LD_IMM64 = 0x18;
const PAGE = 4096;
const RINGBUF = 27;
const OUTER = 12;

function liveMap(
  { program }: Pick<StatementContent, "program">,
  btf: string | null,
  at: number,
  id: number,
  configuration: KernelConfiguration,
): ChangeableMap {
  const { object } = program;
  const stated = object.maps[at]!;
  const { type, key_type_id: keyTypeId, value_type_id: valueTypeId, inner } = stated;
  const hasTypes = type !== OUTER && keyTypeId + valueTypeId > 0;
  const isFrozen = stated.kind === "rodata" || stated.kind === "kconfig";
  const contents =
    stated.kind === "kconfig"
      ? (kconfigContents(object, Buffer.from(object.btf!, "base64"), configuration) as Uint8Array)
      : Buffer.from(stated.data ?? "", "base64");
  return {
    id,
    type,
    keySize: stated.key_size,
    valueSize: stated.value_size,
    maxEntries: type === RINGBUF ? 2 * PAGE : stated.max_entries || 1024,
    flags: stated.map_flags,
    mapExtra: stated.map_extra,
    ifindex: 0,
    btf: hasTypes ? btf : null,
    keyTypeId: hasTypes ? keyTypeId : 0,
    valueTypeId: hasTypes ? valueTypeId : 0,
    inner:
      inner === null
        ? null
        : {
            type: inner.type,
            keySize: inner.key_size,
            valueSize: inner.value_size,
            maxEntries: inner.max_entries,
            flags: inner.map_flags,
            mapExtra: inner.map_extra,
            ifindex: 0,
            btf,
            keyTypeId: inner.key_type_id,
            valueTypeId: inner.value_type_id,
          },
    numaNode: stated.numa_node,
    frozen: isFrozen,
    contents: isFrozen ? contents : null,
    creator: "loader",
    readBtf: () => null,
    roles: [],
  };
}

/** SHA-256 of the BTF that libbpf loads for an object with these changes in its BTF. */
export function changedBtf(change: (btf: Btf, words: BtfWords) => void): string {
  const { object } = programPartOf(TRACER);
  const bytes = Buffer.from(loadedBtf(Buffer.from(object.btf!, "base64"), object));
  change(new Btf(bytes), new BtfWords(bytes));
  return sha256(bytes);
}

/** Changes words of types, and strings, of little-endian BTF. */
export class BtfWords {
  readonly #places: number[] = [0];

  constructor(readonly bytes: Buffer) {
    const end = 24 + bytes.readUInt32LE(12);
    for (let at = 24; at < end; ) {
      this.#places.push(at);
      const info = bytes.readUInt32LE(at + 4);
      const [once, each] = TAILS[(info >>> 24) & 31] ?? [0, 0];
      at += 12 + 4 * (once + each * (info & 0xffff));
    }
  }

  get(id: number, word: number): number {
    return this.bytes.readUInt32LE(this.#places[id]! + 4 * word);
  }

  put(id: number, word: number, value: number): void {
    this.bytes.writeUInt32LE(value, this.#places[id]! + 4 * word);
  }

  /** Replaces a string by one of the same length. */
  rename(from: string, to: string): void {
    const at = this.bytes.indexOf(`\0${from}\0`, 0, "latin1");
    if (at < 0 || from.length !== to.length) throw new Error(`\`${from}\` cannot become \`${to}\``);
    this.bytes.write(to, at + 1, "latin1");
  }
}

/** Words after the common three, by the number of the kind: once, and for each row. */
const TAILS: Readonly<Record<number, readonly [number, number]>> = {
  ...{ 1: [1, 0], 3: [3, 0], 4: [0, 3], 5: [0, 3], 6: [0, 2], 13: [0, 2], 14: [1, 0], 15: [0, 3] },
  ...{ 17: [1, 0], 19: [0, 3] },
};
