import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Bytes } from "../../bpf/elf/bytes.js";
import { CountersignError } from "../../error.js";

/** Folders in which ld.so(8) looks without a cache: those of Debian and of distributions with /lib64. */
const FOLDERS = [
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/lib64",
  "/usr/lib64",
  "/lib",
  "/usr/lib",
] as const;

/** Numbers of elf(5). */
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT = { needed: 1, strtab: 5, rpath: 15, runpath: 29 } as const;

/**
 * Paths of all that ld.so(8) maps for a program: its interpreter, and the libraries that it and they need (DT_NEEDED),
 * each by the path at which it is looked up. Throws FILE_UNREADABLE for a missing library, ELF_… for a file that is no
 * program of this machine.
 */
export function sharedLibraries(program: string, folders: readonly string[] = FOLDERS): readonly string[] {
  const found = new Set<string>();
  const pending = [program];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    const { interpreter, needed, search } = linkingOf(file);
    if (interpreter !== null) found.add(interpreter);
    for (const name of needed) {
      const path = name.includes("/") ? name : pathOf(name, [...search, ...folders]);
      if (path === null)
        throw new CountersignError(
          "FILE_UNREADABLE",
          `needs the library \`${name}\`, which is in none of its folders`,
          {
            place: file,
            remedy: `install the library, or use a node that needs only libraries of ${folders[0]}`,
          },
        );
      if (path === interpreter || found.has(path)) continue;
      found.add(path);
      pending.push(path);
    }
  }
  return [...found].sort();
}

function pathOf(name: string, folders: readonly string[]): string | null {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** What a file says about dynamic linking. */
interface Linking {
  readonly interpreter: string | null;
  readonly needed: readonly string[];
  /** Folders of DT_RPATH and DT_RUNPATH. */
  readonly search: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function linkingOf(file: string): Linking {
  const bytes = new Bytes(readProgram(file), "little", "ELF_MALFORMED", file);
  if (bytes.length < 64 || bytes.u32(0) !== 0x464c457f || bytes.u16(18) !== EM_X86_64)
    throw new CountersignError("ELF_UNSUPPORTED", "is not an ELF file for x86-64", {
      place: file,
      remedy: "use a node for x86-64",
    });
  const [start, size, count] = [bytes.u64(32), bytes.u16(54), bytes.u16(56)];
  const segments = Array.from({ length: count }, (_, index): Segment => {
    const at = start + index * size;
    return { type: bytes.u32(at), offset: bytes.u64(at + 8), address: bytes.u64(at + 16), size: bytes.u64(at + 32) };
  });
  const interpreter = segments.find(({ type }) => type === PT_INTERP);
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  const tags = dynamic === undefined ? [] : tagsOf(bytes, dynamic);
  const table = tags.find(({ tag }) => tag === DT.strtab)?.value;
  const strings = table === undefined ? 0 : offsetOf(segments, table, bytes);
  const texts = (tag: number) => tags.filter((one) => one.tag === tag).map(({ value }) => bytes.text(strings + value));
  return {
    interpreter: interpreter === undefined ? null : bytes.text(interpreter.offset),
    needed: texts(DT.needed),
    search: [...texts(DT.rpath), ...texts(DT.runpath)]
      .flatMap((list) => list.split(":"))
      .map((folder) => folder.replace(/\$\{?ORIGIN\}?/, dirname(file))),
  };
}

function tagsOf(bytes: Bytes, { offset, size }: Segment): readonly { readonly tag: number; readonly value: number }[] {
  return Array.from({ length: Math.floor(size / 16) }, (_, index) => {
    const at = offset + index * 16;
    return { tag: bytes.u64(at), value: bytes.u64(at + 8) };
  });
}

/** The offset in the file of what is loaded at an address. */
function offsetOf(segments: readonly Segment[], address: number, bytes: Bytes): number {
  const segment = segments.find(
    (one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.size,
  );
  if (segment === undefined) throw bytes.error("its table of strings is in no segment");
  return segment.offset + address - segment.address;
}

function readProgram(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      place: file,
      remedy: "check that it is there",
      cause,
    });
  }
}
