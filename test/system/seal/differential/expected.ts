import { sha256 } from "../../../../src/bpf/insn/digest.js";
import type { CodeMap } from "../../../../src/bpf/model/code.js";
import type { MapDefinition, ProgramSubject } from "../../../../src/bpf/model/facts.js";
import { unknownMap } from "../../../../src/bpf/object/map-definition.js";
import { factsOfLoad } from "../../../../src/bpf/prog-load.js";
import type { Kernel } from "../../../../src/bpf/relocate.js";
import { MAP_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { CountersignError } from "../../../../src/error.js";
import type { ReplayedLoad } from "./load-file.js";

type Signed = Pick<ProgramSubject, "statements" | "mismatches">;

/** The subject of a live load, as a gate describes it to policies; null for a load that no kernel takes. */
export function subjectOf(load: ReplayedLoad, kernel: Kernel, signed: Signed): ProgramSubject | null {
  try {
    const facts = factsOfLoad({
      attr: attrOf(load),
      insns: withNumbers(load),
      license: load.license,
      btf: load.btf,
      funcInfo: load.funcInfo,
      lineInfo: new Uint8Array(0),
      coreRelos: load.relocation ? new Uint8Array(16) : new Uint8Array(0),
      kernel: kernel.vmlinux,
      fds: { mapByFd: (fd) => mapOf(load, fd - FIRST), mapByIndex: () => null },
    });
    const unsigned = { signature: null, kernel_signature: null, kernel_keyring: null, object: null };
    return { ...facts, ...unsigned, ...signed, loaded: null, rewritten: false };
  } catch (error) {
    if (error instanceof CountersignError) return null;
    throw error;
  }
}

/** Stands for the fd of the first map. */
const FIRST = 100;

function withNumbers({ insns, references }: ReplayedLoad): Uint8Array {
  const numbered = Buffer.from(insns);
  for (const { slot, map } of references) numbered.writeUInt32LE(FIRST + map, 8 * slot + 4);
  return numbered;
}

function attrOf(load: ReplayedLoad): Uint8Array {
  const attr = Buffer.alloc(144);
  const words: Readonly<Record<number, number>> = {
    0: load.type,
    4: load.insns.length / 8,
    68: load.expectedAttachType,
    76: 8,
    88: load.funcInfo.length / 8,
    108: load.attachBtfId,
    116: load.relocation ? 1 : 0,
    136: 16,
  };
  for (const [at, value] of Object.entries(words)) attr.writeUInt32LE(value, Number(at));
  attr.write(load.name, 48, 15, "latin1");
  return attr;
}

const known = new WeakMap<object, CodeMap>();
/** BPF_F_RDONLY_PROG. */
const RDONLY_PROG = 1 << 7;

function mapOf(load: ReplayedLoad, index: number): CodeMap | null {
  const map = load.maps[index];
  if (map === undefined) return null;
  const made = known.get(map);
  if (made !== undefined) return made;
  const readOnly = map.frozen && (map.flags & RDONLY_PROG) !== 0 && map.contents !== null;
  const definition: MapDefinition = {
    name: map.kind === "definition" ? map.name : `object${map.name}`,
    type: (MAP_TYPES[map.type] ?? "unknown") as MapDefinition["type"],
    key_size: map.keySize,
    value_size: map.valueSize,
    max_entries: map.maxEntries,
    flags: map.flags,
    contents: readOnly ? sha256(map.contents!) : null,
  };
  const found: CodeMap = {
    ...unknownMap(map.name),
    ...definition,
    own: true,
    data: readOnly ? map.contents : null,
    frozen: readOnly,
  };
  known.set(map, found);
  return found;
}
