/** What a kernel module (ELF64, little-endian, relocatable) says of its parameters. */

/** A struct kernel_param of section __param (include/linux/moduleparam.h). */
export interface ModuleParameter {
  readonly name: string;
  /** As MODULE_PARM_DESC says; empty without one. */
  readonly description: string;
  /** As in .modinfo, such as `int`; empty for parameters with a setter of their own. */
  readonly type: string;
  /** KERNEL_PARAM_FL_HWPARAM: it names an address, a port or the like, and the kernel asks hook locked_down. */
  readonly isHardware: boolean;
}

interface Section {
  readonly name: number;
  readonly type: number;
  readonly at: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

const RELA = 4;
const SYMTAB = 2;
/** Of struct kernel_param on 64-bit machines, in bytes. */
const PARAMETER = { size: 40, flags: 27 };
const HWPARAM = 2;

export class KernelModule {
  readonly #bytes: Buffer;
  readonly #sections: readonly Section[];
  readonly #text: string;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#text = this.#bytes.toString("latin1");
    const headers = Number(this.#bytes.readBigUInt64LE(40));
    this.#sections = Array.from({ length: this.#bytes.readUInt16LE(60) }, (_, index) => {
      const at = headers + 64 * index;
      const long = (offset: number) => Number(this.#bytes.readBigUInt64LE(at + offset));
      const word = (offset: number) => this.#bytes.readUInt32LE(at + offset);
      return { name: word(0), type: word(4), at: long(24), size: long(32), link: word(40), info: word(44) };
    });
  }

  /** Names of symbols that other modules or the kernel define. */
  imports(): readonly string[] {
    const table = this.#sections.find(({ type }) => type === SYMTAB)!;
    const undefinedSymbols = this.#entries(table, 24).filter((at) => this.#bytes.readUInt16LE(at + 6) === 0);
    return undefinedSymbols.map((at) => this.#nameAt(table, at));
  }

  parameters(): readonly ModuleParameter[] {
    const index = this.#sections.findIndex((section) => this.#nameOf(section) === "__param");
    const table = this.#sections.find(({ type, info }) => type === RELA && info === index);
    if (index === -1 || table === undefined) return [];
    const symbols = this.#sections[table.link]!;
    return this.#entries(table, 24).flatMap((at) => {
      const offset = Number(this.#bytes.readBigUInt64LE(at));
      // the name is the first member
      if (offset % PARAMETER.size !== 0) return [];
      const symbol = symbols.at + 24 * this.#bytes.readUInt32LE(at + 12);
      const name = this.#nameAt(symbols, symbol).replace(/^__param_str_/, "") || this.#textAt(symbol, at);
      const flags = this.#bytes[this.#sections[index]!.at + offset + PARAMETER.flags]!;
      const isHardware = (flags & HWPARAM) !== 0;
      return [{ name, description: this.#info("parm", name), type: this.#info("parmtype", name), isHardware }];
    });
  }

  #nameOf({ name }: Section): string {
    return this.#string(this.#sections[this.#bytes.readUInt16LE(62)]!.at + name);
  }

  #nameAt(symbols: Section, at: number): string {
    return this.#string(this.#sections[symbols.link]!.at + this.#bytes.readUInt32LE(at));
  }

  /** A text that a relocation names by its section and an offset. */
  #textAt(symbol: number, relocation: number): string {
    const section = this.#sections[this.#bytes.readUInt16LE(symbol + 6)]!;
    const value = Number(this.#bytes.readBigUInt64LE(symbol + 8));
    return this.#string(section.at + value + Number(this.#bytes.readBigInt64LE(relocation + 16)));
  }

  #info(key: "parm" | "parmtype", parameter: string): string {
    const start = `\0${key}=${parameter}:`;
    const at = this.#text.indexOf(start);
    return at === -1 ? "" : this.#string(at + start.length);
  }

  #string(at: number): string {
    return this.#text.slice(at, this.#text.indexOf("\0", at));
  }

  /** Offsets of the elements of a section. */
  #entries({ at, size }: Section, each: number): readonly number[] {
    return Array.from({ length: Math.floor(size / each) }, (_, index) => at + each * index);
  }
}
