/**
 * The bpf(2) that a loader would make of an object's program: file descriptors in the places of maps, BTF ids in those
 * of kfuncs, records in units of the attr. It writes what libbpf writes, except that CO-RE is left to the kernel, as a
 * light skeleton leaves it.
 */
import type { Btf } from "../../src/bpf/btf/btf.js";
import { RECORD_FIELDS } from "../../src/bpf/btf/btf-ext.js";
import type { CodeMap } from "../../src/bpf/model/code.js";
import type { ObjectProgram } from "../../src/bpf/object/program.js";
import type { BpfObject } from "../../src/bpf/object.js";
import type { Load } from "../../src/bpf/prog-load.js";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";

const FIRST_FD = 5;

export function liveLoad(object: BpfObject, program: ObjectProgram, kernel: Btf | null = null): Load {
  const maps: CodeMap[] = [];
  const insns = program.linked.insns.slice();
  const view = new DataView(insns.buffer);
  for (const [slot, reference] of program.linked.references) {
    if (reference.to === "map") {
      const { map, offset } = reference.reference;
      if (!maps.includes(map)) maps.push(map);
      view.setInt32(slot * 8 + 4, FIRST_FD + maps.indexOf(map), true);
      view.setInt32(slot * 8 + 12, offset ?? 0, true);
    } else if (reference.to === "kfunc" || reference.to === "ksym")
      view.setInt32(
        slot * 8 + 4,
        kernel?.find(reference.to === "kfunc" ? "func" : "var", reference.name.name) ?? 0,
        true,
      );
  }
  const functions = records(object, program, "functions", 8);
  const lines = records(object, program, "lines", 8);
  const relocations = records(object, program, "relocations", 1);
  return {
    attr: attrOf(program, { functions, lines, relocations }),
    insns,
    license: object.license,
    btf: object.elf.section(".BTF")?.data ?? null,
    funcInfo: functions.bytes,
    lineInfo: lines.bytes,
    coreRelos: relocations.bytes,
    kernel,
    // the kernel knows a loader's maps by the object's name and the section's
    fds: {
      mapByFd: (fd) => named(maps[fd - FIRST_FD]),
      mapByIndex: () => null,
    },
  };
}

const known = new WeakMap<CodeMap, CodeMap>();

function named(map: CodeMap | undefined): CodeMap | null {
  if (map === undefined) return null;
  const live = known.get(map) ?? { ...map, name: map.name.startsWith(".") ? `object${map.name}` : map.name };
  known.set(map, live);
  return live;
}

interface Rows {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly size: number;
}

/** The records of `.BTF.ext` that are about a program's parts, moved to where the parts are. */
function records(object: BpfObject, program: ObjectProgram, kind: keyof typeof RECORD_FIELDS, unit: 1 | 8): Rows {
  const fields = RECORD_FIELDS[kind];
  const rows: number[][] = [];
  for (const { function: part, start } of program.linked.parts)
    for (const found of object.ext?.of(kind, part.section.name) ?? [])
      for (let record = 0; record < found.count; record++) {
        const offset = found.offset(record) - part.offset;
        if (offset < 0 || offset >= part.size) continue;
        const rest = Array.from({ length: fields - 1 }, (_, field) => found.field(record, field + 1));
        rows.push([(start * 8 + offset) / unit, ...rest]);
      }
  const words = rows.sort((a, b) => a[0]! - b[0]!).flat();
  return { bytes: new Uint8Array(Uint32Array.from(words).buffer), count: rows.length, size: fields * 4 };
}

function attrOf(program: ObjectProgram, given: Readonly<Record<keyof typeof RECORD_FIELDS, Rows>>): Uint8Array {
  const attr = Buffer.alloc(168);
  attr.writeUInt32LE(Math.max(0, PROGRAM_TYPES.indexOf(program.type)), 0);
  attr.writeUInt32LE(program.insns.count, 4);
  attr.write(program.functions[0]!.name.slice(0, 15), 48, "latin1");
  attr.writeUInt32LE(Math.max(0, ATTACH_TYPES.indexOf(program.expectedAttachType ?? "")), 68);
  for (const [size, count, rows] of [
    [76, 88, given.functions],
    [92, 104, given.lines],
    [136, 116, given.relocations],
  ] as const) {
    attr.writeUInt32LE(rows.size, size);
    attr.writeUInt32LE(rows.count, count);
  }
  return attr;
}
