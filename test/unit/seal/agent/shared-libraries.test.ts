import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sharedLibraries } from "../../../../src/seal/agent/shared-libraries.js";

interface Linked {
  readonly needed?: readonly string[];
  readonly runpath?: string;
  readonly interpreter?: string;
}

const HEADER = 64;
const SEGMENT = 56;

/** An ELF file for x86-64 with nothing but what ld.so(8) reads: PT_LOAD at address 0x1000, PT_INTERP, PT_DYNAMIC. */
function elf({ needed = [], runpath, interpreter }: Linked): Buffer {
  let strings = "\0";
  const text = (value: string) => {
    const at = strings.length;
    strings += `${value}\0`;
    return at;
  };
  const start = HEADER + 3 * SEGMENT;
  const tags = [...needed.map((name) => [1, text(name)]), ...(runpath === undefined ? [] : [[29, text(runpath)]])] as [
    number,
    number,
  ][];
  const interp = interpreter === undefined ? 0 : text(interpreter);
  const dynamic = start + Buffer.byteLength(strings);
  tags.push([5, 0x1000 + start], [0, 0]);
  const bytes = Buffer.alloc(dynamic + 16 * tags.length);
  bytes.writeUInt32LE(0x464c457f, 0);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(BigInt(HEADER), 32);
  bytes.writeUInt16LE(SEGMENT, 54);
  bytes.writeUInt16LE(3, 56);
  const segment = (index: number, type: number, offset: number, size: number) => {
    const at = HEADER + index * SEGMENT;
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 8);
    bytes.writeBigUInt64LE(BigInt(0x1000 + offset), at + 16);
    bytes.writeBigUInt64LE(BigInt(size), at + 32);
  };
  segment(0, 1, 0, bytes.length);
  segment(1, interpreter === undefined ? 0 : 3, start + interp, (interpreter?.length ?? 0) + 1);
  segment(2, 2, dynamic, 16 * tags.length);
  bytes.write(strings, start);
  for (const [index, [tag, value]] of tags.entries()) {
    bytes.writeBigUInt64LE(BigInt(tag), dynamic + 16 * index);
    bytes.writeBigUInt64LE(BigInt(value), dynamic + 16 * index + 8);
  }
  return bytes;
}

describe("the shared libraries of a program", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "libraries-"));
    mkdirSync(join(folder, "own"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const at = (name: string) => join(folder, name);
  const put = (name: string, linked: Linked) => writeFileSync(at(name), elf(linked));

  it("are its interpreter, what it needs, and what these need, each once", () => {
    put("program", { needed: ["a.so", "b.so"], interpreter: at("ld.so") });
    put("a.so", { needed: ["b.so", "c.so"] });
    put("b.so", { needed: ["a.so"] });
    put("c.so", {});
    expect(sharedLibraries(at("program"), [folder])).toEqual([at("a.so"), at("b.so"), at("c.so"), at("ld.so")]);
  });

  it("are looked up in the folders of the file first", () => {
    put("program", { needed: ["a.so"], runpath: "$ORIGIN/own:/nowhere" });
    put("own/a.so", {});
    put("a.so", {});
    expect(sharedLibraries(at("program"), [folder])).toEqual([at("own/a.so")]);
  });

  it("must all be there", () => {
    put("program", { needed: ["a.so"] });
    put("a.so", { needed: ["missing.so"] });
    expect(() => sharedLibraries(at("program"), [folder])).toThrow(
      expect.objectContaining({
        code: "FILE_UNREADABLE",
        place: at("a.so"),
        message: expect.stringContaining("`missing.so`"),
        remedy: expect.any(String),
      }),
    );
  });

  it.each([
    ["a script", Buffer.from("#!/bin/sh\n"), "ELF_UNSUPPORTED"],
    ["an empty file", Buffer.alloc(0), "ELF_UNSUPPORTED"],
    ["a file that ends in its segments", elf({ needed: ["a.so"] }).subarray(0, HEADER + 20), "ELF_MALFORMED"],
    [
      "a file that ends in its strings",
      elf({ needed: ["a.so"] }).subarray(0, HEADER + 3 * SEGMENT + 2),
      "ELF_MALFORMED",
    ],
  ])("are those of an ELF file: not of %s", (_, bytes, code) => {
    writeFileSync(at("program"), bytes);
    expect(() => sharedLibraries(at("program"), [folder])).toThrow(expect.objectContaining({ code }));
  });

  it("of this node are files that are there", { tags: ["deep"] }, (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    const found = sharedLibraries(process.execPath);
    for (const [index, path] of found.entries()) copyFileSync(path, at(`copy-${index}`));
    expect(found.some((path) => path.includes("libc.so"))).toBe(true);
  });
});
