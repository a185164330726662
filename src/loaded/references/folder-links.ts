import { openFile } from "../../sys/file.js";
import { addressOf, syscall } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";

/** PATH_MAX of linux/limits.h: no target is longer. */
const LONGEST = 4096;

/** struct linux_dirent64 of getdents64(2): d_ino u64 0 · d_off s64 8 · d_reclen u16 16 · d_type u8 18 · d_name 19. */
const [LENGTH, NAME] = [16, 19];
const entries = placed(32 * 1024);
let found = placed(128 * 1024);
const DOT = 0x2e;

/**
 * The names of the symbolic links in a folder with their targets, each with a NUL at its end; or a negative errno. A
 * link that goes meanwhile is left out, as is one whose name begins with a dot. Names and targets stay outside of
 * JavaScript's heap: a machine has many descriptors.
 */
export function linksIn(path: string): Uint8Array | number {
  const folder = openFile(path);
  if (folder < 0) return folder;
  const result = readAll(folder);
  syscall(NR.close, folder);
  return result < 0 ? result : Buffer.from(found.memory.subarray(0, result));
}

/** Writes to `found`, and returns the number of bytes or a negative errno. */
function readAll(folder: number): number {
  const { memory, address } = entries;
  let length = 0;
  for (;;) {
    const count = syscall(NR.getdents64, folder, address, memory.length);
    if (count <= 0) return count < 0 ? count : length;
    for (let at = 0; at < count; at += memory.readUInt16LE(at + LENGTH))
      if (memory[at + NAME] !== DOT) length = withLink(folder, at + NAME, length);
  }
}

/** Adds the link with the name at `name`; returns where the next one is written. */
function withLink(folder: number, name: number, to: number): number {
  const end = entries.memory.indexOf(0, name) + 1;
  const target = to + end - name;
  if (target + LONGEST >= found.memory.length) grow();
  const length = syscall(NR.readlinkat, folder, entries.address + name, found.address + target, LONGEST);
  if (length < 0) return to;
  entries.memory.copy(found.memory, to, name, end);
  found.memory[target + length] = 0;
  return target + length + 1;
}

function grow(): void {
  const larger = placed(2 * found.memory.length);
  found.memory.copy(larger.memory);
  found = larger;
}

/** Memory that stays where it is. */
function placed(size: number): { readonly memory: Buffer; readonly address: number } {
  const memory = Buffer.alloc(size);
  return { memory, address: addressOf(memory) };
}
