import type { Variant } from "../../bpf/core/variant.js";
import { isEmbedded, objectsOfFile } from "../../bpf/embedded.js";
import { sha256 } from "../../bpf/insn/digest.js";
import type { ResolvedProgram } from "../../bpf/resolved-object.js";
import { CountersignError } from "../../error.js";
import { InputBuffer } from "../../input.js";
import type { TargetKernel } from "./target-kernel.js";

/** An object in a file, with its programs as they are on one kernel. */
export interface ResolvedObject {
  /** Offset in bytes in the file; null if the file is the object. */
  readonly offset: number | null;
  readonly sha256: string;
  readonly programs: readonly ResolvedProgram[];
}

/**
 * Resolves the programs of a BPF object, or of the objects that an executable embeds. Errors of programs are results.
 * Throws FILE_UNREADABLE, the errors of BpfObject, and those of reading the kernel's modules.
 */
export async function resolveFile(
  file: string,
  kernel: TargetKernel,
  variant: Variant,
): Promise<readonly ResolvedObject[]> {
  const bytes = INPUT.read(file);
  try {
    const objects = objectsOfFile(bytes);
    if (objects.length === 0)
      throw new CountersignError("ELF_NO_PROGRAMS", "there is no BPF object in it", {
        remedy: "name a BPF object, or an executable that embeds one",
      });
    const embedded = isEmbedded(objects);
    const resolved: ResolvedObject[] = [];
    for (const { offset, bytes: object } of objects) {
      const programs = await kernel.use(() => placed(offset, () => kernel.resolve(object, variant)));
      resolved.push({ offset: embedded ? offset : null, sha256: sha256(object), programs });
    }
    return resolved;
  } catch (error) {
    throw error instanceof CountersignError && error.place?.startsWith(kernel.path) !== true
      ? error.within(file)
      : error;
  }
}

/** Executables that embed objects are large, and only their objects are needed. */
const INPUT = new InputBuffer();

function placed<Result>(offset: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof CountersignError && offset > 0 ? error.within(`object at offset ${offset}`) : error;
  }
}
