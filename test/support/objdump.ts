/** What llvm-objdump says of an object's programs: an oracle that shares no code with src/bpf. */
import { execFileSync } from "node:child_process";

export interface DumpedProgram {
  readonly name: string;
  readonly section: string;
  /** Names of the helpers that it calls, itself or through subprograms and callbacks, sorted. */
  readonly helpers: readonly string[];
}

const OBJDUMP = "llvm-objdump-19";

/** Programs: the functions in executable sections other than `.text`, whose functions are subprograms. */
export function dumpedPrograms(path: string): DumpedProgram[] {
  const functions = functionsOf(execFileSync(OBJDUMP, ["-dr", path], { encoding: "utf8", maxBuffer: 1 << 28 }));
  return functions
    .filter(({ section }) => section !== ".text")
    .map((program) => ({
      name: program.name,
      section: program.section,
      helpers: [...new Set(closure(program, functions).flatMap(({ helpers }) => helpers))].map(helperName).sort(),
    }));
}

interface Dumped {
  readonly name: string;
  readonly section: string;
  /** Of its first instruction in its section, in units of 8 bytes. */
  readonly start: number;
  readonly helpers: number[];
  /** Finds what it calls among all functions; by name, or by section and instruction. */
  readonly calls: ((other: Dumped) => boolean)[];
}

function functionsOf(text: string): Dumped[] {
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
        helpers: [],
        calls: [],
      });
    const insn = /^\s+(\d+):\t((?:[0-9a-f]{2} )+[0-9a-f]{2})\t/.exec(line);
    const relocation = /^\s+[0-9a-f]{16}:\s+R_BPF_64_(?:32|64)\s+(\S+)$/.exec(lines[index + 1] ?? "")?.[1];
    const current = functions.at(-1);
    if (insn !== null && current !== undefined)
      note(current, Number(insn[1]), Buffer.from((insn[2] as string).replaceAll(" ", ""), "hex"), relocation);
  }
  return functions;
}

const CALL = 0x85;
const LD_IMM64 = 0x18;
const PSEUDO_CALL = 1;

function note(current: Dumped, at: number, insn: Buffer, relocation: string | undefined): void {
  const immediate = insn.readInt32LE(4);
  const source = (insn[1] as number) >> 4;
  const target = (section: string, start: number) => (other: Dumped) =>
    other.section === section && other.start === start;
  if (insn[0] === CALL && source === 0) current.helpers.push(immediate);
  else if (insn[0] === CALL && source === PSEUDO_CALL) {
    if (relocation === undefined) current.calls.push(target(current.section, at + 1 + immediate));
    else if (relocation.startsWith(".")) current.calls.push(target(relocation, immediate + 1));
    else current.calls.push((other) => other.name === relocation);
  } else if (insn[0] === LD_IMM64 && relocation !== undefined) {
    // the address of a function is a callback; data sections and maps match no function
    current.calls.push((other) => other.name === relocation || target(relocation, immediate / 8)(other));
  }
}

function closure(program: Dumped, functions: readonly Dumped[]): Dumped[] {
  const reached = new Set([program]);
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
