import { Btf } from "../../bpf/btf/btf.js";
import { sha256 } from "../../bpf/insn/digest.js";
import type { KernelModule } from "../../bpf/relocate.js";
import type { CacheFolder, CacheKey } from "../../cache-folder.js";
import type { KernelSource } from "./kernel-source.js";
import type { ModuleBtf } from "./modules/module-btf.js";
import { Unread } from "./unread.js";

/** Called when modules are read, which can take seconds: for each by its name, and at the end. */
export interface ModuleProgress {
  step(name: string): void;
  stop(): void;
}

export interface ModuleChoices {
  /** The modules that count as loaded; by default all. */
  readonly modules?: ReadonlySet<string> | undefined;
  progress(kernel: string): Promise<ModuleProgress>;
}

/** The modules of a kernel, which are read when they are first needed. */
export class TargetModules {
  #read: readonly ModuleBtf[] | undefined;
  #types: readonly KernelModule[] | undefined;
  /** Undefined until it is first needed. */
  #digest: string | undefined;
  #key: CacheKey | null | undefined;

  constructor(
    private readonly source: KernelSource,
    private readonly cache: CacheFolder | null,
    private readonly choices: ModuleChoices,
  ) {
    if (!source.hasModules) [this.#read, this.#types] = [[], []];
  }

  /** Throws Unread. */
  get types(): readonly KernelModule[] {
    if (this.#types === undefined) throw new Unread("types of modules");
    return this.#types;
  }

  /**
   * SHA-256 of their names and BTF. Null if they have to be unpacked first: after that it is known by the digests of
   * the packages that they are in. Throws Unread.
   */
  digest(): string | null {
    if (this.#digest !== undefined) return this.#digest;
    if (this.#read === undefined) {
      if (this.#packageKey === null) throw new Unread("modules");
      const known = this.cache?.read<string>(this.#packageKey) ?? null;
      if (known !== null) this.#digest = known;
      return known;
    }
    this.#digest = sha256(Buffer.from(JSON.stringify(this.#read.map(({ name, btf }) => [name, sha256(btf)]))));
    if (this.#packageKey !== null) this.cache?.add(this.#packageKey, this.#digest);
    return this.#digest;
  }

  /** Throws the errors of reading packages and folders. */
  async read(): Promise<void> {
    if (this.#read !== undefined) return;
    const { modules: wanted, progress: begin } = this.choices;
    const { release, path } = this.source;
    const progress = await begin(release ?? path);
    try {
      const wants = (name: string) => wanted?.has(name) ?? true;
      this.#read = await this.source.modules({ wants, step: (name) => progress.step(name) });
    } finally {
      progress.stop();
    }
  }

  /** Throws BTF_MALFORMED, and what {@link read} throws. */
  async readTypes(vmlinux: Btf): Promise<void> {
    await this.read();
    this.#types = this.#read!.map(({ name, btf }) => {
      return { name, btf: new Btf(btf, `${this.source.path}: module ${name}`, vmlinux) };
    });
  }

  /** Null if they are not in packages. */
  get #packageKey(): CacheKey | null {
    if (this.#key === undefined) {
      const packages = this.source.modulePackages();
      const { modules: wanted } = this.choices;
      const names = wanted === undefined ? "all" : JSON.stringify([...wanted].sort());
      this.#key = packages === null ? null : { kind: "modules", of: [names, ...packages] };
    }
    return this.#key;
  }
}
