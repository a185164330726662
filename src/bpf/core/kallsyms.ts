import { coreError } from "./core-error.js";

/** Addresses of a kernel's symbols in the form of /proc/kallsyms, of one boot. */
export class Kallsyms {
  readonly #text: Buffer;
  readonly #known = new Map<string, bigint | null>();

  constructor(text: Uint8Array) {
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.length);
  }

  /**
   * The address of a symbol; null if there is none. A symbol of data may have the suffix `.llvm.…` (kallsyms_cb of
   * libbpf). Throws CORE_AMBIGUOUS if there are several addresses.
   */
  address(name: string): bigint | null {
    let found = this.#known.get(name);
    if (found === undefined) {
      found = this.#find(name);
      this.#known.set(name, found);
    }
    return found;
  }

  #find(name: string): bigint | null {
    let found: bigint | null = null;
    const wanted = Buffer.from(` ${name}`);
    for (let at = this.#text.indexOf(wanted); at !== -1; at = this.#text.indexOf(wanted, at + 1)) {
      const start = this.#text.lastIndexOf(NEWLINE, at) + 1;
      const end = this.#text.indexOf(NEWLINE, at);
      const line = LINE.exec(this.#text.toString("latin1", start, end === -1 ? undefined : end).slice(0, MAX_LINE));
      if (line === null || nameOf(line[2]!, line[3]!) !== name) continue;
      const address = BigInt(`0x${line[1]}`);
      if (found !== null && found !== address)
        throw coreError(
          "CORE_AMBIGUOUS",
          `kernel symbol \`${name}\` has the addresses 0x${found.toString(16)} and 0x${line[1]}`,
          "refer to a symbol whose name is unique",
        );
      found = address;
    }
    return found;
  }
}

const NEWLINE = 0x0a;
const MAX_LINE = 1024;
/** Address, type, name; a module follows after a tab. */
const LINE = /^([0-9a-f]{1,16}) (\S) (\S+)/;
const LLVM = ".llvm.";

function nameOf(type: string, name: string): string {
  const suffix = type === "d" ? name.indexOf(LLVM) : -1;
  return suffix === -1 ? name : name.slice(0, suffix);
}
