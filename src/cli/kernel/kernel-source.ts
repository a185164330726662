import { createHash } from "node:crypto";
import { sha256 } from "../../bpf/insn/digest.js";
import type { CacheFolder, CacheKey } from "../../cache-folder.js";
import { CountersignError } from "../../error.js";
import { isPacked, type KernelFile, openKernel } from "./kernel-file.js";
import type { ModuleBtf, ModuleRequest } from "./modules/module-btf.js";
import { modulesOfPackage, packagesWithModules } from "./package/packaged-modules.js";
import { FileSource, piecesOf } from "./source/byte-source.js";

/** What is known about a kernel without reading it. */
interface KnownKernel {
  /** SHA-256 of its BTF. */
  readonly btf: string;
  readonly release: string | null;
  readonly isPackage: boolean;
}

/**
 * A kernel's file, of which no more is read than is asked for. With a cache, a kernel that was unpacked before is known
 * by the digest of its file, because unpacking takes long: up to 15 s for a package with its modules.
 */
export class KernelSource {
  #file: KernelFile | null;

  /** Throws the errors of openKernel. */
  static async open(path: string, cache: CacheFolder | null): Promise<KernelSource> {
    const packed = cache !== null && isPacked(path) ? digestOfFile(path) : null;
    if (packed !== null) {
      const known = cache!.read<KnownKernel>(keyOf(packed));
      if (known !== null) return new KernelSource(path, packed, known, null, true);
    }
    const file = await openKernel(path);
    const { release, isPackage } = file;
    const btf = sha256(file.btf);
    const isKnown = packed === null && cache !== null && cache.read(keyOf(btf)) !== null;
    return new KernelSource(path, packed ?? btf, { btf, release, isPackage }, file, isKnown);
  }

  private constructor(
    readonly path: string,
    /** SHA-256 of the file if it is packed, and otherwise of its BTF. */
    private readonly digest: string,
    private readonly known: KnownKernel,
    file: KernelFile | null,
    /** Whether its BTF was read before by the same code, so that it is well formed. */
    readonly isKnown: boolean,
  ) {
    this.#file = file;
  }

  /** SHA-256 of its BTF. */
  get btfDigest(): string {
    return this.known.btf;
  }

  get release(): string | null {
    return this.known.release;
  }

  /** Whether its modules are known: an image alone does not have them. */
  get hasModules(): boolean {
    return this.known.isPackage || (this.#file !== null && this.#file.readModules !== null);
  }

  /** Makes it known to later runs. To be called when its BTF was found to be well formed. */
  remember(cache: CacheFolder): void {
    const { btf, release, isPackage } = this.known;
    cache.add(keyOf(this.digest), { btf, release, isPackage } satisfies KnownKernel);
  }

  /** Throws the errors of openKernel. */
  async btf(): Promise<Uint8Array> {
    if (this.#file !== null) return this.#file.btf;
    const file = await openKernel(this.path);
    if (sha256(file.btf) !== this.btfDigest)
      throw new CountersignError("FILE_UNREADABLE", "was replaced while it was read", {
        place: this.path,
        remedy: "run the command again",
      });
    this.#file = file;
    return file.btf;
  }

  /** Throws the errors of openKernel. */
  async modules(request: ModuleRequest): Promise<readonly ModuleBtf[]> {
    if (this.known.isPackage) return modulesOfPackage(this.path, this.release!, request);
    return (await this.#file?.readModules?.(request)) ?? [];
  }

  /** The digests of the packages that its modules are in; null if they are not in packages. */
  modulePackages(): readonly string[] | null {
    return this.known.isPackage ? packagesWithModules(this.path, this.release!).map(digestOfFile) : null;
  }
}

function keyOf(digest: string): CacheKey {
  return { kind: "kernel", of: [digest] };
}

function digestOfFile(path: string): string {
  const file = new FileSource(path);
  try {
    const digest = createHash("sha256");
    for (const piece of piecesOf(file)) digest.update(piece);
    return digest.digest("hex");
  } finally {
    file.close();
  }
}
