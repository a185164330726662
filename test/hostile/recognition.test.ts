// @module-tag deep
/**
 * Loads that differ in one covered property from what was stated, over a real object: each is a mismatch, and its
 * property is named.
 */
import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../src/bpf/btf/btf.js";
import { essentialName } from "../../src/bpf/btf/essential-name.js";
import { RELO } from "../../src/bpf/core/relo-kind.js";
import { sha256 } from "../../src/bpf/insn/digest.js";
import { MAP_PROPERTIES, PROGRAM_PROPERTIES } from "../../src/bpf/recognition/properties.js";
import { StatedObjectForm } from "../../src/bpf/recognition/stated-program.js";
import { StatedRelocator, StatementIndex } from "../../src/bpf/recognition.js";
import { Kernel } from "../../src/bpf/relocate.js";
import type { StatementContent } from "../../src/bpf/statement.js";
import { CountersignError } from "../../src/error.js";
import {
  BtfWords,
  type ChangeableContent,
  type ChangeableLoad,
  type ChangeableMap,
  changedBtf,
  contentOf,
  findIn,
  indexOf,
  KERNEL_IDS,
  kernelOf,
  loadOf,
  signed,
} from "../support/recognition.js";

const kernel = kernelOf();
const index = indexOf(kernel, signed());
const PROGRAMS = ["on_switch", "on_exit", "pass", "on_probe"];

/** The first property that differs; null for a match. */
function propertyOf(name: string, change: (load: ChangeableLoad) => void, of = index): string | null {
  const load = loadOf(name, kernel);
  change(load);
  const { matches, misses } = findIn(of, load, name);
  if (matches.length > 0) return null;
  expect(misses).toHaveLength(1);
  expect(misses[0]!.expected).not.toBe(misses[0]!.found);
  return misses[0]!.property;
}

const mapOf = (load: ChangeableLoad, name: string): ChangeableMap => load.mapsByName.get(name)!;
const slotsOf = (load: ChangeableLoad, name: string) =>
  [...load.maps].filter(([, map]) => map === mapOf(load, name)).map(([slot]) => slot);
const view = ({ insns }: ChangeableLoad) => Buffer.from(insns.buffer, insns.byteOffset, insns.length);
const setOffset = (load: ChangeableLoad, slot: number, offset: number) =>
  view(load).writeInt32LE(offset, 8 * slot + 12);
const offsetAt = (load: ChangeableLoad, slot: number) => view(load).readInt32LE(8 * slot + 12);
/** The first slot of an instruction of the main function with this opcode and immediate. */
const slotOf = (load: ChangeableLoad, opcode: number, imm?: number) => {
  const bytes = view(load);
  for (let slot = 0; slot < bytes.length / 8; slot++)
    if (bytes[8 * slot] === opcode && (imm === undefined || bytes.readInt32LE(8 * slot + 4) === imm)) return slot;
  throw new Error(`no instruction with opcode ${opcode}`);
};
const refer = (load: ChangeableLoad, slot: number, to: string) => load.maps.set(slot, mapOf(load, to));
const poison = (load: ChangeableLoad, slot: number, map: number) => {
  for (const at of [slot, slot + 1]) {
    view(load).fill(0, 8 * at, 8 * at + 8);
    view(load).writeUInt8(0x85, 8 * at);
    view(load).writeInt32LE(2_001_000_000 + map, 8 * at + 4);
  }
  load.maps.delete(slot);
};

type Case = readonly [what: string, property: string, change: (load: ChangeableLoad) => void, program?: string];

const CASES: readonly Case[] = [
  // the program
  ["type", "type", (load) => (load.type = 3)],
  ["a type without BTF target", "type", (load) => (load.type = 17)],
  ["expected attach type", "expected_attach_type", (load) => (load.expectedAttachType = 24)],
  ["attach type of a USDT program", "expected_attach_type", (load) => (load.expectedAttachType = 42), "on_probe"],
  ["attach type of an XDP program", "expected_attach_type", (load) => (load.expectedAttachType = 33), "pass"],
  ["license", "license", (load) => (load.license = "Proprietary")],
  ["license with another license after it", "license", (load) => (load.license = "GPL v2")],
  ["sleepable", "prog_flags", (load) => (load.flags |= 1 << 4)],
  ["frags", "prog_flags", (load) => (load.flags |= 1 << 5), "pass"],
  ["replacing", "prog_flags", (load) => (load.flags |= 1 << 2)],
  ["network device", "prog_ifindex", (load) => (load.ifindex = 1), "pass"],
  ["attach target: another function", "attach_target", (load) => (load.attach.btfId = KERNEL_IDS.find_task), "on_exit"],
  ["attach target: none", "attach_target", (load) => Object.assign(load.attach, { btfId: 0, of: null }), "on_exit"],
  ["attach target: in a module", "attach_target", (load) => (load.attach.of = "ping"), "on_exit"],
  [
    "attach target where none is stated",
    "attach_target",
    (load) => Object.assign(load.attach, { btfId: 1, of: "vmlinux" }),
    "pass",
  ],
  [
    "attach target: a program",
    "attach_target",
    (load) => (load.attach.of = { id: 1, recognised: true, function: "do_exit" }),
    "on_exit",
  ],
  // instructions
  ["an instruction without relocation", "insns", (load) => view(load).writeInt32LE(2, 8 * slotOf(load, 0x04) + 4)],
  ["the destination of an instruction", "insns", (load) => view(load).writeUInt8(3, 8 * slotOf(load, 0xb4) + 1)],
  ["a helper", "insns", (load) => view(load).writeInt32LE(6, 8 * slotOf(load, 0x85, 5) + 4)],
  ["a relocated offset", "insns", (load) => view(load).writeInt16LE(0, 8 * 1 + 2)],
  ["a relocated immediate", "insns", (load) => view(load).writeInt32LE(8, 8 * slotOf(load, 0xb7, 40) + 4)],
  [
    "the id of a kfunc",
    "insns",
    (load) => view(load).writeInt32LE(KERNEL_IDS.do_exit, 8 * slotOf(load, 0x85, KERNEL_IDS.find_task) + 4),
  ],
  [
    "a map's value instead of the map",
    "insns",
    (load) => view(load).writeUInt8(0x21, 8 * slotsOf(load, "hits")[0]! + 1),
  ],
  ["a map by index", "insns", (load) => view(load).writeUInt8(0x51, 8 * slotsOf(load, "hits")[0]! + 1)],
  ["the register of a map", "insns", (load) => view(load).writeUInt8(0x12, 8 * slotsOf(load, "hits")[0]! + 1)],
  ["poison of another map", "insns", (load) => poison(load, slotsOf(load, "optional")[0]!, 0)],
  [
    "poison in one slot",
    "insns",
    (load) => {
      const [slot] = slotsOf(load, "optional");
      poison(load, slot!, 3);
      view(load).writeUInt8(0, 8 * slot! + 8);
    },
  ],
  // the kernel's BTF objects
  ["bound entries of fd_array", "fd_array", (load) => (load.boundFds = 2)],
  [
    "a kfunc of another module",
    "fd_array",
    (load) => load.btfObjects.set([...load.btfObjects.keys()].find((slot) => view(load)[8 * slot] === 0x85)!, "pong"),
  ],
  [
    "a kfunc of no BTF of the kernel",
    "fd_array",
    (load) => load.btfObjects.set([...load.btfObjects.keys()].find((slot) => view(load)[8 * slot] === 0x85)!, null),
  ],
  [
    "a variable of another module",
    "module_btf",
    (load) => load.btfObjects.set([...load.btfObjects.keys()].find((slot) => view(load)[8 * slot] === 0x18)!, "pong"),
  ],
  // which map is which
  [
    "one fd for two maps",
    "misses.map",
    (load) => slotsOf(load, "misses").forEach((slot) => void refer(load, slot, "hits")),
  ],
  [
    "two maps of one shape swapped in one place",
    "misses.map",
    (load) => {
      const [slot] = slotsOf(load, "misses");
      refer(load, slot!, "hits");
    },
  ],
  [
    "a map that is another one in one place",
    ".rodata.cst16.map",
    (load) => load.maps.set(slotsOf(load, ".rodata.cst16")[1]!, { ...mapOf(load, ".rodata.cst16"), id: 99 }),
  ],
  ["no map", "hits.map", (load) => load.maps.delete(slotsOf(load, "hits")[0]!)],
  [
    "a map that another program uses as another one",
    "hits.map",
    (load) => (mapOf(load, "hits").roles = [{ object: contentOf().program.object.sha256, name: "misses" }]),
  ],
  [
    "a map that programs of so many objects use that no more are remembered",
    "hits.map",
    (load) => (mapOf(load, "hits").roles = Array.from({ length: 64 }, (_, at) => ({ object: `${at}`, name: "hits" }))),
  ],
  ["an offset into .data", ".data.offset", (load) => setOffset(load, slotsOf(load, ".data")[0]!, 8)],
  ["an offset into .rodata", ".rodata.offset", (load) => setOffset(load, slotsOf(load, ".rodata")[0]!, 1)],
  ["an offset into .kconfig", ".kconfig.offset", (load) => setOffset(load, slotsOf(load, ".kconfig")[0]!, 2)],
  [
    "two offsets into .rodata exchanged",
    ".rodata.offset",
    (load) => {
      const [one, two] = slotsOf(load, ".rodata") as [number, number];
      const [first, second] = [offsetAt(load, one), offsetAt(load, two)];
      expect(first).not.toBe(second);
      setOffset(load, one, second);
      setOffset(load, two, first);
    },
  ],
  ["an offset into a map that is not a value", "hits.offset", (load) => setOffset(load, slotsOf(load, "hits")[0]!, 4)],
  // how a map was made
  ["a map's type", "hits.type", (load) => (mapOf(load, "hits").type = 9)],
  ["a key's size", "hits.key_size", (load) => (mapOf(load, "hits").keySize = 8)],
  ["a value's size", "hits.value_size", (load) => (mapOf(load, "hits").valueSize = 16)],
  ["the number of entries", "hits.max_entries", (load) => (mapOf(load, "hits").maxEntries = 65)],
  ["a ring buffer that is not rounded up", "ring.max_entries", (load) => (mapOf(load, "ring").maxEntries = 4096)],
  ["a map's flags", "hits.map_flags", (load) => (mapOf(load, "hits").flags |= 1 << 7)],
  [
    "read-only data that programs may write",
    ".rodata.map_flags",
    (load) => (mapOf(load, ".rodata").flags &= ~(1 << 7)),
  ],
  ["map_extra", "hits.map_extra", (load) => (mapOf(load, "hits").mapExtra = "3")],
  ["NUMA node", "optional.numa_node", (load) => (mapOf(load, "optional").numaNode = 1)],
  ["a map's network device", "hits.ifindex", (load) => (mapOf(load, "hits").ifindex = 1)],
  ["a map without BTF", "hits.btf", (load) => (mapOf(load, "hits").btf = null)],
  ["a map with BTF that cannot be read", "hits.btf", (load) => (mapOf(load, "hits").btf = "BTF that cannot be read")],
  ["the type of a key", "hits.btf_key_type_id", (load) => (mapOf(load, "hits").keyTypeId += 1)],
  ["the type of a value", "hits.btf_value_type_id", (load) => (mapOf(load, "hits").valueTypeId += 1)],
  ["the type of read-only data", ".rodata.btf_value_type_id", (load) => (mapOf(load, ".rodata").valueTypeId += 1)],
  ["a map of maps of unknown maps", "outer.inner_map", (load) => (mapOf(load, "outer").inner = null)],
  [
    "a map of maps of other maps",
    "outer.inner_map.value_size",
    (load) => (mapOf(load, "outer").inner = { ...mapOf(load, "outer").inner!, valueSize: 16 }),
  ],
  [
    "a map of maps of maps with other values",
    "outer.inner_map.btf_value_type_id",
    (load) => (mapOf(load, "outer").inner = { ...mapOf(load, "outer").inner!, valueTypeId: 1 }),
  ],
  ["a map of another task", "hits.creator", (load) => (mapOf(load, "hits").creator = "other")],
  ["a map that was not made through the gate", "hits.creator", (load) => (mapOf(load, "hits").creator = null)],
  ["read-only data of another task", ".rodata.creator", (load) => (mapOf(load, ".rodata").creator = "other")],
  // contents
  [
    ".rodata that is not frozen",
    ".rodata.frozen",
    (load) => Object.assign(mapOf(load, ".rodata"), { frozen: false, contents: null }),
  ],
  [
    ".kconfig that is not frozen",
    ".kconfig.frozen",
    (load) => Object.assign(mapOf(load, ".kconfig"), { frozen: false, contents: null }),
  ],
  [".rodata that cannot be read", ".rodata.contents", (load) => (mapOf(load, ".rodata").contents = null)],
  [
    "a byte of padding in .rodata",
    ".rodata.contents",
    (load) => flip(mapOf(load, ".rodata"), [...mapOf(load, ".rodata").contents!].length - 13),
  ],
  ["a constant that is not volatile", ".rodata.cst16.contents", (load) => flip(mapOf(load, ".rodata.cst16"), 4)],
  ["the kernel's version", ".kconfig.contents", (load) => flip(mapOf(load, ".kconfig"), 4)],
  ["an option of the kernel", ".kconfig.contents", (load) => flip(mapOf(load, ".kconfig"), 0)],
  // BTF of the program
  ["no BTF", "btf", (load) => (load.btf = null)],
  ["a field's name", "btf", (load) => (load.btf = changedBtf((_, words) => words.rename("tgid", "tgix")))],
  ["a spin lock that was moved", "btf", (load) => (load.btf = changedBtf(moveLock))],
  ["the tag of an exception callback", "btf", (load) => (load.btf = changedBtf(retag))],
  ["static to global linkage", "btf", (load) => (load.btf = changedBtf(shareScale))],
  ["a local struct made larger", "btf", (load) => (load.btf = changedBtf(enlarge))],
  ["functions exchanged", "func_info", (load) => exchangeFunctions(load)],
  [
    "a function left out",
    "func_info",
    (load) => (load.funcInfo = { ...load.funcInfo, bytes: load.funcInfo.bytes.subarray(8) }),
  ],
  ["no functions", "func_info", (load) => (load.funcInfo = { bytes: new Uint8Array(0), size: 0 })],
  [
    "longer records of functions",
    "func_info",
    (load) => {
      const long = Buffer.alloc(2 * load.funcInfo.bytes.length);
      for (let at = 0; at < long.length; at += 16) {
        long.set(load.funcInfo.bytes.subarray(at / 2, at / 2 + 8), at);
        long.writeUInt32LE(1, at + 8);
      }
      load.funcInfo = { bytes: long, size: 16 };
    },
  ],
];

function flip(map: ChangeableMap, at: number): void {
  map.contents = Uint8Array.from(map.contents!, (byte, index) => (index === at ? byte ^ 1 : byte));
}

type Change = Parameters<typeof changedBtf>[0];
/** struct bpf_spin_lock from offset 0 to 4 of struct value, and the counter to 0. */
const moveLock: Change = (btf, words) => {
  const value = btf.find("struct", "value");
  words.put(value, 3 + 2, 32);
  words.put(value, 6 + 2, 0);
};
const retag: Change = (_, words: BtfWords) => words.rename("exception_callback:handler", "exception_callback:shared_");
const shareScale: Change = (btf, words) =>
  words.put(btf.find("func", "scale"), 1, words.get(btf.find("func", "scale"), 1) | 1);
const enlarge: Change = (btf, words) => words.put(btf.find("struct", "task"), 2, 16);

function exchangeFunctions(load: ChangeableLoad): void {
  const words = new Uint32Array(Uint8Array.from(load.funcInfo.bytes).buffer);
  [words[3], words[5]] = [words[5]!, words[3]!];
  load.funcInfo = { ...load.funcInfo, bytes: new Uint8Array(words.buffer) };
}

describe("a load as libbpf makes it", () => {
  it.each(PROGRAMS)("matches: %s", (name) => {
    expect(propertyOf(name, () => {})).toBeNull();
  });

  it("has its settings, and the names of its maps", () => {
    const load = loadOf("on_switch", kernel);
    const rodata = Buffer.from(mapOf(load, ".rodata").contents!);
    rodata.writeInt32LE(-5, 0);
    mapOf(load, ".rodata").contents = rodata;
    const [match] = findIn(index, load, "").matches;
    const settings = Object.fromEntries(match!.settings.map(({ name, value, declared }) => [name, [value, declared]]));
    expect(settings).toMatchObject({
      targ_pid: [-5, 7],
      verbose: [0, 0],
      min_ns: ["5000000000", "5000000000"],
      comm: ["61626300", "61626300"],
      "open_size.max_entries": [1024, 0],
      "hits.autocreate": [1, 1],
    });
    expect(match!.settings.find(({ name }) => name === "comm")).toMatchObject({ kind: "variable", type: "char[4]" });
    expect(new Set(match!.maps.values())).toEqual(new Set(load.mapsByName.keys()));
    expect(match!.maps.get(mapOf(load, "hits").id)).toBe("hits");
  });

  it("matches with the attach type of uprobe_multi if it is a USDT program", () => {
    expect(propertyOf("on_probe", (load) => (load.expectedAttachType = 48))).toBeNull();
  });

  it("matches without a map that the loader does not create", () => {
    const load = loadOf("on_switch", kernel);
    for (const slot of slotsOf(load, "optional")) poison(load, slot, 3);
    const [match] = findIn(index, load, "").matches;
    expect(match?.settings.find(({ name }) => name === "optional.autocreate")).toMatchObject({ value: 0, declared: 1 });
    expect([...match!.maps.values()]).not.toContain("optional");
  });

  it("matches if the BTF of vmlinux is named by an fd", () => {
    const load = loadOf("on_switch", kernel);
    load.attach.of = "vmlinux";
    expect(findIn(index, load, "").matches).toHaveLength(1);
  });
});

describe("a load that differs in one covered property", () => {
  for (const [what, property, change, program = "on_switch"] of CASES)
    it(`is a mismatch: ${what}`, () => {
      expect(propertyOf(program, change)).toBe(property);
    });

  it("is covered by enough cases, and each property by at least one", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(40);
    const named = new Set(CASES.map(([, property]) => property.split(".").at(-1)));
    named.add("core_relos"); // below
    for (const property of [...Object.keys(PROGRAM_PROPERTIES), ...Object.keys(MAP_PROPERTIES)])
      expect(named, property).toContain(property);
  });
});

describe("each byte of a load", () => {
  const matches = (load: ChangeableLoad) => findIn(index, load, "on_switch").matches.length > 0;
  const flipped = (bytes: Uint8Array, at: number) =>
    Uint8Array.from(bytes, (byte, place) => (place === at ? byte ^ 0x81 : byte));

  it("of its instructions is covered, except for fds", () => {
    const load = loadOf("on_switch", kernel);
    const { insns } = load;
    const fds = new Set([...load.maps.keys()].flatMap((slot) => [4, 5, 6, 7].map((byte) => 8 * slot + byte)));
    for (const [slot] of load.btfObjects)
      if (insns[8 * slot] === 0x18) for (const byte of [12, 13, 14, 15]) fds.add(8 * slot + byte);
    const free: number[] = [];
    for (let at = 0; at < insns.length; at++) {
      load.insns = flipped(insns, at);
      if (matches(load)) free.push(at);
    }
    expect(free).toEqual([...fds].sort((a, b) => a - b));
  });

  it("of its read-only data is covered, except for settings", () => {
    for (const name of [".rodata", ".rodata.cst16", ".kconfig"]) {
      const load = loadOf("on_switch", kernel);
      const map = mapOf(load, name);
      const contents = map.contents!;
      const stated = contentOf().program.object.sections.find((section) => section.name === name);
      const sizes: Readonly<Record<string, number>> = { targ_pid: 4, verbose: 1, min_ns: 8, comm: 4 };
      const settings = (stated?.variables ?? []).flatMap(({ name: variable, offset }) =>
        Array.from({ length: sizes[variable] ?? 0 }, (_, byte) => offset + byte),
      );
      const free: number[] = [];
      for (let at = 0; at < contents.length; at++) {
        map.contents = flipped(contents, at);
        if (matches(load)) free.push(at);
      }
      expect(free, name).toEqual(settings.sort((a, b) => a - b));
    }
  });

  it("of its functions is covered", () => {
    const load = loadOf("on_switch", kernel);
    const { bytes, size } = load.funcInfo;
    for (let at = 0; at < bytes.length; at++) {
      load.funcInfo = { bytes: flipped(bytes, at), size };
      expect(matches(load)).toBe(false);
    }
  });

  it("can be cut off anywhere, and records can have any size", () => {
    const load = loadOf("on_switch", kernel);
    const { insns, funcInfo } = load;
    for (let length = 0; length < insns.length; length += 8) {
      load.insns = insns.subarray(0, length);
      expect(matches(load)).toBe(false);
    }
    load.insns = insns;
    for (let size = 0; size < 64; size++)
      for (const length of [0, 1, 7, 8, 9, funcInfo.bytes.length - 1, funcInfo.bytes.length]) {
        load.funcInfo = { bytes: funcInfo.bytes.subarray(0, length), size };
        expect(matches(load)).toBe(size === 8 && length === funcInfo.bytes.length);
        load.funcInfo = funcInfo;
        load.coreRelos = { bytes: new Uint8Array(length), size };
        expect(matches(load)).toBe(length === 0);
        load.coreRelos = { bytes: new Uint8Array(0), size: 0 };
      }
  });
});

type ContentCase = readonly [
  what: string,
  property: string,
  change: (content: ChangeableContent) => void,
  program?: string,
];

const on_switch = (content: ChangeableContent) => content.program.programs[0]!;

/** The load is of the object, and the statement says something else in one place. */
const CONTENT_CASES: readonly ContentCase[] = [
  ["one relocation record", "insns", (content) => (on_switch(content).relocations[0]!.access = "0:1")],
  ["one relocation record left out", "insns", (content) => on_switch(content).relocations.shift()],
  ["one relocation kind", "insns", (content) => (on_switch(content).relocations[0]!.kind = 1)],
  ["another object's BTF", "btf", (content) => (content.program.object.btf = retagged(content.program.object.btf!))],
  ["another license", "license", (content) => (content.program.object.license = "Dual BSD/GPL")],
  [
    "another target",
    "attach_target",
    (content) => (content.program.programs[1]!.attach_target = "find_task"),
    "on_exit",
  ],
  [
    "a target that this kernel lacks",
    "attach_target",
    (content) => (content.program.programs[1]!.attach_target = "gone"),
    "on_exit",
  ],
  [
    "an inner map that the object does not define",
    "outer.inner_map",
    (content) => {
      content.program.object.maps.find(({ name }) => name === "outer")!.inner = null;
    },
  ],
  [
    "a fixed variable",
    "targ_pid",
    (content) => content.rules.fixed.push({ kind: "variable", name: "targ_pid", value: 8 }),
  ],
  [
    "a fixed size",
    "open_size.max_entries",
    (content) => content.rules.fixed.push({ kind: "max_entries", name: "open_size.max_entries", value: 8 }),
  ],
  [
    "a fixed autocreate",
    "hits.autocreate",
    (content) => content.rules.fixed.push({ kind: "autocreate", name: "hits.autocreate", value: 0 }),
  ],
  [
    "a fixed variable that is no setting",
    "insns",
    (content) => content.rules.fixed.push({ kind: "variable", name: "unknown", value: 8 }),
  ],
];

function retagged(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  const at = bytes.indexOf("exception_callback:handler");
  bytes.write("exception_callback:shared_", at, "latin1");
  return bytes.toString("base64");
}

describe("a statement that says something else", () => {
  for (const [what, property, change, program = "on_switch"] of CONTENT_CASES)
    it(`is a mismatch: ${what}`, () => {
      const content = contentOf();
      change(content);
      expect(propertyOf(program, () => {}, indexOf(kernel, signed(content)))).toBe(property);
    });
});

describe("what the signer opened", () => {
  const opened = (...open: string[]) => {
    const content = contentOf();
    content.rules.open.push(...open.sort());
    return indexOf(kernel, signed(content));
  };

  it("lets a map be another task's, or pinned", () => {
    for (const what of ["shared", "pinned"]) {
      const of = opened(`map:hits.${what}`);
      expect(propertyOf("on_exit", (load) => (mapOf(load, "hits").creator = null), of)).toBeNull();
      expect(propertyOf("on_exit", (load) => (mapOf(load, "misses").creator = null), of)).toBe("misses.creator");
      expect(propertyOf("on_exit", (load) => (mapOf(load, "hits").valueSize = 9), of)).toBe("hits.value_size");
    }
  });

  it("lets a map that is another task's have other BTF with types of the same structure", () => {
    const { object } = contentOf().program;
    const hits = object.maps.find(({ name }) => name === "hits")!;
    const own = Buffer.from(object.btf!, "base64");
    /** The map as another object creates it, in whose BTF there is a type before the others. */
    const elsewhere =
      (change: (words: BtfWords) => void = () => {}, types = [hits.key_type_id, hits.value_type_id]) =>
      (load: ChangeableLoad) => {
        const bytes = Buffer.from(own);
        change(new BtfWords(bytes));
        const [keyTypeId, valueTypeId] = types;
        Object.assign(mapOf(load, "hits"), { creator: "other", btf: sha256(bytes), keyTypeId, valueTypeId });
        mapOf(load, "hits").readBtf = (of) => (of === "map" ? bytes : null);
      };
    const rename = (words: BtfWords) => words.rename("misses", "missed");
    for (const what of ["shared", "pinned"]) {
      const of = opened(`map:hits.${what}`);
      expect(propertyOf("on_exit", elsewhere(rename), of)).toBeNull();
      expect(propertyOf("on_exit", elsewhere(rename, [hits.value_type_id, hits.value_type_id]), of)).toBe("hits.btf");
      const grow = (words: BtfWords) => words.put(hits.value_type_id, 2, 1 + words.get(hits.value_type_id, 2));
      expect(propertyOf("on_exit", elsewhere(grow), of)).toBe("hits.btf");
      const unreadable = (load: ChangeableLoad) => {
        elsewhere(rename)(load);
        mapOf(load, "hits").readBtf = () => null;
      };
      expect(propertyOf("on_exit", unreadable, of)).toBe("hits.btf");
    }
    // a map that has to be the loader's own has the BTF of its object
    const ofOwn = (load: ChangeableLoad) => {
      elsewhere(rename)(load);
      mapOf(load, "hits").creator = "loader";
    };
    expect(propertyOf("on_exit", ofOwn)).toBe("hits.btf");
  });

  it("lets a map have another type, and reports it", () => {
    const of = opened("map:hits.type");
    const load = loadOf("on_exit", kernel);
    Object.assign(mapOf(load, "hits"), { type: 9, btf: null, keyTypeId: 0, valueTypeId: 0 });
    const [match] = findIn(of, load, "").matches;
    expect(match?.settings).toContainEqual(
      expect.objectContaining({ name: "hits.type", kind: "type", value: "lru_hash", declared: "hash" }),
    );
    expect(propertyOf("on_exit", (load) => (mapOf(load, "misses").type = 9), of)).toBe("misses.type");
  });

  it("lets a program have another target, and reports it", () => {
    const of = opened("on_exit.attach-target");
    const load = loadOf("on_exit", kernel);
    load.attach = { btfId: KERNEL_IDS.find_task, of: "vmlinux", name: "find_task" };
    expect(findIn(of, load, "").matches[0]?.settings).toContainEqual(
      expect.objectContaining({ kind: "attach_target", value: "find_task", declared: "do_exit" }),
    );
  });

  it("lets an XDP program have frags, and nothing else", () => {
    const of = opened("pass.flags=xdp_has_frags");
    expect(propertyOf("pass", (load) => (load.flags |= 1 << 5), of)).toBeNull();
    expect(propertyOf("pass", (load) => (load.flags |= 1 << 4), of)).toBe("prog_flags");
  });

  it("lets an XDP program extend a program that is recognised", () => {
    const of = opened("pass.attach-target", "pass.type=ext");
    const extension = (recognised: boolean) => (load: ChangeableLoad) => {
      load.type = 28;
      load.expectedAttachType = 0;
      load.attach = { btfId: 5, of: { id: 3, recognised, function: "slot0" }, name: "slot0" };
    };
    expect(propertyOf("pass", extension(true), of)).toBeNull();
    expect(propertyOf("pass", extension(false), of)).toBe("attach_target");
    expect(propertyOf("pass", () => {}, of)).toBeNull();
    expect(propertyOf("pass", extension(true), opened("pass.type=ext"))).toBe("attach_target");
    expect(propertyOf("pass", extension(true), opened("pass.attach-target"))).toBe("type");
  });
});

describe("a statement whose types take long to compare", () => {
  const [MEMBERS, TYPES] = [1000, 500];
  /** `struct large` of the kernel. */
  const large = (btf: BtfWriter, name: string, type: number) =>
    btf.struct(
      name,
      4 * MEMBERS,
      Array.from({ length: MEMBERS }, (_, index) => [`member_${index}`, type, 32 * index] as const),
    );
  const vmlinux = new BtfWriter();
  large(vmlinux, "large", vmlinux.int("int", 4));
  const kernelOfLarge = new Kernel(new Btf(vmlinux.bytes(), "vmlinux"), []);

  /** Asks of as many types as it likes whether the kernel's matches; relocations of one type are resolved once. */
  function costly(): ChangeableContent {
    const content = contentOf();
    const { object, programs } = content.program;
    const btf = new BtfWriter();
    const int = btf.int("int", 4);
    const types = Array.from({ length: TYPES }, (_, index) => large(btf, `large___${index}`, int));
    Object.assign(object, { btf: btf.bytes().toString("base64"), maps: [], externs: [], sections: [] });
    const insns = Buffer.alloc(8 * (TYPES + 1));
    for (let slot = 0; slot < TYPES; slot++) insns.set([0xb7, 0, 0, 0, 1], 8 * slot);
    insns[8 * TYPES] = 0x95;
    const program = programs.find(({ name }) => name === "pass")!;
    Object.assign(program, {
      ...{ insns: insns.toString("base64"), map_references: [], extern_references: [] },
      functions: [{ name: "pass", start: 0, btf_id: null, global: true }],
      relocations: types.map((type_id, slot) => ({ slot, type_id, access: "0", kind: RELO.TYPE_MATCHES })),
    });
    content.program.programs = [program];
    return content;
  }

  it("is not compared to the end", () => {
    const relocator = new StatedRelocator(kernelOfLarge);
    const relocate = () => relocator.relocate(new StatedObjectForm(costly() as StatementContent), 0);
    expect(relocate).toThrow(expect.objectContaining({ code: "CORE_UNSUPPORTED" }));
    // for both versions of libbpf, each with what one type takes more
    expect(relocator.steps).toBeLessThan(2 * (200_000 + 4 * MEMBERS));
  });

  it("keeps no others from being compared", () => {
    const relocator = new StatedRelocator(kernelOfLarge);
    let relocations = 0;
    const content = costly();
    const index = new StatementIndex(
      Array.from({ length: 20 }, () => signed(content)),
      (object, program) => {
        relocations += 1;
        return relocator.relocate(object, program);
      },
      () => relocator.steps,
    );
    const load = loadOf("pass", kernel);
    load.insns = Buffer.alloc(8 * (TYPES + 1));
    const find = () =>
      index.find(
        load,
        "pass",
        () => null,
        () => false,
      );
    expect(find().isPartial).toBe(true);
    expect(relocations).toBe(1);
    expect(index.hasPending).toBe(true);
  });

  it("has names that are compared as they are if they are longer than a kernel's", () => {
    const name = `large___${"x".repeat(1 << 20)}`;
    expect(essentialName(name)).toBe(name);
    expect(essentialName(`large___${"x".repeat(100)}`)).toBe("large");
  });
});

describe("an extension", () => {
  const of = (target: unknown) => (load: ChangeableLoad) => {
    load.attach = { btfId: 5, of: target as string, name: null };
  };

  it("extends only the stated function of a recognised program", () => {
    expect(propertyOf("replace", of({ id: 3, recognised: true, function: "pass" }))).toBeNull();
    expect(propertyOf("replace", of({ id: 3, recognised: true, function: "other" }))).toBe("attach_target");
    expect(propertyOf("replace", of({ id: 3, recognised: false, function: "pass" }))).toBe("attach_target");
    expect(propertyOf("replace", of({ id: 3, recognised: true, function: null }))).toBe("attach_target");
    expect(propertyOf("replace", of("vmlinux"))).toBe("attach_target");
    expect(propertyOf("replace", of(null))).toBe("attach_target");
  });
});

describe("a load whose relocations the kernel applies", () => {
  const relocatedByKernel = (load: ChangeableLoad, name = "on_switch") => {
    const { object, programs } = contentOf().program;
    const program = programs.find((each) => each.name === name)!;
    const original = Buffer.from(program.insns, "base64");
    for (const { slot } of program.relocations) load.insns.set(original.subarray(8 * slot, 8 * slot + 8), 8 * slot);
    const btf = Buffer.from(object.btf!, "base64");
    const strings = 24 + btf.readUInt32LE(16);
    const words = program.relocations.flatMap(({ slot, type_id, access, kind }) => {
      const at = btf.indexOf(`\0${access}\0`, strings, "latin1") + 1 - strings;
      return [8 * slot, type_id, at, kind];
    });
    load.coreRelos = { bytes: new Uint8Array(Uint32Array.from(words).buffer), size: 16 };
  };

  it("matches with the object's instructions, records and BTF", () => {
    expect(propertyOf("on_switch", (load) => relocatedByKernel(load))).toBeNull();
  });

  it.each([
    ["a record that names another field", 1],
    ["a record of another type", 4],
    ["a record of another kind", 12],
    ["a record at another instruction", 0],
    ["the access of a record", 8],
  ])("is a mismatch: %s", (_, at) => {
    expect(
      propertyOf("on_switch", (load) => {
        relocatedByKernel(load);
        Buffer.from(load.coreRelos.bytes.buffer).writeUInt32LE(at === 1 ? 8 : 1, at === 1 ? 4 : at);
      }),
    ).toBe("core_relos");
  });

  it("is a mismatch: a record more, or a longer one", () => {
    const more = (load: ChangeableLoad) => {
      relocatedByKernel(load);
      load.coreRelos = { ...load.coreRelos, bytes: Buffer.concat([load.coreRelos.bytes, Buffer.alloc(16)]) };
    };
    expect(propertyOf("on_switch", more)).toBe("core_relos");
  });

  it("is a mismatch with instructions that were relocated already", () => {
    const both = (load: ChangeableLoad) => {
      const insns = Buffer.from(load.insns);
      relocatedByKernel(load);
      load.insns = insns;
    };
    expect(propertyOf("on_switch", both)).toBe("insns");
  });
});

describe("two programs of one object", () => {
  it("do not give one map two names", () => {
    const first = loadOf("on_switch", kernel);
    const [match] = findIn(index, first, "").matches;
    const second = loadOf("on_exit", kernel);
    const object = match!.statement.statement.content.program.object.sha256;
    for (const [name, other] of [
      ["hits", "misses"],
      ["misses", "hits"],
    ] as const)
      Object.assign(mapOf(second, name), {
        id: mapOf(first, other).id,
        roles: [{ object, name: match!.maps.get(mapOf(first, other).id)! }],
      });
    const { matches, misses } = findIn(index, second, "");
    expect(matches).toEqual([]);
    expect(misses[0]!.property).toMatch(/^(hits|misses)\.map$/);
  });
});

describe("several statements", () => {
  it("are all found if they say the same, lowest SHA-256 first", () => {
    const [one, two] = [signed(), signed()];
    const { matches, misses } = findIn(indexOf(kernel, two, one), loadOf("on_switch", kernel), "on_switch");
    expect(matches.map(({ statement }) => statement)).toEqual([one, two]);
    expect(misses).toEqual([]);
  });

  it("are both found if two objects have programs that are identical on this kernel", () => {
    const content = contentOf();
    content.program.object.sha256 = "f".repeat(64);
    content.program.programs[1]!.relocations = [];
    const [one, two] = [signed(), signed(content)];
    const { matches } = findIn(indexOf(kernel, one, two), loadOf("on_exit", kernel), "on_exit");
    expect(matches.map(({ expected }) => expected.object.sha256)).toEqual([
      one.statement.content.program.object.sha256,
      "f".repeat(64),
    ]);
  });

  it("are not all relocated again for a load that only looks like their programs", () => {
    const { relocate } = new StatedRelocator(kernel);
    const content = contentOf();
    let count = 0;
    const of = new StatementIndex(
      Array.from({ length: 1030 }, () => signed(content)),
      (object, program) => {
        count += 1;
        return relocate(object, program);
      },
    );
    const load = loadOf("on_exit", kernel);
    load.insns = Buffer.alloc(load.insns.length);
    for (const loads of [1, 2]) {
      expect(findIn(of, load, "on_exit").misses).toHaveLength(8);
      expect(count).toBeLessThanOrEqual(1030 + loads);
    }
  });

  it("match no more where they cannot be relocated again, and fail no decision", () => {
    const { relocate } = new StatedRelocator(kernel);
    const stated = signed();
    const content = contentOf();
    const program = content.program.programs.find(({ name }) => name === "on_exit")!;
    const insns = Buffer.from(program.insns, "base64");
    insns.writeInt32LE(2, insns.length - 12); // what the program returns
    program.insns = insns.toString("base64");
    const many = Array.from({ length: 1030 }, () => signed(content));
    // each once; the first program is evicted by then
    let left = 1 + many.length;
    const of = new StatementIndex([stated, ...many], (object, index) => {
      left -= 1;
      if (left < 0) throw new CountersignError("CORE_UNSUPPORTED", "it takes too many steps");
      return relocate(object, index);
    });
    expect(findIn(of, loadOf("on_exit", kernel), "on_exit").matches).toEqual([]);
    expect(left).toBeLessThan(0);
    left = 1;
    expect(findIn(of, loadOf("on_exit", kernel), "on_exit").matches).toMatchObject([{ statement: stated }]);
  });

  it("give settings by the rules of each", () => {
    const fixed = contentOf();
    fixed.rules.fixed.push({ kind: "variable", name: "targ_pid", value: 8 });
    const [strict, free] = [signed(fixed), signed()];
    const { matches, misses } = findIn(indexOf(kernel, strict, free), loadOf("on_switch", kernel), "on_switch");
    expect(matches.map(({ statement }) => statement)).toEqual([free]);
    expect(misses).toMatchObject([{ statement: strict, property: "targ_pid", expected: "8", found: "7" }]);
  });

  it("are not found for another kernel's instructions", () => {
    const { matches, misses } = findIn(index, loadOf("on_switch", kernelOf(24)), "on_switch");
    expect(matches).toEqual([]);
    expect(misses).toMatchObject([{ property: "insns" }]);
    expect(misses[0]!.expected).toMatch(/^r1 = \*\(u32 \*\)\(r6 \+ 0x14\) at instruction 1$/);
  });

  it("are not looked at for another number of instructions", () => {
    const load = loadOf("on_switch", kernel);
    load.insns = Buffer.concat([load.insns, Buffer.alloc(8)]);
    expect(findIn(index, load, "on_switch")).toMatchObject({ matches: [], misses: [], hasCandidates: false });
  });

  it("name what keeps a program from this kernel", () => {
    const elsewhere = indexOf(kernelOf(16, "pong"), signed());
    expect(findIn(elsewhere, loadOf("on_switch", kernel), "on_switch").misses).toMatchObject([
      { property: "fd_array" },
    ]);
    const content = contentOf();
    content.program.object.externs.find(({ name }) => name === "find_task")!.name = "gone_task";
    const { matches, misses } = findIn(indexOf(kernel, signed(content)), loadOf("on_switch", kernel), "on_switch");
    expect(matches).toEqual([]);
    expect(misses).toMatchObject([{ property: "insns", expected: "a program that this kernel can load" }]);
  });
});

describe("the time of a decision", () => {
  it("ends the relocation of more programs, which are left for later", () => {
    const many = indexOf(kernel, signed(), signed(), signed());
    let left = 1;
    const load = loadOf("on_exit", kernel);
    const first = many.find(
      load,
      "another",
      () => null,
      () => left-- > 0,
    );
    expect(first.isPartial).toBe(true);
    expect(first.matches).toHaveLength(1);
    while (many.resolveNext());
    const second = findIn(many, load, "on_exit");
    expect(second.isPartial).toBe(false);
    expect(second.matches).toHaveLength(3);
  });

  it("does not keep programs of the same name from being relocated", () => {
    const many = indexOf(kernel, signed(), signed());
    const none = many.find(
      loadOf("on_exit", kernel),
      "on_exit",
      () => null,
      () => false,
    );
    expect(none.matches).toHaveLength(2);
  });
});

describe("what the description of the kernel lacks", () => {
  it("makes .kconfig a mismatch", () => {
    const load = loadOf("on_switch", kernel);
    const { matches, misses } = index.find(
      load,
      "",
      () => null,
      () => true,
    );
    expect(matches).toEqual([]);
    expect(misses).toMatchObject([{ property: ".kconfig.contents" }]);
    expect(sha256(load.insns)).not.toBe("");
  });
});
