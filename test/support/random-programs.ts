/**
 * XDP programs drawn by chance, that the kernel takes more often than not: they shove numbers and pointers through
 * registers, the frame, subprograms and callbacks, and now and then change what they should not. Whatever such a
 * program does when it is run has to be among its effects.
 */

import { mapOf } from "../../src/bpf/assembly/assembly.js";
import type { CodeMap } from "../../src/bpf/model/code.js";

type Next = (below: number) => number;

export const RANDOM_MAPS: Readonly<Record<string, CodeMap>> = {
  own: mapOf("own", { type: "array", value_size: 64, max_entries: 1 }),
  shared: mapOf("shared", { type: "array", value_size: 64, max_entries: 1, own: false }),
};

/** Bytes of the packet that every program has looked for. */
const REACH = 64;
/** Slots of the frame with numbers, and with pointers into the packet. */
const NUMBERS = [8, 16, 24, 32, 40, 48];
const POINTERS = [56, 64];
/** Registers that hold numbers all along; r6 is the context, r7 the packet. */
const FREE = [0, 1, 2, 3, 4, 5, 8, 9];
const SIZES = [
  [8, 1],
  [16, 2],
  [32, 4],
  [64, 8],
] as const;

export function randomProgram(next: Next): string {
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!;
  let labels = 0;
  const fresh = () => `l${labels++}`;
  const number = () => pick([2, 2, 2, 2, 1, 0, 3, -1, 258, 5]);
  const settle = "r0 = 2; r1 = 2; r2 = 2; r3 = 2; r4 = 2; r5 = 2";
  const cell = () => {
    const [bits, bytes] = pick(SIZES);
    return { bits, at: pick(NUMBERS) - bytes * next(8 / bytes) };
  };
  const slot = () => `r10 - ${pick(NUMBERS)}`;

  const statements: readonly (readonly [weight: number, text: () => string])[] = [
    [6, () => `r${pick(FREE)} = ${number()}`],
    [6, () => `r${pick(FREE)} = r${pick(FREE)}`],
    [3, () => `w${pick(FREE)} = w${pick(FREE)}`],
    [4, () => `${pick(["r", "w"])}${pick(FREE)} ${pick(["+=", "-=", "&=", "|=", "^=", "*="])} ${number()}`],
    [2, () => `r${pick(FREE)} ${pick(["<<=", ">>=", "s>>="])} ${pick([1, 8, 32, 63])}`],
    [1, () => `w${pick(FREE)} ${pick(["<<=", ">>=", "s>>="])} ${pick([1, 8, 31])}`],
    [1, () => `r${pick(FREE)} = -r0`.replace(/r(\d) = -r0/, "r$1 = -r$1")],
    [1, () => `r${pick(FREE)} = (s${pick([8, 16, 32])})r${pick(FREE)}`],
    [
      8,
      () => {
        const { bits, at } = cell();
        return `*(u${bits} *)(r10 - ${at}) = ${pick([`r${pick(FREE)}`, String(number())])}`;
      },
    ],
    [
      8,
      () => {
        const { bits, at } = cell();
        return `r${pick(FREE)} = *(u${bits} *)(r10 - ${at})`;
      },
    ],
    [1, () => `r${pick(FREE)} = *(s${pick([8, 16, 32])} *)(${slot()})`],
    [3, () => `r${pick(FREE)} = *(u${pick([8, 16, 32, 64])} *)(r7 + ${next(REACH - 8)})`],
    [
      5,
      () => {
        const end = fresh();
        const right = pick([`r${pick(FREE)}`, String(number())]);
        return `if r${pick(FREE)} ${pick(["==", "!=", ">", "<", "s>", "s<=", ">=", "&"])} ${right} goto ${end}; ${simple()}; ${end}: r${pick(FREE)} += 0`;
      },
    ],
    [
      2,
      () => {
        const end = fresh();
        return `if w${pick(FREE)} ${pick(["==", "!=", ">", "<", "s>"])} ${number()} goto ${end}; ${simple()}; ${end}: w${pick(FREE)} |= 0`;
      },
    ],
    [2, () => `call bpf_get_prandom_u32; ${settle.replace("r0 = 2; ", "")}`],
    [2, () => `lock *(u64 *)(${slot()}) ${pick(["+=", "&=", "|=", "^="])} r${pick(FREE)}`],
    [1, () => `r3 = xchg_64(${slot()}, r3)`],
    [1, () => `r4 = atomic_fetch_add((u64 *)(${slot()}), r4)`],
    [
      1,
      () =>
        `r1 = r6; r2 = ${next(32)}; r3 = r10; r3 += -${pick(NUMBERS)}; r4 = ${pick([1, 4, 8])}; call bpf_xdp_load_bytes; ${settle}`,
    ],
    [2, () => `*(u64 *)(r10 - ${pick(POINTERS)}) = r7`],
    [1, () => `r1 = *(u64 *)(r10 - ${pick(POINTERS)}); r2 = *(u8 *)(r1 + 3); r1 = 2`],
    [
      2,
      () =>
        `r1 = r10; r1 += -${pick(NUMBERS)}; r2 = ${number()}; call ${pick(["put", "putPart", "keep", "nested"])}; ${settle.replace("r0 = 2; ", "")}`,
    ],
    [
      1,
      () =>
        `r1 = ${1 + next(3)}; r2 = func ${pick(["each", "eachPart"])}; r3 = r10; r3 += -${pick(NUMBERS)}; r4 = 0; call bpf_loop; ${settle}`,
    ],
    [1, () => `r1 = ${number()}; call two; ${settle.replace("r0 = 2; ", "")}`],
    [2, () => `${somewhere()}; *(u64 *)(r2 + 0) = ${pick([String(number()), "r8", "r9"])}; ${settle}`],
    [2, () => `${somewhere()}; r${pick([8, 9])} = *(u64 *)(r2 + 0); ${settle}`],
    [
      2,
      () => {
        const again = fresh();
        return `*(u64 *)(r10 - 88) = 0; ${again}: ${simple()}; ${simple()}; r5 = *(u64 *)(r10 - 88); r5 += 1; *(u64 *)(r10 - 88) = r5; if r5 < ${1 + next(4)} goto ${again}`;
      },
    ],
    [1, () => inMap("own", `*(u64 *)(r0 + 8) = 1`)],
    [1, () => inMap("own", `r0 = *(u64 *)(r0 + 8)`)],
    [1, () => inMap("shared", `r0 = *(u64 *)(r0 + 8)`)],
  ];
  /** What is to be found out; a program has at most one of them. */
  const forbidden: readonly (() => string)[] = [
    () => `*(u8 *)(r7 + ${next(REACH)}) = 77`,
    () => `*(u64 *)(r10 - 64) = r7; r1 = 0; r2 = *(u64 *)(r10 - 64); *(u16 *)(r2 + 4) = 77; ${settle}`,
    () => `r1 = r7; r1 += ${next(8)}; call poke; ${settle}`,
    () => `*(u64 *)(r10 - 64) = r7; r1 = r10; r1 += -64; call pokeBehind; ${settle}`,
    () => `*(u64 *)(r10 - 64) = r7; r1 = 2; r2 = func pokeEach; r3 = r10; r3 += -64; r4 = 0; call bpf_loop; ${settle}`,
    () => inMap("shared", "*(u64 *)(r0 + 8) = 77"),
    () => inMap("shared", "r1 = 77; lock *(u64 *)(r0 + 8) += r1"),
    () => inMap("shared", "r1 = r0; r2 = 77; call put"),
    () =>
      `*(u32 *)(r10 - 80) = 1; r2 = r10; r2 += -80; r1 = map own; call bpf_map_lookup_elem; if r0 != 0 goto found; r0 += r7; *(u8 *)(r0 + ${next(REACH)}) = 77; found: ${settle}`,
    () => `*(u64 *)(r10 - 64) = r7; r1 = r10; r1 += -64; call pokeBehind; r1 = r7; call pokeNested; ${settle}`,
    () =>
      `*(u64 *)(r10 - 64) = r7; r1 = r10; r1 += -64; call givePointer; call giveNested; r2 = *(u64 *)(r10 - 64); *(u8 *)(r2 + 2) = 77; ${settle}`,
    () =>
      inMap(
        "shared",
        `r1 = r0; r2 = 64; r3 = 0; r4 = r10; r4 += -112; call bpf_dynptr_from_mem; r1 = r10; r1 += -112; r2 = ${next(32)};
        r3 = r10; r3 += -8; r4 = 8; r5 = 0; call bpf_dynptr_write`,
      ),
    () => `r1 = map shared; r2 = func setEach; r3 = 0; r4 = 0; call bpf_for_each_map_elem; ${settle}`,
  ];
  /** r2 points to a slot with a number, which one depends on the packet. */
  function somewhere(): string {
    return `r1 = *(u8 *)(r7 + ${next(REACH)}); r1 &= ${pick([8, 24])}; r2 = r10; r2 += -${pick([40, 48])}; r2 += r1`;
  }
  function simple(): string {
    return pick(statements.slice(0, 9))[1]();
  }
  function inMap(map: string, then: string): string {
    const end = fresh();
    return `*(u32 *)(r10 - 80) = 0; r2 = r10; r2 += -80; r1 = map ${map}; call bpf_map_lookup_elem; if r0 == 0 goto ${end}; ${then}; ${end}: ${settle}`;
  }

  const weighted = statements.flatMap(([weight, text]) => Array.from({ length: weight }, () => text));
  const body = Array.from({ length: 4 + next(16) }, () => pick(weighted)());
  if (next(3) === 0) body.splice(next(body.length), 0, pick(forbidden)());
  const last = pick([
    () => "r0 = 2",
    () => `r0 = *(u64 *)(${slot()})`,
    () => `r0 = *(u32 *)(${slot()})`,
    () => `r0 = r${pick(FREE)}`,
    () => `r0 = r${pick(FREE)}; r0 &= 3`,
    () => `r0 = r${pick(FREE)}; if r0 == 2 goto enough; r0 = 2; enough: r0 += 0`,
  ])();
  return `
    r6 = r1; r7 = *(u32 *)(r6 + 0); r8 = *(u32 *)(r6 + 4); r0 = r7; r0 += ${REACH}; if r0 <= r8 goto begin; r0 = 2; exit;
    begin: ${NUMBERS.map((at) => `*(u64 *)(r10 - ${at}) = 2`).join("; ")}; ${POINTERS.map((at) => `*(u64 *)(r10 - ${at}) = r7`).join("; ")};
    r8 = 2; r9 = 2; ${settle}; ${body.join(";\n    ")}; ${last}; exit;
    fn put: *(u64 *)(r1 + 0) = r2; r0 = 2; exit;
    fn putPart: *(u8 *)(r1 + 4) = r2; r0 = 2; exit;
    fn keep: r0 = *(u64 *)(r1 + 0); exit;
    fn nested: r2 += 1; call put; exit;
    fn two: r0 = 2; if r1 != 5 goto same; r0 = 1; same: exit;
    fn each: *(u64 *)(r2 + 0) = r1; r0 = 0; exit;
    fn eachPart: r3 = *(u32 *)(r2 + 0); r3 += 1; *(u32 *)(r2 + 0) = r3; r0 = 0; exit;
    fn poke: *(u8 *)(r1 + 0) = 77; r0 = 2; exit;
    fn pokeBehind: r2 = *(u64 *)(r1 + 0); *(u8 *)(r2 + 0) = 77; r0 = 2; exit;
    fn pokeNested: *(u64 *)(r10 - 16) = r1; r1 = r10; r1 += -16; call pokeBehind; exit;
    fn givePointer: r3 = *(u64 *)(r1 + 0); r3 += 1; *(u64 *)(r1 + 0) = r3; r0 = 2; exit;
    fn giveNested: *(u64 *)(r10 - 24) = 2; r1 = r10; r1 += -24; call givePointer; exit;
    fn pokeEach: r3 = *(u64 *)(r2 + 0); *(u8 *)(r3 + 1) = 77; r0 = 0; exit;
    fn setEach: *(u64 *)(r3 + 16) = 77; r0 = 0; exit`;
}

/** The text without the functions that it does not reach: the kernel takes no dead code. */
export function withoutUnreached(text: string): string {
  const [main = "", ...functions] = text.split(/(?=\bfn )/);
  const bodies = new Map(functions.map((body) => [/^fn (\w+)/.exec(body)![1]!, body]));
  const reached = new Set<string>();
  const reach = (body: string) => {
    for (const [, name] of body.matchAll(/(?:call|func) (\w+)/g))
      if (bodies.has(name!) && !reached.has(name!)) {
        reached.add(name!);
        reach(bodies.get(name!)!);
      }
  };
  reach(main);
  return [main, ...[...reached].map((name) => bodies.get(name)!)].join("\n");
}
