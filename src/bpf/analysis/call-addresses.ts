import { ADDRESS_HELPERS, HANDING_KFUNCS, KEEPING_HELPERS, KEEPING_KFUNCS } from "../tables/addresses.js";
import { type ArgumentMemory, type Extent, HELPER_MEMORY, KFUNC_MEMORY } from "../tables/argument-memory.js";
import { formats, HELPER_ROWS, type HelperRow } from "../tables/helpers.js";
import type { KfuncRow } from "../tables/kfuncs.js";
import type { Memory } from "./memory.js";
import { ALL, withAddress } from "./values/addresses.js";
import { KIND } from "./values/kinds.js";

/** Index of the first argument of bpf_trace_printk that is printed. */
const FIRST_PRINTED = 2;

/** The helper whose result is computed from the memory that it reads. */
const SUMS = "csum_diff";

/** What a helper hands out: the indexes of numbers, and of memory that it reads with its size. */
interface Handed {
  readonly numbers: readonly number[];
  readonly memory: readonly (readonly [index: number, extent: Extent])[];
  /** Whether it only computes with the memory, and does not hand it out. */
  readonly keeps: boolean;
}

/** By id: a program can have a million calls. */
const HANDED = HELPER_ROWS.map((row) => row && handedBy(row));

function handedBy(row: HelperRow): Handed {
  const indexes = (letter: string) => [...row.args].flatMap((each, index) => (each === letter ? [index] : []));
  const keeps = KEEPING_HELPERS.has(row.name);
  // What a format prints is found by the format.
  const numbers = indexes("-").filter((index) => !formats(row) || index < FIRST_PRINTED);
  const memory = formats(row) || (keeps && row.name !== SUMS) ? [] : indexes("r");
  const rows = HELPER_MEMORY.get(row.name);
  return { numbers, memory: memory.map((index) => [index, extentOf(rows, index)]), keeps };
}

function extentOf(rows: readonly ArgumentMemory[] | undefined, index: number): Extent {
  return rows?.find((row) => row.index === index)?.extent ?? "unknown";
}

/** The addresses that a program hands out by calls: as numbers, and in memory on its stack. */
export class CallAddresses {
  readonly #memory: Memory;
  /** Whether the current call gets memory with an address, from which its result is computed. */
  #isSummed = false;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  helper(slot: number, row: HelperRow, who: string): void {
    const { numbers, memory, keeps } = HANDED[row.id]!;
    const { addresses } = this.#memory;
    this.#isSummed = false;
    for (const index of numbers) addresses.passed(slot, this.#argument(index), who);
    for (const [index, extent] of memory) {
      const value = this.#argument(index);
      if (!this.#isOnStack(value)) continue;
      const size = this.#size(extent, row.args);
      if (!keeps) addresses.lent(slot, value, size, who);
      else if (addresses.mayHold(value, 0, size)) this.#isSummed = true;
    }
  }

  /**
   * Arguments of a format, of which `printed` says whether their value is printed: registers of bpf_trace_printk, or
   * numbers of 8 bytes behind the `r` argument of the other helpers.
   */
  printed(slot: number, row: HelperRow, printed: readonly boolean[] | null, who: string): void {
    const { addresses } = this.#memory;
    const data = row.args.indexOf("r");
    if (data < 0) {
      for (let index = FIRST_PRINTED; index < row.args.length; index++)
        if (printed?.[index - FIRST_PRINTED] ?? printed === null) addresses.passed(slot, this.#argument(index), who);
      return;
    }
    const value = this.#argument(data);
    if (!this.#isOnStack(value)) return;
    if (printed === null) {
      const extent = extentOf(HELPER_MEMORY.get(row.name), data);
      addresses.lent(slot, value, this.#size(extent, row.args), who);
      return;
    }
    for (const [index, isPrinted] of printed.entries())
      if (isPrinted && addresses.mayHold(value, 8 * index, 8)) addresses.lent(slot, value, 8 * index + 8, who);
  }

  kfunc(slot: number, { name, args }: KfuncRow): void {
    const { addresses, values } = this.#memory;
    for (let index = 0; index < args.length; index++) {
      const letter = args[index]!;
      const value = this.#argument(index);
      // A callback is among the numbers of a kfunc's prototype.
      if (letter === "-" && (values.kinds(value) & KIND.FUNCTION) === 0) addresses.passed(slot, value, name);
      else if (this.#isOnStack(value) && (letter === "r" ? !KEEPING_KFUNCS.has(name) : HANDING_KFUNCS.has(name)))
        addresses.lent(slot, value, this.#size(extentOf(KFUNC_MEMORY.get(name), index), args), name);
    }
  }

  /** The result of a helper, which may be an address or be computed from one. */
  returned({ name }: HelperRow, value: number): number {
    return withAddress(this.#memory.values, value, this.#isSummed || ADDRESS_HELPERS.has(name) ? ALL : 0);
  }

  #argument(index: number): number {
    return this.#memory.frames.state[index + 1]!;
  }

  #isOnStack(value: number): boolean {
    return (this.#memory.values.kinds(value) & KIND.STACK) !== 0;
  }

  /** The number of bytes of an extent; Infinity if it is not known. */
  #size(extent: Extent, args: string): number {
    const { values, maps } = this.#memory;
    if (typeof extent === "object") {
      if ("bytes" in extent) return extent.bytes;
      const size = this.#argument(extent.argument);
      return values.isConstant(size) ? values.lo(size) >>> 0 : Number.POSITIVE_INFINITY;
    }
    const map = extent === "unknown" ? null : maps.only(values.maps(this.#argument(args.indexOf("m"))));
    const size = map === null ? 0 : extent === "key" ? map.key_size : map.value_size;
    return size === 0 ? Number.POSITIVE_INFINITY : size;
  }
}
