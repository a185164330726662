import { CMD } from "../src/bpf/model/commands.js";
import type { StatedMap, StatedObject, StatedProgram } from "../src/bpf/statement/content.js";
import { Attr, CREATE, LOAD } from "../src/gate/call/attr.js";
import { bpf } from "../src/sys/bpf.js";
import { addressOf } from "../src/sys/libc.js";
import type { FakeTask } from "../test/support/fake-task.js";

/** The maps and the BTF of an object in the running kernel, as libbpf creates them. Its programs are not loaded. */
export class KernelObjects {
  readonly btf: number;
  readonly #maps = new Map<number, number>();

  /** `btf` is the BTF that libbpf loads for the object. Throws if the kernel refuses it. */
  constructor(
    private readonly object: StatedObject,
    btf: Uint8Array,
  ) {
    const attr = Buffer.alloc(32);
    attr.writeBigUInt64LE(BigInt(addressOf(btf)), 0);
    attr.writeUInt32LE(btf.length, 16);
    this.btf = accepted(bpf(CMD.BPF_BTF_LOAD, attr), "BPF_BTF_LOAD");
  }

  /** The map at this index of the object, created when it is first asked for. */
  map(index: number): number {
    let fd = this.#maps.get(index);
    if (fd === undefined) {
      fd = this.create(this.object.maps[index]!);
      this.#maps.set(index, fd);
    }
    return fd;
  }

  /** One more map of this definition; read-only data is filled with `data` and frozen. */
  create(stated: StatedMap, data: Uint8Array = Buffer.from(stated.data ?? "", "base64")): number {
    const attr = new Attr(CREATE.size, CREATE.size);
    const hasTypes = stated.kind !== "definition" || (stated.key_type_id > 0 && stated.value_type_id > 0);
    const words: readonly (readonly [number, number])[] = [
      [CREATE.mapType, stated.type],
      [CREATE.keySize, stated.key_size],
      [CREATE.valueSize, stated.value_size],
      [CREATE.maxEntries, stated.max_entries || ENTRIES],
      [CREATE.mapFlags, stated.map_flags],
      [CREATE.btfFd, hasTypes ? this.btf : 0],
      [CREATE.btfKeyTypeId, hasTypes ? stated.key_type_id : 0],
      [CREATE.btfValueTypeId, hasTypes ? stated.value_type_id : 0],
    ];
    for (const [offset, value] of words) attr.setU32(offset, value);
    const fd = accepted(bpf(CMD.BPF_MAP_CREATE, attr.bytes), `BPF_MAP_CREATE of ${stated.name}`);
    if (stated.kind === "rodata") freeze(fd, data);
    return fd;
  }
}

const ENTRIES = 1024;

function freeze(fd: number, data: Uint8Array): void {
  const [key, attr] = [new Uint8Array(4), Buffer.alloc(32)];
  attr.writeInt32LE(fd, 0);
  attr.writeBigUInt64LE(BigInt(addressOf(key)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(data)), 16);
  accepted(bpf(CMD.BPF_MAP_UPDATE_ELEM, attr), "BPF_MAP_UPDATE_ELEM");
  accepted(bpf(CMD.BPF_MAP_FREEZE, attr.subarray(0, 4)), "BPF_MAP_FREEZE");
}

function accepted(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: ${result}`);
  return result;
}

/** How a task passes a program: its maps are the fds from FIRST_MAP. */
export const FIRST_MAP = 100;
const BTF_FD = 6;

/** The attr of the BPF_PROG_LOAD that libbpf makes of a relocated program, in the task's memory. */
export function attrOf(
  task: FakeTask,
  { program, license, insns }: { program: StatedProgram; license: string; insns: Uint8Array },
  objects: KernelObjects,
): Attr {
  const passed = Buffer.from(insns);
  for (const { slot, map, offset } of program.map_references) {
    passed.writeInt32LE(FIRST_MAP + map, 8 * slot + 4);
    passed.writeInt32LE(offset ?? 0, 8 * slot + 12);
    task.fds.set(FIRST_MAP + map, objects.map(map));
  }
  task.fds.set(BTF_FD, objects.btf);
  const functions = program.functions.flatMap(({ start, btf_id }) => (btf_id === null ? [] : [start, btf_id]));
  const attr = new Attr(LOAD.size, LOAD.size);
  const words: readonly (readonly [number, number])[] = [
    [LOAD.progType, program.type],
    [LOAD.insnCount, passed.length / 8],
    [LOAD.progFlags, program.flags],
    [LOAD.expectedAttachType, program.expected_attach_type],
    [LOAD.progBtfFd, BTF_FD],
    [LOAD.funcInfoRecordSize, 8],
    [LOAD.funcInfoCount, functions.length / 2],
  ];
  for (const [offset, value] of words) attr.setU32(offset, value);
  attr.setU64(LOAD.insns, task.place(passed));
  attr.setU64(LOAD.license, task.place(license));
  attr.setU64(LOAD.funcInfo, task.place(new Uint8Array(Uint32Array.from(functions).buffer)));
  return attr;
}
