import type { Raw, Reads } from "../reads/reads.js";
import { fileRead, textOf } from "../reads/values.js";
import { KernelTypes } from "../views/kernel-types.js";
import { Callees } from "./callees.js";
import { KernelSymbols } from "./kernel-symbols.js";

/** The types and the symbols of the kernel that is scanned, which all views have together: both are large. */
export class ScannedKernel {
  readonly types: KernelTypes;
  #text: Raw | undefined;
  #symbols: KernelSymbols | undefined;
  #callees: Callees | undefined;

  constructor(private readonly reads: Reads) {
    this.types = new KernelTypes(reads);
  }

  /** The text of /proc/kallsyms, read at the first question, or a negative errno. */
  get symbolText(): Raw {
    this.#text ??= fileRead(this.reads, "/proc/kallsyms");
    return this.#text;
  }

  /** Null if the kernel does not show them. */
  get symbols(): KernelSymbols | null {
    const text = this.symbolText;
    if (typeof text === "number") return null;
    this.#symbols ??= new KernelSymbols(text);
    return this.#symbols;
  }

  /** The functions that translated programs call: none is known if the kernel does not show its symbols. */
  get callees(): Callees {
    const machine = textOf(this.reads.bytes("@kernel/machine", () => Buffer.from(process.arch))) ?? "";
    this.#callees ??= new Callees(this.symbols ?? new KernelSymbols(new Uint8Array()), machine);
    return this.#callees;
  }
}
