import { release, version } from "node:os";
import { gunzipSync } from "node:zlib";
import { Btf } from "../../bpf/btf/btf.js";
import { cpuCount, type KernelConfiguration, kernelVersion, parseKernelConfig } from "../../bpf/recognition.js";
import { Kallsyms, Kernel, type KernelModule } from "../../bpf/relocate.js";
import { btfById } from "../../sys/btf.js";
import { KernelBtfs } from "./kernel-btfs.js";

/** Files of the running kernel; null for one that cannot be read. */
export interface KernelFiles {
  /** Its BTF. */
  vmlinux(): Uint8Array | null;
  /** /proc/kallsyms. */
  kallsyms(): Uint8Array | null;
  /** Its configuration, compressed or not. */
  config(): Uint8Array | null;
  /** /proc/version_signature, which Ubuntu's kernels have. */
  versionSignature(): string | null;
  /** /sys/devices/system/cpu/possible. */
  possibleCpus(): string | null;
}

/** No file of a kernel can be read. */
export const NO_FILES: KernelFiles = {
  vmlinux: () => null,
  kallsyms: () => null,
  config: () => null,
  versionSignature: () => null,
  possibleCpus: () => null,
};

/**
 * The running kernel, for which programs are relocated. Everything is read when it is first needed, and once: the BTF
 * of vmlinux has several megabytes, and reading it takes 20 ms.
 */
export class LiveKernel {
  #vmlinux: Btf | null | undefined;
  #kernel: Kernel | null | undefined;
  #configuration: KernelConfiguration | null | undefined;
  /** Undefined until it is first needed. */
  #btfs: KernelBtfs | undefined;
  /** Incremented when the kernel has other BTF objects than before. */
  #generation = 0;
  readonly #modules = new Map<number, KernelModule | null>();

  /** Undefined as long as no program refers to a symbol by its address: /proc/kallsyms has more than 10 MB. */
  #kallsyms: Kallsyms | null | undefined;

  constructor(private readonly files: KernelFiles) {}

  /** Null if it cannot be read: names are unknown then, so that effects are set rather than missed. */
  get vmlinux(): Btf | null {
    if (this.#vmlinux === undefined) {
      const bytes = this.files.vmlinux();
      this.#vmlinux = bytes === null ? null : readBtf(bytes, "the kernel's BTF", null);
    }
    return this.#vmlinux;
  }

  /**
   * The kernel with the modules that it had at {@link list}, or at the last {@link refresh}. Null if its BTF cannot be
   * read.
   */
  kernel(needsAddresses: boolean): Kernel | null {
    const hasAddresses = this.#kallsyms !== undefined;
    if (needsAddresses && !hasAddresses) {
      const bytes = this.files.kallsyms();
      this.#kallsyms = bytes === null ? null : new Kallsyms(bytes);
    }
    if (this.#kernel !== undefined && (hasAddresses || !needsAddresses)) return this.#kernel;
    this.#kernel = this.#withModules();
    return this.#kernel;
  }

  /** The number of times that the kernel was found to have other modules. What was relocated before is out of date. */
  get generation(): number {
    return this.#generation;
  }

  /** Looks whether modules were loaded or unloaded since the list of BTF objects was made. */
  refresh(): void {
    if (this.#btfs === undefined || !this.#btfs.refresh()) return;
    this.#generation += 1;
    this.#kernel = undefined;
    this.#kallsyms = undefined; // symbols of modules are at other addresses
  }

  /** Lists the BTF objects of the kernel, which takes time if tasks have loaded many. */
  list(): KernelBtfs {
    if (this.#btfs === undefined) {
      this.#btfs = new KernelBtfs();
      this.#btfs.refresh();
    }
    return this.#btfs;
  }

  /** Whether this BTF object is that of the kernel or of a module for which programs are relocated from now on. */
  has(btfId: number): boolean {
    if (this.list().has(btfId)) return true;
    this.refresh();
    return this.list().has(btfId);
  }

  /** Null if the kernel's BTF cannot be read. */
  get configuration(): KernelConfiguration | null {
    if (this.#configuration === undefined) this.#configuration = this.#readConfiguration();
    return this.#configuration;
  }

  /** For people: the name of a type; null if it is not known. */
  typeName(object: string, id: number): string | null {
    const btf = object === "vmlinux" ? this.vmlinux : this.#kernel?.modules.find(({ name }) => name === object)?.btf;
    return btf == null || id >= btf.count ? null : btf.name(id) || null;
  }

  #withModules(): Kernel | null {
    const { vmlinux } = this;
    if (vmlinux === null) return null;
    const { listed } = this.list();
    const modules = listed.flatMap(({ id, name }) => {
      if (name === "vmlinux") return [];
      const known = this.#modules.get(id);
      const found = known === undefined ? moduleOf(id, name, vmlinux) : known;
      this.#modules.set(id, found);
      return found === null ? [] : [found];
    });
    for (const id of this.#modules.keys()) if (!this.list().has(id)) this.#modules.delete(id);
    return new Kernel(vmlinux, modules, this.#kallsyms ?? null);
  }

  #readConfiguration(): KernelConfiguration | null {
    const { vmlinux } = this;
    if (vmlinux === null) return null;
    return {
      version: kernelVersion(release(), version(), this.files.versionSignature()),
      options: this.#readOptions(),
      hasFunction: (name) => vmlinux.find("func", name) !== 0,
      possibleCpus: cpuCount(this.files.possibleCpus() ?? ""),
    };
  }

  #readOptions(): KernelConfiguration["options"] {
    const bytes = this.files.config();
    if (bytes === null) return null;
    try {
      const text = Buffer.from(bytes[0] === GZIP[0] && bytes[1] === GZIP[1] ? gunzipSync(bytes, LIMIT) : bytes);
      return parseKernelConfig(text.toString("latin1"));
    } catch {
      return null;
    }
  }
}

const GZIP = [0x1f, 0x8b] as const;
const LIMIT = { maxOutputLength: 16 * 2 ** 20 } as const;

function moduleOf(id: number, name: string, vmlinux: Btf): KernelModule | null {
  const bytes = btfById(id);
  const btf = bytes === null ? null : readBtf(bytes, `BTF of module ${name}`, vmlinux);
  return btf === null ? null : { name, btf };
}

/** Null if it cannot be used. */
function readBtf(bytes: Uint8Array, place: string, base: Btf | null): Btf | null {
  try {
    return new Btf(bytes, place, base);
  } catch {
    return null;
  }
}
