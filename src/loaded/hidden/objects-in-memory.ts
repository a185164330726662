import type { ScannedKernel } from "../effects/scanned-kernel.js";
import { withKernelMemory } from "../memory/opened-memory.js";
import type { Reads } from "../reads/reads.js";
import { invalidArchive } from "../reads/saved-error.js";
import { textOf } from "../reads/values.js";
import { type MemoryObject, type MemoryObjects, memoryObjects, unread } from "./memory-objects.js";

const NAME = "@kernel/objects";

/** Reads the kernel's tables of ids. The symbols are asked for only if the kernel itself is asked. */
export function objectsInMemory(reads: Reads, kernel: ScannedKernel): MemoryObjects {
  const text = textOf(
    reads.bytes(NAME, () => Buffer.from(textOfObjects(fromMemory(kernel)))),
    "latin1",
  );
  return text === null ? unread("the archive does not have it") : savedObjects(text);
}

function fromMemory(kernel: ScannedKernel): MemoryObjects {
  const types = kernel.types.btf(kernel.types.vmlinux);
  const { symbols } = kernel;
  if (types === null || symbols === null) return unread("the kernel shows neither its types nor its symbols");
  return withKernelMemory((memory) => memoryObjects(memory, types, symbols), unread);
}

/** A line for each object, then one for the next id of each kind, or one with a hyphen and the reason. */
function textOfObjects({ objects, next, reason }: MemoryObjects): string {
  const lines = objects.map(({ kind, id, tag, name }) => `${kind} ${id} ${tag ?? "-"} ${name}\n`);
  const nexts = [...next].map(([kind, id]) => `next ${kind} ${id}\n`);
  return [...lines, ...nexts, ...(reason === null ? [] : [`- ${reason}\n`])].join("");
}

/** Throws SCAN_ARCHIVE_INVALID. */
function savedObjects(text: string): MemoryObjects {
  const objects: MemoryObject[] = [];
  const next = new Map<MemoryObject["kind"], number>();
  let reason: string | null = null;
  for (const line of text.split("\n").slice(0, -1)) {
    const [, kind, id, tag, name] = /^(program|map|link) (\d{1,10}) ([0-9a-f]{16}|-) ([!-~]*)$/.exec(line) ?? [];
    const [, of, number] = /^next (program|map|link) (\d{1,10})$/.exec(line) ?? [];
    if (name !== undefined) {
      const whose = { kind: kind as MemoryObject["kind"], tag: tag === "-" ? null : tag! };
      objects.push({ ...whose, id: Number(id), name });
    } else if (number !== undefined) next.set(of as MemoryObject["kind"], Number(number));
    else if (line.startsWith("- ")) reason = line.slice(2);
    else throw invalidArchive("is no list of objects", NAME);
  }
  return { objects, next, reason };
}
