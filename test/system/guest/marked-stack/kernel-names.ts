import { Btf } from "../../../../src/bpf/btf/btf.js";
import { elfSection } from "../../../../src/cli/kernel/image/elf-section.js";
import { openKernel } from "../../../../src/cli/kernel/kernel-file.js";
import { MAX_MODULE_BTF } from "../../../../src/cli/kernel/modules/module-btf.js";
import { MemorySource } from "../../../../src/cli/kernel/source/byte-source.js";
import type { Kernel } from "../kernel.js";

/** What a kernel's BTF says of the names in a program's text. */
export class KernelNames {
  readonly #modules = new Map<string, Btf | null>();

  private constructor(
    readonly kernel: Kernel,
    readonly vmlinux: Btf,
  ) {}

  static async of(kernel: Kernel): Promise<KernelNames> {
    const { btf } = await openKernel(kernel.image);
    return new KernelNames(kernel, new Btf(btf));
  }

  /** The id of a function, in vmlinux or a module; 0 if it has none. */
  functionId(name: string, module: string | null = null): number {
    return (module === null ? this.vmlinux : this.#moduleBtf(module))?.find("func", name) ?? 0;
  }

  /** The text with numbers for `offset(struct.member)` and `type(int)`, or what this kernel lacks. */
  resolve(text: string): { readonly text: string } | { readonly lacks: string } {
    let lacks: string | null = null;
    const number = (what: string, found: number) => {
      if (found < 0) lacks = `the kernel has no ${what}`;
      return String(found);
    };
    const resolved = text
      .replaceAll(/offset\((\w+)\.(\w+)\)/g, (_, struct: string, member: string) =>
        number(`${struct}.${member}`, this.#offset(this.vmlinux.find("struct", struct), member)),
      )
      .replaceAll(/type\((\w+)\)/g, (_, name: string) => number(name, this.vmlinux.find("int", name) || -1));
    return lacks === null ? { text: resolved } : { lacks };
  }

  /** In bytes; -1 if there is no such member. Members of anonymous structs and unions count. */
  #offset(struct: number, member: string): number {
    for (const { name, type, bit } of this.vmlinux.members(struct)) {
      if (name === member) return bit / 8;
      const within = name === "" ? this.#offset(this.vmlinux.resolve(type), member) : -1;
      if (within >= 0) return bit / 8 + within;
    }
    return -1;
  }

  #moduleBtf(name: string): Btf | null {
    let known = this.#modules.get(name);
    if (known === undefined) {
      known = this.kernel.has(name) ? this.#read(name) : null;
      this.#modules.set(name, known);
    }
    return known;
  }

  #read(name: string): Btf | null {
    const file = new MemorySource(name, this.kernel.module(name));
    const btf = elfSection(file, ".BTF", MAX_MODULE_BTF);
    return btf && new Btf(btf, name, this.vmlinux);
  }
}
