/**
 * What llvm-objdump, readelf and bpftool say of an object's programs: an oracle that shares no code with src/bpf. Read
 * from the tools' text alone, for objects of little-endian byte order.
 */
import { execFileSync } from "node:child_process";
import { type DumpedBtf, type DumpedMap, dumpedBtf } from "./bpftool-btf.js";
import { type ElfTables, elfTables } from "./readelf.js";

export interface DumpedProgram {
  readonly name: string;
  readonly section: string;
  /** Of the program and every subprogram and callback that it reaches. */
  readonly insn_cnt: number;
  /** Names of the helpers that it calls, itself or through subprograms and callbacks, sorted. */
  readonly helpers: readonly string[];
  readonly kfuncs: readonly string[];
  /** Sorted by name. */
  readonly maps: readonly DumpedMap[];
}

const OBJDUMP = "llvm-objdump-19";

/** Programs: the functions in executable sections other than `.text`, whose functions are subprograms. */
export function dumpedPrograms(path: string): DumpedProgram[] {
  const elf = elfTables(path);
  const btf = dumpedBtf(path);
  const functions = functionsOf(execFileSync(OBJDUMP, ["-dr", path], { encoding: "utf8", maxBuffer: 1 << 28 }), {
    elf,
    btf,
  });
  return functions
    .filter(({ section }) => section !== ".text")
    .map((program) => {
      const callback = btf.exceptionCallbacks.get(program.name);
      const roots = functions.filter(
        (each) => each === program || (each.section === ".text" && each.name === callback),
      );
      const parts = closure(roots, functions);
      const of = <T>(list: (part: Dumped) => readonly T[]): T[] => [...new Set(parts.flatMap(list))].sort();
      return {
        name: program.name,
        section: program.section,
        insn_cnt: parts.reduce((sum, part) => sum + part.size, 0),
        helpers: of((part) => part.helpers)
          .map(helperName)
          .sort(),
        kfuncs: of((part) => part.kfuncs),
        maps: of((part) => part.maps).map((name) => mapOf(name, { elf, btf })),
      };
    });
}

/** A map of `.maps`, or the one that a loader makes of a section with data. */
function mapOf(name: string, { elf, btf }: Tables): DumpedMap {
  const map = btf.maps.get(name);
  if (map !== undefined) return map;
  const size = name === ".kconfig" ? null : (elf.sections.get(name) ?? 0);
  return { name, type: "array", key_size: 4, value_size: size, max_entries: 1 };
}

interface Tables {
  readonly elf: ElfTables;
  readonly btf: DumpedBtf;
}

interface Dumped {
  readonly name: string;
  readonly section: string;
  /** Of its first instruction in its section, in units of 8 bytes. */
  readonly start: number;
  /** In units of 8 bytes. */
  readonly size: number;
  readonly helpers: number[];
  readonly kfuncs: string[];
  /** Names of maps, and of sections with global data. */
  readonly maps: string[];
  /** Finds what it calls among all functions; by name, or by section and instruction. */
  readonly calls: ((other: Dumped) => boolean)[];
}

function functionsOf(text: string, tables: Tables): Dumped[] {
  const functions: Dumped[] = [];
  const lines = text.split("\n");
  let section = "";
  for (const [index, line] of lines.entries()) {
    const header = /^Disassembly of section (.+):$/.exec(line);
    if (header !== null) section = header[1] as string;
    const symbol = /^([0-9a-f]{16}) <(.+)>:$/.exec(line);
    if (symbol !== null)
      functions.push({
        name: symbol[2] as string,
        section,
        start: Number.parseInt(symbol[1] as string, 16) / 8,
        size: (tables.elf.symbols.get(symbol[2] as string)?.size ?? 0) / 8,
        helpers: [],
        kfuncs: [],
        maps: [],
        calls: [],
      });
    const insn = /^\s+(\d+):\t((?:[0-9a-f]{2} )+[0-9a-f]{2})\t/.exec(line);
    const relocation = /^\s+[0-9a-f]{16}:\s+R_BPF_64_(?:32|64)\s+(\S+)$/.exec(lines[index + 1] ?? "")?.[1];
    const current = functions.at(-1);
    if (insn !== null && current !== undefined)
      note(current, Number(insn[1]), Buffer.from((insn[2] as string).replaceAll(" ", ""), "hex"), relocation, tables);
  }
  return functions;
}

const CALL = 0x85;
const LD_IMM64 = 0x18;
const PSEUDO_CALL = 1;

function note(current: Dumped, at: number, insn: Buffer, relocation: string | undefined, { elf, btf }: Tables): void {
  const immediate = insn.readInt32LE(4);
  const source = (insn[1] as number) >> 4;
  const target = (section: string, start: number) => (other: Dumped) =>
    other.section === section && other.start === start;
  if (insn[0] === CALL && source === 0) current.helpers.push(immediate);
  else if (insn[0] === CALL && source === PSEUDO_CALL) {
    if (relocation === undefined) current.calls.push(target(current.section, at + 1 + immediate));
    else if (elf.symbols.get(relocation)?.section === null) current.kfuncs.push(relocation.replace(/___.*$/, ""));
    else if (relocation.startsWith(".")) current.calls.push(target(relocation, immediate + 1));
    else current.calls.push((other) => other.name === relocation);
  } else if (insn[0] === LD_IMM64 && relocation !== undefined) {
    // the address of a function is a callback; data sections and maps match no function
    current.calls.push((other) => other.name === relocation || target(relocation, immediate / 8)(other));
    const place = relocation.startsWith(".") ? relocation : elf.symbols.get(relocation)?.section;
    if (place === ".maps" || place === "maps") current.maps.push(relocation);
    else if (place === null && btf.kconfig.has(relocation)) current.maps.push(".kconfig");
    else if (place != null && place !== ".text") current.maps.push(place);
  }
}

function closure(roots: readonly Dumped[], functions: readonly Dumped[]): Dumped[] {
  const reached = new Set(roots);
  for (const each of reached)
    for (const call of each.calls) for (const other of functions) if (call(other)) reached.add(other);
  return [...reached];
}

let names: readonly string[] | undefined;

/** As the kernel has it: `bpf_map_lookup_elem`. */
function helperName(id: number): string {
  const list = ["-j", "feature", "list_builtins", "helpers"];
  names ??= JSON.parse(execFileSync("bpftool", list, { encoding: "utf8" })) as string[];
  return (id === 0 ? undefined : names[id]) ?? `helper#${id}`;
}
