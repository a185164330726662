/**
 * Object files of any size, each with much of one thing: what reading, linking and describing them must not take more
 * than in proportion to.
 */
import { btfOf, elfOf, symbolOf, type WrittenSection } from "../../src/bpf/assembly/elf-writer.js";

const GLOBAL_FUNCTION = 0x12;
const GLOBAL_OBJECT = 0x11;
const CODE = { type: 1, flags: 6 };

const insn = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const EXIT = insn("b7 00 0000 00000000 95 00 0000 00000000");

/** Words in little-endian order. */
function words(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

function codeOf(insns: number): Buffer {
  return Buffer.concat([Buffer.alloc(8 * (insns - 2), insn("b7 02 0000 01000000")), EXIT]);
}

/** Code in section 1 (`xdp`), strings in 2, symbols in 3, and what else is wanted from 4 on. */
function objectOf(
  code: Buffer,
  more: readonly WrittenSection[] = [],
  symbols: readonly Buffer[] = [],
  strings = "\0p\0",
): Buffer {
  const own = symbolOf(1, GLOBAL_FUNCTION, 1, 0, code.length);
  return elfOf(
    { name: "xdp", ...CODE, data: code },
    { name: ".strtab", type: 3, data: Buffer.from(strings, "latin1") },
    { name: ".symtab", type: 2, link: 2, data: Buffer.concat([Buffer.alloc(24), own, ...symbols]) },
    ...more,
  );
}

const repeated = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

/** A type of BTF: name, info (kind, vlen), size or type, and what follows. */
function type(name: number, kind: number, vlen: number, third: number, ...rest: readonly number[]): Buffer {
  return words(name, (kind << 24) | vlen, third, ...rest);
}
const KIND = { int: 1, ptr: 2, array: 3, struct: 4, enum: 6, func: 12, var: 14, datasec: 15, tag: 17 };

const btf = (types: readonly Buffer[], strings: string): WrittenSection => ({
  name: ".BTF",
  type: 1,
  data: btfOf(Buffer.concat(types), strings),
});

/**
 * `.BTF.ext` with records about section `xdp`, whose name is at offset 1 of the strings. `at`: of the kind's fields in
 * the header.
 */
function ext(at: 8 | 16 | 24, stride: number, records: readonly Buffer[]): WrittenSection {
  const header = Buffer.alloc(32);
  header.writeUInt16LE(0xeb9f, 0);
  header[2] = 1;
  header.writeUInt32LE(32, 4);
  const body = Buffer.concat([words(stride, 1, records.length), ...records]);
  header.writeUInt32LE(body.length, at + 4);
  return { name: ".BTF.ext", type: 1, data: Buffer.concat([header, body]) };
}

/** As large as a BTF type's list of members, enumerators or variables can be. */
const MOST_ROWS = 0xffff;

/** By what there is much of. `n` is how many. */
export const GROWING_OBJECTS: Readonly<Record<string, (n: number) => Buffer>> = {
  sections: (n) =>
    objectOf(
      codeOf(2),
      repeated(n, (at) => ({ name: `s${at}`, type: 1, data: new Uint8Array(1) })),
    ),
  "sections with relocations": (n) =>
    objectOf(
      codeOf(2),
      repeated(n, (at) => ({ name: `.rel${at}`, type: 9, link: 3, info: 4 + at, data: new Uint8Array(0) })),
    ),
  "programs in sections of their own": (n) =>
    elfOf(
      { name: ".strtab", type: 3, data: Buffer.from("\0p\0") },
      {
        name: ".symtab",
        type: 2,
        link: 1,
        data: Buffer.concat([
          Buffer.alloc(24),
          ...repeated(Math.min(n, 1000), (at) => symbolOf(1, GLOBAL_FUNCTION, 3 + at, 0, 16)),
        ]),
      },
      ...repeated(Math.min(n, 1000), () => ({ name: "xdp", ...CODE, data: EXIT })),
      ...repeated(Math.max(0, n - 1000), (at) => ({ name: `s${at}`, type: 1, data: new Uint8Array(1) })),
    ),
  symbols: (n) =>
    objectOf(
      codeOf(2),
      [],
      repeated(n, (at) => symbolOf(3 + 8 * at, GLOBAL_OBJECT, 1, 0, 8)),
      `\0p\0${repeated(n, (at) => `s${String(at).padStart(6, "0")}\0`).join("")}`,
    ),
  types: (n) =>
    objectOf(codeOf(2), [
      btf(
        repeated(n, () => type(1, KIND.ptr, 0, 0)),
        "\0xdp\0",
      ),
    ]),
  "line records": (n) =>
    objectOf(codeOf(n), [
      btf([type(1, KIND.int, 0, 4, 32)], "\0xdp\0a.c\0"),
      ext(
        16,
        16,
        repeated(n, (at) => words(8 * at, 5, 0, at << 10)),
      ),
    ]),
  "function records": (n) =>
    objectOf(codeOf(n), [
      btf([type(1, KIND.func, 0, 0)], "\0xdp\0"),
      ext(
        8,
        8,
        repeated(n, (at) => words(8 * at, 1)),
      ),
    ]),
  "CO-RE relocations of a struct with many members": (n) =>
    objectOf(codeOf(n), [
      btf(
        [
          type(1, KIND.int, 0, 4, 32),
          Buffer.concat([
            type(1, KIND.struct, Math.min(n, MOST_ROWS), 8),
            ...repeated(Math.min(n, MOST_ROWS), () => words(1, 1, 0)),
          ]),
        ],
        "\0xdp\x000:1\0",
      ),
      ext(
        24,
        16,
        repeated(n, (at) => words(8 * at, 2, 5, 0)),
      ),
    ]),
  "CO-RE relocations of one instruction": (n) =>
    elfOf(
      { name: "xdp", ...CODE, data: Buffer.concat(repeated(100, () => EXIT)) },
      { name: ".strtab", type: 3, data: Buffer.from("\0p\0") },
      {
        name: ".symtab",
        type: 2,
        link: 2,
        data: Buffer.concat([Buffer.alloc(24), ...repeated(100, (at) => symbolOf(1, GLOBAL_FUNCTION, 1, 16 * at, 16))]),
      },
      btf([type(1, KIND.int, 0, 4, 32)], "\0xdp\x000\0"),
      ext(
        24,
        16,
        repeated(n, () => words(0, 1, 5, 8)),
      ),
    ),
  "maps that share an enumeration with many names": (n) => {
    const count = Math.min(n, 4000);
    const names = repeated(count, (at) => `m${String(at).padStart(6, "0")}`);
    const strings = `\0xdp\0.maps\0type\0${names.join("\0")}\0`;
    const nameAt = (at: number) => 16 + 8 * at;
    return objectOf(
      codeOf(2),
      [
        { name: ".maps", type: 1, flags: 3, data: Buffer.alloc(8 * count) },
        btf(
          [
            Buffer.concat([
              type(0, KIND.enum, Math.min(n, MOST_ROWS), 4),
              ...repeated(Math.min(n, MOST_ROWS), (at) => words(1, at)),
            ]),
            Buffer.concat([type(0, KIND.struct, 1, 8), words(11, 1, 0)]),
            ...repeated(count, (at) => type(nameAt(at), KIND.var, 0, 2, 1)),
            Buffer.concat([
              type(5, KIND.datasec, count, 8 * count),
              ...repeated(count, (at) => words(3 + at, 8 * at, 8)),
            ]),
          ],
          strings,
        ),
      ],
      repeated(count, (at) => symbolOf(3 + 8 * at, GLOBAL_OBJECT, 4, 8 * at, 8)),
      `\0p\0${names.join("\0")}\0`,
    );
  },
};

/** Objects that describe more than they hold, by letting parts overlap: each is rejected, with this in its message. */
export const OVERLAPPING_OBJECTS: Readonly<Record<string, readonly [(n: number) => Buffer, message: string]>> = {
  "symbols' names": [
    (n) =>
      objectOf(
        codeOf(2),
        [],
        repeated(n, (at) => symbolOf(3 + at, GLOBAL_OBJECT, 1, 0, 8)),
        `\0p\0${"x".repeat(n)}\0`,
      ),
    "overlap",
  ],
  "names of sections in its BTF": [
    (n) =>
      objectOf(codeOf(2), [
        { name: ".data", type: 1, flags: 3, data: Buffer.alloc(8) },
        btf(
          repeated(Math.min(n, 4000), (at) => type(1 + at, KIND.datasec, 0, 0)),
          `\0${"x".repeat(20 * n)}\0`,
        ),
      ]),
    "overlap",
  ],
  "sections of data": [
    (n) => {
      const object = objectOf(
        codeOf(2),
        repeated(100, (at) => ({ name: `.rodata.${at}`, type: 1, flags: 2, data: Buffer.alloc(at === 0 ? n : 1) })),
      );
      // each of them is given the place and the size of the first
      const table = Number(object.readBigUInt64LE(40));
      for (let at = 0; at < 100; at++)
        object.copyWithin(table + 64 * (4 + at) + 24, table + 64 * 4 + 24, table + 64 * 4 + 40);
      return object;
    },
    "overlap",
  ],
  "sections of maps": [
    (n) =>
      objectOf(
        codeOf(2),
        repeated(n, () => ({ name: ".maps", type: 1, flags: 3, data: Buffer.alloc(8) })),
      ),
    "more than one section",
  ],
  "tables of functions for the kernel": [
    (n) =>
      objectOf(codeOf(2), [
        btf([type(1, KIND.int, 0, 4, 32)], "\0xdp\0"),
        ...repeated(n, () => ({ name: ".struct_ops", type: 1, flags: 3, data: Buffer.alloc(8) })),
      ]),
    "more than one section",
  ],
};
