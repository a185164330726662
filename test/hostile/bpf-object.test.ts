import "../support/work.js";
import { describe, expect, it } from "vitest";
import { embeddedObjects, factsOfFile } from "../../src/bpf/embedded.js";
import { BpfObject, factsOfObject } from "../../src/bpf/object.js";
import { CountersignError, type ErrorCode } from "../../src/error.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { sectionData, setHeader, setSection, setSymbol } from "../support/elf-patch.js";
import { example } from "../support/examples.js";
import { shareOf } from "../support/share.js";
import { growth, worked } from "../support/work.js";

const HUGE = 0xffff_ffff_ffff_ffffn;

/** What is wrong with the bytes, by name; `facts` where nothing is. Anything else that is thrown fails the test. */
function outcome(bytes: Uint8Array, read: (bytes: Uint8Array) => unknown = factsOfFile): ErrorCode | "facts" {
  try {
    read(bytes);
    return "facts";
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
    throw error;
  }
}

describe("an object that lies about itself", () => {
  const lies: readonly (readonly [string, ErrorCode, (file: Buffer) => Buffer])[] = [
    ["is for another machine", "ELF_UNSUPPORTED", (file) => setHeader(file, "machine", 62)],
    ["is not relocatable", "ELF_UNSUPPORTED", (file) => setHeader(file, "type", 2)],
    ["has its section headers past the end", "ELF_MALFORMED", (file) => setHeader(file, "shoff", file.length)],
    ["has its section headers at 2^64", "ELF_MALFORMED", (file) => setHeader(file, "shoff", HUGE)],
    ["has no section headers", "ELF_MALFORMED", (file) => setHeader(file, "shoff", 0)],
    ["has 65535 sections", "ELF_MALFORMED", (file) => setHeader(file, "shnum", 0xffff)],
    ["has section headers of another size", "ELF_MALFORMED", (file) => setHeader(file, "shentsize", 40)],
    ["has no section for names", "ELF_MALFORMED", (file) => setHeader(file, "shstrndx", 0xfff)],
    ["has a program of 2^64 bytes", "ELF_MALFORMED", (file) => setSection(file, "tc", "size", HUGE)],
    ["has a program past the end", "ELF_MALFORMED", (file) => setSection(file, "tc", "offset", file.length)],
    ["has symbols of half a size", "ELF_MALFORMED", (file) => setSection(file, ".symtab", "size", 100)],
    ["has symbols without names", "ELF_MALFORMED", (file) => setSection(file, ".symtab", "link", 0)],
    ["has a name past the names", "ELF_MALFORMED", (file) => setSymbol(file, "limit", "name", 0xffffff)],
    ["has a function past its section", "ELF_MALFORMED", (file) => setSymbol(file, "limit", "size", 1 << 20)],
    ["has a function of no size", "ELF_MALFORMED", (file) => setSymbol(file, "limit", "size", 0)],
    ["has half an instruction", "ELF_MALFORMED", (file) => setSymbol(file, "limit", "size", 12)],
    ["has a function between instructions", "ELF_MALFORMED", (file) => setSymbol(file, "limit", "value", 4)],
    ["has a static program", "ELF_UNSUPPORTED", (file) => setSymbol(file, "limit", "info", 2)],
    ["has a program within another", "ELF_UNSUPPORTED", (file) => setSymbol(file, "measure", "value", 8)],
    ["has a subprogram within another", "ELF_UNSUPPORTED", (file) => setSymbol(file, "take", "size", 232)],
    ["has two licences", "ELF_MALFORMED", (file) => twoOf(file, "license")],
    ["has its BTF twice", "ELF_MALFORMED", (file) => twoOf(file, ".BTF")],
    ["has instructions of no function", "ELF_UNSUPPORTED", (file) => hide(file, "limit", "measure")],
    ["has no programs", "ELF_NO_PROGRAMS", (file) => setSection(file, "tc", "flags", 2)],
    ["calls subprograms that are elsewhere", "ELF_UNSUPPORTED", (file) => setSymbol(file, "take", "section", 3)],
    ["calls the end of its subprograms", "ELF_MALFORMED", (file) => setSymbol(file, "take", "value", 1 << 16)],
    ["has relocations of half a size", "ELF_MALFORMED", (file) => setSection(file, ".reltc", "size", 20)],
    ["has relocations with addends", "ELF_UNSUPPORTED", (file) => setSection(file, ".reltc", "type", 4)],
    ["has more relocations than instructions", "ELF_MALFORMED", (file) => everywhere(file, ".reltc")],
    ["has as many sections as fit into it", "ELF_UNSUPPORTED", (file) => manySections(file, 70_000)],
    ["relocates what is no instruction", "ELF_MALFORMED", (file) => relocate(file, 3)],
    ["relocates past its section", "ELF_MALFORMED", (file) => relocate(file, 1 << 20)],
    ["relocates what needs none", "ELF_MALFORMED", (file) => relocate(file, 0)],
    ["has no BTF for its maps", "BTF_MALFORMED", (file) => setSection(file, ".BTF", "name", 0)],
    ["has a map without a symbol", "ELF_MALFORMED", (file) => setSymbol(file, "buckets", "name", 1)],
    ["has BTF that is none", "BTF_MALFORMED", (file) => patch(file, ".BTF", 0, 0)],
    ["has BTF of another version", "BTF_MALFORMED", (file) => patch(file, ".BTF", 2, 9)],
    ["has BTF whose types are past its end", "BTF_MALFORMED", (file) => patch(file, ".BTF", 12, 0x7fffffff)],
    ["has BTF whose strings are past its end", "BTF_MALFORMED", (file) => patch(file, ".BTF", 20, 0x7fffffff)],
    ["has BTF.ext with records past its end", "BTF_MALFORMED", (file) => patch(file, ".BTF.ext", 12, 0x7fffffff)],
  ];
  it.each(lies)("%s: %s", (_, code, lie) => {
    const file = lie(example("rate-limit"));
    expect(outcome(file, factsOfObject)).toBe(code);
  });

  it("names an exception callback that is not there", () => {
    const file = example("last-word");
    const btf = sectionData(file, ".BTF");
    btf.write("exception_callback:last_werd", btf.indexOf("exception_callback:"), "latin1");
    expect(() => factsOfObject(file)).toThrow(expect.objectContaining({ code: "ELF_MALFORMED" }));
  });

  it("says where, and what to do", () => {
    const file = setSection(example("rate-limit"), "tc", "size", HUGE);
    expect(() => factsOfObject(file)).toThrow(
      expect.objectContaining({ place: expect.stringContaining("section tc"), remedy: expect.any(String) }),
    );
  });
});

describe("an object that was cut short", () => {
  it.each(["drop-telnet", "legacy-count"])("is an error wherever %s was cut", (name) => {
    const file = example(name);
    for (let length = 0; length < file.length; length += 7)
      expect(outcome(file.subarray(0, length)), `at ${length}`).toMatch(/^ELF_/);
  });
});

describe("what is no object", () => {
  it.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("int main(void) {}\n")],
    ["the magic number alone", Buffer.from("\x7fELF", "latin1")],
    ["a 32-bit file", Buffer.from(`7f454c460101${"00".repeat(80)}`, "hex")],
    ["zeros behind a header for BPF", Buffer.concat([example("drop-telnet").subarray(0, 64), Buffer.alloc(1 << 16)])],
  ])("%s is an error", (_, bytes) => {
    expect(outcome(bytes)).toMatch(/^ELF_/);
  });

  it("a program without BPF in it is an error that says so", () => {
    expect(outcome(setHeader(example("drop-telnet"), "machine", 62))).toBe("ELF_NO_PROGRAMS");
  });

  it("200 MB of anything is an error at once", () => {
    const bytes = new Uint8Array(200 << 20);
    bytes.set(example("drop-telnet"));
    setHeader(Buffer.from(bytes.buffer), "shoff", HUGE);
    const { result, blocks } = worked(() => outcome(bytes));
    expect(result).toBe("ELF_MALFORMED");
    expect(blocks).toBeLessThan(1000);
  });
});

describe("objects inside a program", () => {
  const host = (...parts: Uint8Array[]) => Buffer.concat([setHeader(example("drop-telnet"), "machine", 62), ...parts]);

  it("are found wherever they lie", () => {
    const file = host(Buffer.alloc(13), example("drop-telnet"), Buffer.from("\x7fELF"), example("xdp-steer.be"));
    expect(embeddedObjects(file)).toHaveLength(2);
    expect(factsOfFile(file).programs.map(({ name }) => name)).toEqual([
      "drop_telnet",
      "drop_blocked",
      "send_on",
      "count",
    ]);
  });

  it("that are cut short are errors, not left out", () => {
    const whole = example("drop-telnet");
    expect(outcome(host(example("peek-tc"), whole.subarray(0, whole.length - 100)))).toBe("ELF_MALFORMED");
  });

  it("by the thousand end in time", () => {
    const header = example("drop-telnet").subarray(0, 64);
    const file = host(...Array.from({ length: 20_000 }, () => header));
    const { result, blocks } = worked(() => outcome(file));
    expect(result).toBe("ELF_UNSUPPORTED");
    expect(blocks).toBeLessThan(10_000);
  });
});

describe("relocations of CO-RE", () => {
  it("are found in whatever order they stand", () => {
    const file = example("switch-watch");
    const slots = () => {
      const object = new BpfObject(file);
      return object.program(object.functions[0]!).rewrittenSlots();
    };
    const before = slots();
    const records = relocationRecords(file);
    const first = Buffer.from(records.subarray(0, 16));
    records.copyWithin(0, 16);
    first.copy(records, records.length - 16);
    expect(before.length).toBeGreaterThan(2);
    expect(slots()).toEqual(before);
  });
});

describe("programs that grow", () => {
  it("by many names for one function are bounded", () => {
    const growing = (symbols: number): number => {
      const file = withSymbols(example("drop-telnet"), "drop_telnet", symbols);
      const { result, blocks } = worked(() => outcome(file));
      expect(result).toBe("ELF_UNSUPPORTED");
      return blocks;
    };
    expect(growth(growing, 20_000, 200_000)).toBeLessThan(2);
  });
});

describe("objects with damage", () => {
  it("give facts or a named error", { tags: ["deep"] }, () => {
    const seed = seedOf();
    const next = numbers(seed);
    const sources = ["rate-limit", "exec-guard", "switch-watch", "legacy-count", "xdp-steer.be"].map(example);
    for (let round = 0; round < shareOf(4000); round++) {
      const bytes = damaged(sources[round % sources.length]!, next);
      expect(() => outcome(bytes), `SEED=${seed}, round ${round}`).not.toThrow();
    }
  });
});

function hide(file: Buffer, ...names: string[]): Buffer {
  for (const name of names) setSymbol(file, name, "info", 0x11);
  return file;
}

/** The section header of symbols' addresses, which nothing needs, made into a second one of this name. */
function twoOf(file: Buffer, name: string): Buffer {
  const names = sectionData(file, ".strtab");
  return setSection(file, ".llvm_addrsig", "name", names.indexOf(`${name}\0`));
}

/** A section that takes in the whole file. */
function everywhere(file: Buffer, name: string): Buffer {
  setSection(file, name, "offset", 0);
  return setSection(file, name, "size", file.length - (file.length % 16));
}

/** The object with its section table moved to its end and repeated. */
function manySections(file: Buffer, count: number): Buffer {
  const table = Number(file.readBigUInt64LE(40));
  const headers = file.subarray(table, table + 64 * file.readUInt16LE(60));
  const more = Buffer.alloc(64 * count, headers);
  more.writeBigUInt64LE(BigInt(count), 32);
  setHeader(file, "shoff", file.length);
  setHeader(file, "shnum", 0);
  return Buffer.concat([file, more]);
}

function relocate(file: Buffer, offset: number): Buffer {
  sectionData(file, ".reltc").writeBigUInt64LE(BigInt(offset), 0);
  return file;
}

/** The records of `.BTF.ext` about CO-RE, of an object with one section of them. */
function relocationRecords(file: Buffer): Buffer {
  const data = sectionData(file, ".BTF.ext");
  const start = data.readUInt32LE(4) + data.readUInt32LE(24);
  return data.subarray(start + 12, start + data.readUInt32LE(28));
}

function patch(file: Buffer, section: string, at: number, value: number): Buffer {
  const data = sectionData(file, section);
  if (at < 4) data[at] = value;
  else data.writeUInt32LE(value, at);
  return file;
}

/** The object with a symbol repeated, in a symbol table at its end. */
function withSymbols(file: Buffer, name: string, count: number): Buffer {
  const table = sectionData(file, ".symtab");
  const strings = sectionData(file, ".strtab");
  let symbol = table.subarray(0, 24);
  for (let at = 0; at < table.length; at += 24)
    if (strings.toString("latin1", table.readUInt32LE(at), strings.indexOf(0, table.readUInt32LE(at))) === name)
      symbol = table.subarray(at, at + 24);
  const more = Buffer.concat([table, ...Array.from({ length: count }, () => symbol)]);
  setSection(file, ".symtab", "offset", file.length);
  setSection(file, ".symtab", "size", more.length);
  return Buffer.concat([file, more]);
}
