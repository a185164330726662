import { type ArgumentMemory, type Extent, HELPER_MEMORY, KFUNC_MEMORY } from "../tables/argument-memory.js";
import { HELPER_ROWS } from "../tables/helpers.js";
import { KFUNCS } from "../tables/kfuncs.js";
import { UNCLEARED, type Uncleared } from "../tables/uncleared-memory.js";
import type { Memory } from "./memory.js";
import { AS_BOUNDED, AS_RESULT } from "./states/pending.js";
import { SIGN } from "./values/call-tags.js";
import { KIND } from "./values/kinds.js";
import { enumerable, LARGEST, largest, least, upTo } from "./values/numbers.js";
import { LOWER_BYTES } from "./values/values.js";

/** What a helper or kfunc does with the memory of its arguments. */
export interface Access {
  readonly reads: readonly ArgumentMemory[];
  readonly writes: readonly ArgumentMemory[];
  /** Index of the argument that is a map; -1 for none. */
  readonly map: number;
  /** What it adds to a packet without clearing it; null for nothing. */
  readonly uncleared: Uncleared | null;
}

/** By id of the helper. */
export const HELPER_ACCESS: readonly (Access | undefined)[] = HELPER_ROWS.map(
  (row) => row && accessOf(row.args, "r", "w", HELPER_MEMORY.get(row.name) ?? [], UNCLEARED.get(row.name)),
);
export const KFUNC_ACCESS: ReadonlyMap<string, Access> = new Map(
  KFUNCS.map(({ name, args }) => [name, accessOf(args, "ro", "wsO", KFUNC_MEMORY.get(name) ?? [])]),
);

/** Letters of memory that is read, and of memory that may be written, count as such if there is no row. */
function accessOf(
  args: string,
  read: string,
  written: string,
  rows: readonly ArgumentMemory[],
  uncleared: Uncleared | null = null,
): Access {
  const others = [...args].flatMap((letter, index): ArgumentMemory[] => {
    if (rows.some((row) => row.index === index)) return [];
    const reads = read.includes(letter);
    const unknown = { index, extent: "unknown", written: "no", source: "" } as const;
    return reads || written.includes(letter) ? [{ ...unknown, reads }] : [];
  });
  const all = [...rows, ...others];
  return {
    reads: all.filter(({ reads }) => reads),
    writes: all.filter(
      ({ index, written: when, opaque }) => when !== "no" || opaque || written.includes(args[index] ?? ""),
    ),
    map: args.indexOf("m"),
    uncleared,
  };
}

/** Signs of a call's result for which the memory is written. */
const SIGNS = { always: SIGN.ANY, on_success: SIGN.ZERO | SIGN.POSITIVE };

/**
 * Helpers that write a text or, if they fail, clear the whole buffer: its first byte is written in any case
 * (bpf_probe_read_user_str_common and bpf_probe_read_kernel_str_common, kernel/trace/bpf_trace.c).
 */
const TEXTS = new Set(["bpf_probe_read_str", "bpf_probe_read_kernel_str", "bpf_probe_read_user_str"]);

/**
 * Helpers whose result the verifier knows to be at most the size of their buffer (do_refine_retval_range,
 * kernel/bpf/verifier.c). Others may return more than they wrote, such as the length of a text that was cut off.
 */
const BOUNDED = new Set([...TEXTS, "bpf_get_stack", "bpf_get_task_stack"]);

/** The stack bytes that helpers and kfuncs read and fill through their arguments. */
export class ArgumentBytes {
  constructor(readonly memory: Memory) {}

  /** The call reads its arguments. */
  lend(slot: number, { reads, map, uncleared }: Access, who: string): void {
    if (uncleared !== null && this.#mayBeNegative(uncleared.distance))
      this.memory.findings.note(
        "reads_kernel_memory",
        slot,
        `lets \`${who}\` add ${uncleared.adds}, which the kernel does not clear`,
      );
    for (const { index, extent, readOfMap } of reads) {
      const pointer = this.#argument(index);
      if ((this.memory.values.kinds(pointer) & KIND.STACK) === 0) continue;
      if (readOfMap !== undefined && this.#isOfOtherType(map, readOfMap)) continue;
      const size = typeof extent === "object" && "argument" in extent ? this.#argument(extent.argument) : -1;
      this.memory.stack.lend(slot, pointer, size, this.#size(extent, map, true), who);
    }
  }

  /** The call fills its arguments. Returns whether its result tells what it wrote. */
  fill(slot: number, { writes, map }: Access, who: string): boolean {
    let tells = false;
    for (const { index, extent, written, opaque } of writes) {
      const pointer = this.#argument(index);
      if ((this.memory.values.kinds(pointer) & KIND.STACK) === 0) continue;
      if (!tells && (written === "on_success" || written === "result_bytes")) {
        tells = true;
        this.memory.stack.renew(slot);
      }
      this.memory.stack.mayFill(slot, pointer);
      if (opaque) this.memory.stack.keep(slot, pointer, this.#size(extent, map, true), who);
      if (written === "no") continue;
      const size = this.#size(extent, map, false);
      if (TEXTS.has(who) && size > 0) this.memory.stack.fill(slot, pointer, 1, SIGN.ANY);
      if (written !== "result_bytes") this.memory.stack.fill(slot, pointer, size, SIGNS[written]);
      else if (size === this.#size(extent, map, true))
        this.memory.stack.fill(slot, pointer, size, BOUNDED.has(who) ? AS_BOUNDED : AS_RESULT);
    }
    return tells;
  }

  /** Whether the map in an argument is known, and has another type. */
  #isOfOtherType(map: number, type: string): boolean {
    const { values } = this.memory;
    const maps = this.#argument(map);
    const only = values.kinds(maps) === KIND.MAP ? this.memory.maps.only(values.maps(maps)) : null;
    return only !== null && only.type !== type;
  }

  /** Whether an argument may be negative as a number of 32 bits. */
  #mayBeNegative(index: number | null): boolean {
    if (index === null) return true;
    const { values } = this.memory;
    const value = this.#argument(index);
    const known = values.kinds(value) === KIND.NUMBER && (values.mask(value) & LOWER_BYTES) === LOWER_BYTES;
    return known ? values.lo(value) < 0 : (values.set(value) & ~upTo(LARGEST)) !== 0;
  }

  #argument(index: number): number {
    return this.memory.frames.state[index + 1]!;
  }

  /** The greatest or the least size that an extent may have. */
  #size(extent: Extent, map: number, greatest: boolean): number {
    const { values } = this.memory;
    const unknown = greatest ? Infinity : 0;
    if (extent === "unknown") return unknown;
    if (typeof extent === "string") {
      const maps = map < 0 ? -1 : this.#argument(map);
      const all = maps < 0 || values.kinds(maps) !== KIND.MAP ? null : this.memory.maps.all(values.maps(maps));
      const sizes = all?.map((each) => (extent === "key" ? each.key_size : each.value_size));
      return sizes === undefined ? unknown : greatest ? Math.max(...sizes) : Math.min(...sizes);
    }
    if ("bytes" in extent) return extent.bytes;
    const size = this.#argument(extent.argument);
    if (values.isConstant(size)) return values.hi(size) === 0 && values.lo(size) >= 0 ? values.lo(size) : unknown;
    const set = values.set(size);
    if (!enumerable(set)) return unknown;
    return greatest ? largest(set) : least(set);
  }
}
