/** Real programs with something put into them: a forbidden act, or a change that does no harm. */

import { assemble, linesOf } from "../../src/bpf/assembly/assembly.js";
import { type Line, parse } from "../../src/bpf/assembly/assembly-lines.js";
import { OBSERVES } from "../../src/bpf/evidence/evidence-collector.js";
import { OP } from "../../src/bpf/insn/insn.js";
import type { Code } from "../../src/bpf/model/code.js";
import { EFFECTS, type Effects } from "../../src/bpf/model/facts.js";
import { ACT_MAPS, ACTS, type Act, PACKETS } from "./forbidden-acts.js";
import { HARMLESS } from "./harmless-changes.js";

export interface Mutant {
  /** `stores into the packet in a loop, before the end`. */
  readonly name: string;
  readonly act: Act;
  readonly code: Code;
}

/** A way to put lines, which find the context in r1, into a program's lines. */
export interface Carrier {
  readonly name: string;
  carry(program: Program, act: Act, next: (below: number) => number): Line[];
}

/** A program to be changed: its lines, how many belong to the program itself, and the deepest slot of its frame. */
interface Program {
  readonly code: Code;
  readonly lines: Line[];
  readonly end: number;
  readonly depth: number;
}

/** Every forbidden act that fits a program's type, carried in every way. A frame that is full has room for none. */
export function mutantsOf(code: Code, next: (below: number) => number): Mutant[] {
  return ACTS.filter(({ types }) => types === undefined || types.includes(code.type)).flatMap((act) =>
    (act.returns ? [AT_THE_END] : CARRIERS).flatMap((carrier) => mutantOf(code, act, carrier, next)),
  );
}

/** Some of them, drawn by chance. */
export function someMutantsOf(code: Code, count: number, next: (below: number) => number): Mutant[] {
  const fitting = ACTS.filter(({ types }) => types === undefined || types.includes(code.type));
  return Array.from({ length: count }).flatMap(() => {
    const act = fitting[next(fitting.length)]!;
    const carrier = act.returns ? AT_THE_END : CARRIERS[next(CARRIERS.length)]!;
    return mutantOf(code, act, carrier, next);
  });
}

/** Some changes that do no harm, drawn by chance. */
export function someHarmlessOf(code: Code, count: number, next: (below: number) => number): Mutant[] {
  return Array.from({ length: count }).flatMap(() => {
    const change = HARMLESS[next(HARMLESS.length)]!;
    const carrier = CARRIERS[next(CARRIERS.length)]!;
    return mutantOf(code, { ...change, effects: [] }, carrier, next);
  });
}

/** The effects that a mutant must have and is said not to. */
export function missed(act: Act, effects: Effects): string[] {
  const wrong: string[] = act.effects.filter((effect) => !effects[effect]);
  const changes = act.effects.some((effect) => !OBSERVES.has(effect));
  if (changes && effects.read_only) wrong.push("read_only");
  return wrong;
}

/** The effects that a harmless change brought. */
export function gained(before: Effects, after: Effects): string[] {
  return EFFECTS.filter((effect) => after[effect] && !before[effect]);
}

function mutantOf(code: Code, act: Act, carrier: Carrier, next: (below: number) => number): Mutant[] {
  const lines = linesOf(code);
  const second = lines.findIndex((line, index) => index > 0 && line.begins !== null);
  const end = second === -1 ? lines.length : second;
  const depth = depthOf(lines.slice(0, end));
  if (depth > 512 - ROOM) return [];
  const carried = carrier.carry({ code, lines, end, depth }, act, next);
  const { type, expectedAttachType } = code;
  const mutant = assemble(carried, { type, expectedAttachType });
  return [{ name: `${act.name}, ${carrier.name}`, act, code: mutant }];
}

/** Bytes of the frame that a mutant may use beside the program's own. */
const ROOM = 128;

function depthOf(lines: readonly Line[]): number {
  let deepest = 0;
  for (const { opcode, dst, src, off, imm } of lines) {
    const kind = opcode & OP.CLASS;
    if ((kind === OP.STX || kind === OP.ST) && dst === 10) deepest = Math.min(deepest, off);
    if (kind === OP.LDX && src === 10) deepest = Math.min(deepest, off);
    if (opcode === 0x07 && imm < 0 && imm >= -512) deepest = Math.min(deepest, imm);
  }
  return Math.ceil(-deepest / 8) * 8;
}

/** The text with slots of the frame behind `depth`, and the context's offsets, filled in. */
function fill(text: string, depth: number, type: string): string {
  const [data, end, meta] = PACKETS[type] ?? PACKETS.sched_cls!;
  return text
    .replace(/(- ?)([A-H])\b/g, (_, minus, slot) => `${minus}${depth + 8 * (1 + "ABCDEFGH".indexOf(slot))}`)
    .replace(/\bDATA\b/g, data)
    .replace(/\bEND\b/g, end)
    .replace(/\bMETA\b/g, meta);
}

/** Puts a text in before the line at an index, taking over its labels: whoever jumped there comes through it. */
function insert(lines: Line[], index: number, text: Line[]): void {
  const [first] = text;
  const behind = lines[index];
  if (first === undefined || behind === undefined) return;
  first.labels.push(...behind.labels);
  first.begins = behind.begins;
  behind.labels = [];
  behind.begins = null;
  lines.splice(index, 0, ...text);
}

const SAVE = "*(u64 *)(r10 - H) = r1";
const RESTORE = "r1 = *(u64 *)(r10 - H)";

function atStart(
  name: string,
  wrap: (text: string) => string,
  functions: (text: string) => string = () => "",
): Carrier {
  return {
    name,
    carry({ code, lines, depth }, act) {
      const read = (text: string, at: number) => parse(fill(text, at, code.type), ACT_MAPS);
      insert(lines, 0, read(`${SAVE}; ${wrap(act.text)}; ${RESTORE}`, depth));
      lines.push(...read(act.functions ?? "", 0), ...read(functions(act.text), 64));
      return lines;
    },
  };
}

/** Right before one of the program's ends, keeping what it returns unless that is what is changed. */
const AT_THE_END: Carrier = {
  name: "before the end",
  carry({ code, lines, end, depth }, act, next) {
    const exits = lines.flatMap((line, index) => (line.opcode === OP.EXIT && index < end ? [index] : []));
    const at = exits[next(exits.length)]!;
    const keep = act.returns ? ["", ""] : ["*(u64 *)(r10 - G) = r0;", "; r0 = *(u64 *)(r10 - G)"];
    const read = (text: string, depthThere: number) => parse(fill(text, depthThere, code.type), ACT_MAPS);
    insert(lines, at, read(`${keep[0]} ${RESTORE}; ${act.text} ${keep[1]}`, depth));
    insert(lines, 0, read(SAVE, depth));
    lines.push(...read(act.functions ?? "", 0));
    return lines;
  },
};

/** Anywhere in the program itself, with the registers that a call spoils kept in the frame. */
const ANYWHERE: Carrier = {
  name: "in the middle",
  carry({ code, lines, end, depth }, act, next) {
    const read = (text: string, depthThere: number) => parse(fill(text, depthThere, code.type), ACT_MAPS);
    const kept = [0, 1, 2, 3, 4, 5].map((register) => [register, depth + 72 + 8 * register] as const);
    const keep = kept.map(([register, at]) => `*(u64 *)(r10 - ${at}) = r${register}`).join("; ");
    const back = kept.map(([register, at]) => `r${register} = *(u64 *)(r10 - ${at})`).join("; ");
    insert(lines, next(end), read(`${keep}; ${RESTORE}; ${act.text}; ${back}`, depth));
    insert(lines, 0, read(SAVE, depth));
    lines.push(...read(act.functions ?? "", 0));
    return lines;
  },
};

export const CARRIERS: readonly Carrier[] = [
  atStart("at the start", (text) => text),
  AT_THE_END,
  ANYWHERE,
  atStart(
    "after a join",
    (text) => `call bpf_get_prandom_u32; r6 = 1; if r0 == 0 goto MEET; r6 = 2; MEET: ${RESTORE}; ${text}`,
  ),
  atStart(
    "behind a condition",
    (text) => `call bpf_get_prandom_u32; if r0 != 77 goto PASS; ${RESTORE}; ${text}; PASS: r0 = 0`,
  ),
  atStart(
    "in a loop",
    (text) =>
      `*(u64 *)(r10 - G) = 0; TURN: ${RESTORE}; ${text}; r0 = *(u64 *)(r10 - G); r0 += 1; *(u64 *)(r10 - G) = r0; if r0 < 3 goto TURN`,
  ),
  atStart(
    "in a subprogram",
    () => "call carried",
    (text) => `fn carried: ${text}; r0 = 0; exit`,
  ),
  atStart(
    "in a subprogram that finds the context in its caller's frame",
    () => "r1 = r10; r1 += -H; call carried",
    (text) => `fn carried: r1 = *(u64 *)(r1 + 0); ${text}; r0 = 0; exit`,
  ),
  atStart(
    "in a subprogram of a subprogram",
    () => "r5 = r1; call between",
    (text) => `fn between: r1 = r5; call carried; exit; fn carried: ${text}; r0 = 0; exit`,
  ),
  atStart(
    "in a callback",
    () => "r1 = 1; r2 = func carried; r3 = r10; r3 += -H; r4 = 0; call bpf_loop",
    (text) => `fn carried: r1 = *(u64 *)(r2 + 0); ${text}; r0 = 0; exit`,
  ),
  atStart(
    "in a callback for each element",
    () => "r1 = map own; r2 = func carried; r3 = r10; r3 += -H; r4 = 0; call bpf_for_each_map_elem",
    (text) => `fn carried: r1 = *(u64 *)(r4 + 0); ${text}; r0 = 0; exit`,
  ),
];
