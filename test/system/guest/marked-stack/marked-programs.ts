import { codeOf, mapOf } from "../../../../src/bpf/assembly/assembly.js";
import type { Code, CodeMap } from "../../../../src/bpf/model/code.js";
import { type Filler, OUTCOMES, type Outcome, TEXT_BYTES, TOP } from "./filler.js";
import type { KernelNames } from "./kernel-names.js";
import { type Buffer as FrameBuffer, WAYS_OUT, type WayOut } from "./ways-out.js";

/**
 * What the program knows of r0 when it uses the buffer: nothing; that it is not negative, with 64 bits or with 32 (a
 * kfunc that returns an `int` leaves the upper bits 0); that it is the size of the buffer; or as many bytes are used as
 * it says.
 */
export const CHECKS = ["unchecked", "checked", "checked32", "full", "counted"] as const;
export type Check = (typeof CHECKS)[number];

/** A program whose frame is full of marker bytes, until a helper fills a buffer in it. */
export interface MarkedProgram {
  readonly name: string;
  readonly filler: Filler;
  readonly outcome: Outcome;
  readonly check: Check;
  readonly way: string;
  readonly code: Code;
  readonly maps: ReadonlyMap<string, CodeMap>;
}

/** The programs of these checks and ways out; and what a kernel lacks, by the names of fillers. */
export function markedPrograms(
  fillers: readonly Filler[],
  kernel: KernelNames,
  checks: readonly Check[] = CHECKS,
  ways: readonly WayOut[] = WAYS_OUT,
): { readonly programs: MarkedProgram[]; readonly missing: Map<string, string> } {
  const programs: MarkedProgram[] = [];
  const missing = new Map<string, string>();
  for (const [index, filler] of fillers.entries())
    for (const outcome of OUTCOMES) {
      const call = filler.outcomes[outcome];
      if (typeof call !== "string") continue;
      const resolved = kernel.resolve(`${filler.setup}; ${call}`);
      if ("lacks" in resolved) {
        missing.set(filler.name, resolved.lacks);
        continue;
      }
      for (const check of checks)
        for (const way of ways) {
          const text = programText(filler, resolved.text, check, way);
          if (text === null) continue;
          const name = `${index}/${filler.name}/${filler.host.name}/${filler.size}/${outcome}/${check}/${way.name}`;
          const maps = mapsFor(filler.size);
          const { type, expected: expectedAttachType } = filler.host;
          const code = codeOf(text, { type, expectedAttachType, maps: Object.fromEntries(maps) });
          programs.push({ name, filler, outcome, check, way: way.name, code, maps });
        }
    }
  return { programs, missing };
}

const MARKER = "0xa7a7a7a7a7a7a7a7";

/**
 * Two functions are called one after the other, so that their frames are at the same address of the kernel's stack. The
 * first fills its frame with marker bytes. The second has the buffer. Null if there is no such way out.
 *
 * From Linux 6.13 on, functions of tracing programs have frames of their own, which begin with zeros, unless they are
 * smaller than BPF_PRIV_STACK_MIN_SIZE (64 bytes, rounded up to 16): so buffers there have at most 40 bytes.
 */
function programText({ size, spare, host }: Filler, call: string, check: Check, way: WayOut): string | null {
  const spareAt = TOP + spare;
  const at = spareAt + Math.ceil(size / 8) * 8;
  const buffer: FrameBuffer = { at, size };
  const out = check === "counted" ? way.counted?.(buffer) : way.text(buffer, host);
  if (out === null || out === undefined) return null;
  const checked = {
    unchecked: "",
    checked: "if r7 s< 0 goto out;",
    checked32: "if w7 s< 0 goto out;",
    full: `if r7 != ${size} goto out;`,
    counted: `if r7 s< 1 goto out; if r7 s> ${size} goto out;`,
  }[check];
  const marks = Array.from({ length: at / 8 }, (_, index) => `*(u64 *)(r10 - ${8 * (index + 1)}) = r1`);
  const seen = "r7 = r0; r1 = value state + 0; *(u64 *)(r1 + 0) = 1; *(u64 *)(r1 + 8) = r7";
  const victim = `${call}; ${seen}; ${checked} ${out}`
    .replaceAll(/\br(\d) = buffer\b/g, `r$1 = r10; r$1 += -${at}`)
    .replaceAll(/\br(\d) = spare\b/g, `r$1 = r10; r$1 += -${spareAt}`)
    .replaceAll(/= size\b/g, `= ${size}`)
    .replaceAll(/= format_size\b/g, `= ${formatOf(size).length}`);
  // The kernel rejects instructions that nothing reaches.
  const end = way.name !== "return" || /goto out\b/.test(victim) ? "out: r0 = 0; exit" : "";
  return `
    r6 = r1; call mark; r1 = r6; call victim; ${way.name === "return" ? "" : `r0 = ${host.returns};`} exit;
    fn mark: r1 = ${MARKER} ll; ${marks.join("; ")}; r0 = 0; exit;
    fn victim: r6 = r1; ${victim}; ${end}`;
}

/** A format with as many numbers as the buffer has words of eight bytes. */
function formatOf(size: number): string {
  return `${"%llx ".repeat(Math.max(1, Math.floor(size / 8))).trimEnd()}\0`;
}

/** BPF_F_RDONLY_PROG of include/uapi/linux/bpf.h */
const RDONLY_PROG = 128;

function constant(name: string, text: string): CodeMap {
  const data = Buffer.from(text);
  const shape = { type: "array", value_size: data.length, max_entries: 1, flags: RDONLY_PROG };
  return mapOf(name, { ...shape, data, frozen: true });
}

const array = (name: string, value_size: number) => mapOf(name, { type: "array", value_size, max_entries: 1 });

/** The maps of a program by name; `roleOf` says what the guest does with them. */
function mapsFor(size: number): ReadonlyMap<string, CodeMap> {
  return new Map([
    ["state", array("state", 16)],
    ["out", array("out", 256)],
    ["sized", array("sized", size)],
    ["ring", mapOf("ring", { type: "ringbuf", key_size: 0, value_size: 0, max_entries: 4096 })],
    ["perf", mapOf("perf", { type: "perf_event_array", value_size: 4, max_entries: 1 })],
    ["events", mapOf("events", { type: "perf_event_array", value_size: 4, max_entries: 1 })],
    ["queue", mapOf("queue", { type: "queue", key_size: 0, value_size: size, max_entries: 1 })],
    ["text", array("text", TEXT_BYTES.length)],
    ["env", array("env", 24)],
    ["format", constant("format", formatOf(size))],
    ["pair", constant("pair", "%llx %llx\0")],
    ["short", constant("short", "ab\0")],
    ["long", constant("long", `${"x".repeat(100)}\0`)],
  ]);
}
