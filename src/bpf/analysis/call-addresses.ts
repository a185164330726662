import { ADDRESS_HELPERS, HANDING_KFUNCS, KEEPING_HELPERS, KEEPING_KFUNCS } from "../tables/addresses.js";
import { type ArgumentMemory, HELPER_MEMORY, KFUNC_MEMORY } from "../tables/argument-memory.js";
import { formats, type HelperRow } from "../tables/helpers.js";
import type { KfuncRow } from "../tables/kfuncs.js";
import type { Memory } from "./memory.js";
import { ALL, withAddress } from "./values/addresses.js";
import { KIND } from "./values/kinds.js";

/** What a program hands out by calls: numbers, and memory on its stack. */
export class CallAddresses {
  readonly #memory: Memory;
  /** Whether the current call gets memory with an address, from which its result is computed. */
  #isSummed = false;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  helper(slot: number, row: HelperRow, who: string): void {
    const { args, name } = row;
    this.#isSummed = false;
    for (let index = 0; index < args.length; index++) {
      const letter = args[index];
      const value = this.#argument(index);
      if (letter === "-") {
        if (!formats(row) || index < FIRST_PRINTED) this.#memory.addresses.passed(slot, value, who);
      } else if (letter === "r" && !formats(row) && this.#isOnStack(value)) {
        const size = this.#size(HELPER_MEMORY.get(name), index, args);
        if (!KEEPING_HELPERS.has(name)) this.#memory.addresses.lent(slot, value, size, who);
        else if (name === "csum_diff" && this.#memory.addresses.mayHold(value, 0, size)) this.#isSummed = true;
      }
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
    if (printed === null) addresses.lent(slot, value, this.#size(HELPER_MEMORY.get(row.name), data, row.args), who);
    else
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
        addresses.lent(slot, value, this.#size(KFUNC_MEMORY.get(name), index, args), name);
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

  /** The number of bytes behind an argument that are handed out; Infinity if it is not known. */
  #size(rows: readonly ArgumentMemory[] | undefined, index: number, args: string): number {
    const extent = rows?.find((row) => row.index === index)?.extent ?? "unknown";
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

/** Index of the first argument of bpf_trace_printk that is printed. */
const FIRST_PRINTED = 2;
