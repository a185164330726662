/**
 * XDP programs drawn by chance that write and read parts of their stack, on branches whose conditions are independent,
 * in functions that are passed pointers, and in callbacks. What the verifier says of them depends only on which bytes
 * are written.
 */
import { mapOf } from "../../src/bpf/assembly/assembly.js";
import type { CodeMap } from "../../src/bpf/model/code.js";

type Next = (below: number) => number;

export const STACK_MAPS: Readonly<Record<string, CodeMap>> = {
  m8: mapOf("m8", { type: "array", value_size: 8, max_entries: 1 }),
  m24: mapOf("m24", { type: "array", value_size: 24, max_entries: 1 }),
};

/** Bytes of a frame that programs use, below the key of a map. */
const USED = 48;
const KEY = 8;
/** Bytes behind the parameter of a function. */
const PASSED = 16;

/**
 * `reading`: how often a statement reads rather than writes, out of 10. `spills`: whether it stores less than eight
 * bytes to the beginning of a slot. The verifier takes the number for a spilled register, and without CAP_PERFMON then
 * lets a helper read the whole slot (is_spilled_reg in check_stack_range_initialized, kernel/bpf/verifier.c).
 */
export function stackProgram(next: Next, reading: number, spills: boolean): string {
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!;
  let labels = 0;
  const cell = (base: string, low: number, length: number, stored: boolean) => {
    const size = pick([1, 2, 4, 8, 8]);
    const at = low + size * next(Math.floor(length / size));
    const whole = stored && !spills && at % 8 === 0;
    return `*(u${whole ? 64 : 8 * size} *)(${base} ${sign(at)})`;
  };
  /** r6 to r9 keep the context and, in a function, its parameter; r0 to r5 are free. */
  const touch = (base: string, low: number, length: number) =>
    next(10) < reading ? `r5 = ${cell(base, low, length, false)}` : `${cell(base, low, length, true)} = ${next(100)}`;
  const branch = (text: () => string): string => {
    const end = `l${labels++}`;
    return `call bpf_get_prandom_u32; if r0 ${pick(["==", "!=", ">", "s<"])} ${1 + next(1000)} goto ${end}; ${text()}; ${end}: r5 = 0`;
  };
  const either = (text: () => string): string => {
    const [other, end] = [`l${labels++}`, `l${labels++}`];
    return `call bpf_get_prandom_u32; if r0 == 1 goto ${other}; ${text()}; goto ${end}; ${other}: ${text()}; ${end}: r5 = 0`;
  };
  const own = (): string => touch("r10", -USED, USED - KEY);
  const update = (): string => {
    const map = pick(["m8", "m24"]);
    const size = map === "m8" ? 8 : 24;
    return `*(u32 *)(r10 - 4) = 0; r3 = r10; r3 += ${-USED + next(USED - KEY - size + 1)}; r2 = r10; r2 += -4; r1 = map ${map};
      r4 = 0; call bpf_map_update_elem`;
  };
  const argument = () => -USED + 8 * next((USED - KEY - PASSED) / 8 + 1);
  const call = (): string => {
    const end = `l${labels++}`;
    const check = pick(["r5 = 0", `if r0 != 0 goto ${end}; ${own()}`, `if r0 == 0 goto ${end}; ${own()}`]);
    return `r1 = r10; r1 += ${argument()}; call ${pick(["f0", "f1", "f2"])}; ${check}; ${end}: r5 = 0`;
  };
  const loop = (): string => `r1 = 2; r2 = func back; r3 = r10; r3 += ${argument()}; r4 = 0; call bpf_loop; r5 = 0`;
  const statement = (): string =>
    pick([
      own,
      own,
      own,
      () => branch(own),
      () => either(own),
      () => branch(() => branch(own)),
      update,
      call,
      call,
      loop,
    ])();

  const behind = (): string => touch("r6", 0, PASSED);
  const body = (index: number): string => {
    const texts = Array.from({ length: 1 + next(3) }, () => pick([behind, behind, () => branch(behind)])());
    if (index < 2 && next(3) === 0) texts.push(`r1 = r6; call f${index + 1}`);
    const fails =
      next(2) === 0
        ? `call bpf_get_prandom_u32; if r0 == 7 goto bad${index}; ${behind()}; r0 = 0; exit; bad${index}: r0 = -1; exit`
        : "r0 = 0; exit";
    return `fn f${index}: r6 = r1; ${texts.join("; ")}; ${fails}`;
  };
  const written = Array.from({ length: USED / 8 }, (_, at) => 8 * (at + 1)).filter(() => next(5) > 0);
  const main = [...written.map((at) => `*(u64 *)(r10 - ${at}) = 0`), ...Array.from({ length: 2 + next(6) }, statement)];
  const functions = [0, 1, 2].map(body);
  return withUsed(`${main.join("; ")}; r0 = 2; exit`, functions, `fn back: r6 = r2; ${behind()}; r0 = 0; exit`);
}

/** The functions that are called, directly or by others; the kernel rejects those that are not reached. */
function withUsed(main: string, functions: readonly string[], back: string): string {
  let text = main;
  for (const [index, body] of functions.entries())
    if (text.includes(`call f${index};`) || text.endsWith(`call f${index}`)) text += `; ${body}`;
  return main.includes("func back") ? `${text}; ${back}` : text;
}

function sign(offset: number): string {
  return offset < 0 ? `- ${-offset}` : `+ ${offset}`;
}
