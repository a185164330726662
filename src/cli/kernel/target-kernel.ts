import type { Btf } from "../../bpf/btf/btf.js";
import type { Variant } from "../../bpf/core/variant.js";
import { sha256 } from "../../bpf/insn/digest.js";
import { BpfObject, type LinkedProgram, linkedPrograms } from "../../bpf/object.js";
import { Kallsyms, Kernel } from "../../bpf/relocate.js";
import { Relocations } from "../../bpf/relocations.js";
import { type ResolvedProgram, resolvePrograms } from "../../bpf/resolved-object.js";
import type { CacheFolder } from "../../cache-folder.js";
import { readInput } from "../../input.js";
import { kernelBtf } from "./kernel-btf.js";
import { KernelSource } from "./kernel-source.js";
import { RelocationCache } from "./relocation-cache.js";
import { type ModuleChoices, TargetModules } from "./target-modules.js";
import { Unread } from "./unread.js";

export interface KernelChoices extends ModuleChoices {
  /** A copy of /proc/kallsyms. */
  readonly kallsyms?: string | undefined;
  /** Results of earlier runs. */
  readonly cache?: CacheFolder | null;
}

/**
 * A kernel that programs are resolved for. Its BTF is read for the first program whose result is not in the cache, and
 * its modules for the first program that needs a module.
 */
export class TargetKernel {
  readonly #modules: TargetModules;
  readonly #known: RelocationCache | null;
  #kernel: Kernel | undefined;

  /** Throws the errors of openKernel and kernelBtf. */
  static async open(path: string, choices: KernelChoices): Promise<TargetKernel> {
    const { kallsyms, cache = null } = choices;
    const symbols = kallsyms === undefined ? null : readInput(kallsyms);
    const source = await KernelSource.open(path, cache);
    const kernel = new TargetKernel(source, symbols, cache, choices);
    if (source.isKnown) return kernel;
    await kernel.#readVmlinux();
    if (cache !== null) source.remember(cache);
    return kernel;
  }

  private constructor(
    private readonly source: KernelSource,
    private readonly kallsyms: Uint8Array | null,
    cache: CacheFolder | null,
    choices: ModuleChoices,
  ) {
    this.#modules = new TargetModules(source, cache, choices);
    let symbols: string | null = null;
    const digests = {
      vmlinux: source.btfDigest,
      modules: () => this.#modules.digest(),
      kallsyms: () => {
        if (kallsyms !== null) symbols ??= sha256(kallsyms);
        return symbols;
      },
    };
    this.#known = cache === null ? null : new RelocationCache(cache, digests);
  }

  /** As the user named it. */
  get path(): string {
    return this.source.path;
  }

  /** Its release if it is known, or else its file as the user named it. */
  get name(): string {
    return this.release ?? this.path;
  }

  get release(): string | null {
    return this.source.release;
  }

  /** SHA-256 of its BTF, which is /sys/kernel/btf/vmlinux when it runs, in lower-case hex. */
  get btfSha256(): string {
    return this.source.btfDigest;
  }

  /** Whether its modules are known: an image alone does not have them. */
  get hasModules(): boolean {
    return this.source.hasModules;
  }

  /** The form of --json. */
  toJSON(): { file: string; release: string | null; modules: boolean } {
    return { file: this.path, release: this.release, modules: this.hasModules };
  }

  /**
   * Calls a function that may use {@link resolve}, {@link relocations}, {@link kernel} and {@link vmlinux}. If one of
   * these needs a part of the kernel that was not read yet, the call is abandoned, the part is read, and the function
   * is called again from its beginning, so it may run several times. Throws what the function throws, and the errors of
   * reading the kernel.
   */
  async use<Result>(call: () => Result | Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof Unread)) throw error;
        await this.#read(error.what);
      }
    }
  }

  get kernel(): Kernel {
    if (this.#kernel === undefined) throw new Unread("vmlinux");
    return this.#kernel;
  }

  get vmlinux(): Btf {
    return this.kernel.vmlinux;
  }

  /** Resolves the programs of an object, whose bytes may change afterwards. Throws the errors of BpfObject. */
  resolve(bytes: Uint8Array, variant: Variant): readonly ResolvedProgram[] {
    const known = this.#known?.find(sha256(bytes), variant) ?? null;
    if (known !== null) return known;
    const object = new BpfObject(bytes.slice());
    return this.#resolve(object, linkedPrograms(object), variant);
  }

  /** Has facts about programs computed from their instructions on this kernel. */
  relocations(variant: Variant): Relocations {
    return new Relocations((object, programs) => {
      return this.#known?.find(object.sha256, variant) ?? this.#resolve(object, programs, variant);
    });
  }

  #resolve(object: BpfObject, programs: readonly LinkedProgram[], variant: Variant): readonly ResolvedProgram[] {
    const resolved = resolvePrograms(object, programs, this.kernel, variant);
    this.#known?.add(object.sha256, variant, resolved);
    return resolved.programs;
  }

  async #read(what: Unread["what"]): Promise<void> {
    if (what === "vmlinux") await this.#readVmlinux();
    else if (what === "modules") await this.#modules.read();
    else await this.#modules.readTypes(this.vmlinux);
  }

  async #readVmlinux(): Promise<void> {
    const vmlinux = kernelBtf(await this.source.btf(), this.path);
    const { kallsyms } = this;
    const symbols = kallsyms === null ? null : new Kallsyms(kallsyms);
    this.#kernel = new Kernel(vmlinux, () => this.#modules.types, symbols);
  }
}
