import { encode } from "../../../../src/bpf/assembly/assembly.js";
import { OP } from "../../../../src/bpf/insn/insn.js";
import type { CodeMap } from "../../../../src/bpf/model/code.js";
import { ATTACH_TYPES, MAP_TYPES, PROGRAM_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { TEXT_BYTES } from "./filler.js";
import type { KernelNames } from "./kernel-names.js";
import type { MarkedProgram } from "./marked-programs.js";

/** What marked-stack.c does with each map: see outputs.h. */
const ROLES: Readonly<Record<string, string>> = {
  state: "s",
  out: "o",
  sized: "o",
  ring: "r",
  perf: "p",
  events: "e",
  queue: "q",
  text: "c",
  env: "n",
};
/** The role of maps that are frozen. */
const FROZEN = "f";

/** The lines by which marked-stack.c makes a program's maps, loads it and has it run; null if a kfunc is missing. */
export function batchLines(program: MarkedProgram, kernel: KernelNames): string | null {
  const { code, filler } = program;
  const { host, module } = filler;
  const insns = Buffer.from(encode(code.insns));
  const used = new Map<CodeMap, number>();
  for (let slot = 0; slot < code.insns.count; slot++) {
    const reference = code.mapAt(slot);
    if (reference !== null) {
      if (!used.has(reference.map)) used.set(reference.map, used.size);
      insns.writeInt32LE(used.get(reference.map)!, slot * 8 + 4);
    }
    const kfunc = code.kfuncAt(slot);
    if (kfunc !== null) {
      const id = kernel.functionId(kfunc.name, module);
      if (id === 0) return null;
      insns.writeInt16LE(module === null ? 0 : 1, slot * 8 + 2);
      insns.writeInt32LE(id, slot * 8 + 4);
    }
    if (code.insns.opcode[slot] === OP.LD_IMM64) slot += 1;
  }
  const maps = [...used.keys()].map(mapLine);
  const words = [
    program.name,
    PROGRAM_TYPES.indexOf(host.type),
    host.expected === null ? 0 : ATTACH_TYPES.indexOf(host.expected),
    host.function === null ? 0 : kernel.functionId(host.function),
    host.sleepable ? SLEEPABLE : 0,
    host.trigger,
    host.action,
    module ?? "-",
    host.packet,
    host.context,
    insns.toString("hex"),
  ];
  return `${maps.join("")}program ${words.join(" ")}\n`;
}

/** BPF_F_SLEEPABLE of include/uapi/linux/bpf.h */
const SLEEPABLE = 1 << 4;

function mapLine(map: CodeMap): string {
  const { name, type, key_size, value_size, max_entries, flags, data } = map;
  const contents = name === "text" ? TEXT_BYTES : data;
  const words = [ROLES[name] ?? FROZEN, MAP_TYPES.indexOf(type), key_size, value_size, max_entries, flags];
  return `map ${words.join(" ")} ${contents === null ? "-" : Buffer.from(contents).toString("hex")}\n`;
}

/** What a guest says of a program. */
export type Ran =
  | { readonly state: "rejected"; readonly errno: number; readonly why: string }
  /** It cannot be attached or started. */
  | { readonly state: "failed"; readonly why: string }
  /** It was started, and did not come as far as the call. */
  | { readonly state: "idle" }
  /** `r0` after the call, and how many marker bytes came out, one after the other. */
  | { readonly state: "ran"; readonly r0: bigint; readonly marked: number };

/** The guest's lines by the names of programs. */
export function readResults(output: string): ReadonlyMap<string, Ran> {
  const results = new Map<string, Ran>();
  for (const line of output.split("\n")) {
    const [name = "", state, first = "", second = ""] = line.split("\t");
    if (state === "rejected") results.set(name, { state, errno: Number(first), why: second });
    else if (state === "failed") results.set(name, { state, why: first });
    else if (state === "idle") results.set(name, { state });
    else if (state === "ran") results.set(name, { state, r0: BigInt(first), marked: Number(second) });
  }
  return results;
}
