import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../src/bpf/btf/btf.js";
import { Kallsyms } from "../../src/bpf/core/kallsyms.js";
import { Kernel } from "../../src/bpf/core/kernel.js";
import { ProgramRelocator } from "../../src/bpf/core/program.js";
import { RELO } from "../../src/bpf/core/relo-kind.js";
import type { RelocatedProgram, UnrelocatedProgram } from "../../src/bpf/core/unrelocated.js";
import { VARIANTS, type Variant } from "../../src/bpf/core/variant.js";
import { CountersignError } from "../../src/error.js";
import { target } from "../fuzz/core.js";
import { CALL, LD_IMM64, LDX_DW, LDX_W, MOV, relocated, relocatedInsn } from "../support/core-program.js";
import { CORE_BTF, CORE_EXTERNS, CORE_KALLSYMS, coreProgram } from "../support/core-sources.js";
import { numbers, seedOf } from "../support/damage.js";
import { shareOf } from "../support/share.js";

type Code = CountersignError["code"];

/** A program's type and a kernel's of the same name. */
function pair(name: string, local: (btf: BtfWriter) => number, kernel: (btf: BtfWriter) => unknown) {
  const [ours, its] = [new BtfWriter(), new BtfWriter()];
  const typeId = local(ours);
  kernel(its);
  return { name, typeId, btf: new Btf(ours.bytes()), kernel: new Kernel(new Btf(its.bytes(), "vmlinux")) };
}

const byte = (btf: BtfWriter) => btf.int("unsigned char", 1);
/** The id of the next type that a writer adds to an otherwise empty BTF, so that the type can refer to itself. */
const FIRST = 1;

describe("types that do not end", () => {
  const field = { access: "0:0", kind: RELO.FIELD_BYTE_OFFSET };
  const local = (btf: BtfWriter) => btf.struct("s", 8, [["a", byte(btf), 0]]);

  it.each([
    pair("a typedef of itself", (btf) => btf.typedef("s", FIRST), local),
    pair("a const of itself", (btf) => btf.struct("s", 8, [["a", btf.type("", "const", FIRST), 0]]), local),
    pair("an array of itself", (btf) => btf.struct("s", 8, [["a", btf.array(FIRST, 1), 0]]), local),
    pair("a kernel's typedef of itself", local, (btf) => btf.struct("s", 8, [["a", btf.typedef("t", FIRST), 0]])),
    pair("a kernel's array of itself", local, (btf) => btf.struct("s", 8, [["a", btf.array(FIRST, 1), 0]])),
    pair("a kernel's struct with itself as anonymous member", local, (btf) => btf.struct("s", 8, [["", FIRST, 0]])),
    pair("a kernel's member of a type that is not there", local, (btf) => btf.struct("s", 8, [["a", 99, 0]])),
    pair("a member of a type that is not there", (btf) => btf.struct("s", 8, [["a", 99, 0]]), local),
  ])("end with an error or without a match: $name", ({ typeId, btf, kernel }) => {
    for (const variant of VARIANTS)
      try {
        relocatedInsn(btf, kernel, [MOV, 1, 0, 0, 0], { typeId, ...field }, variant);
      } catch (error) {
        expect(error).toBeInstanceOf(CountersignError);
      }
  });

  it.each(VARIANTS)("in pointers to functions with themselves as parameters end for %s", (variant) => {
    const write = (btf: BtfWriter) => {
      const proto = btf.proto(
        0,
        Array.from({ length: 4 }, (_, index) => [`p${index}`, 2] as const),
      );
      return btf.ptr(proto);
    };
    const { typeId, btf, kernel } = pair(
      "callbacks",
      (to) => to.typedef("callback", write(to)),
      (to) => to.typedef("callback", write(to)),
    );
    const relocate = () =>
      relocatedInsn(btf, kernel, [MOV, 1, 0, 0, 1], { typeId, access: "0", kind: RELO.TYPE_EXISTS }, variant);
    expect(relocate).toThrow(expect.objectContaining({ code: "CORE_UNSUPPORTED" }));
  });
});

describe("relocations at limits", () => {
  const table = (far: number) => (btf: BtfWriter) => {
    const int = btf.int("unsigned int", 4);
    return btf.struct("table", 0x7fffffff, [
      ["near", int, 0],
      ["far", int, 8 * far],
    ]);
  };
  const { typeId, btf, kernel } = pair("tables", table(8), table(70_000));

  it("with an offset that no load reaches are not supported", () => {
    for (const variant of VARIANTS)
      expect(() => relocatedInsn(btf, kernel, [LDX_W, 1, 2, 8], { typeId, access: "0:1", kind: 0 }, variant)).toThrow(
        expect.objectContaining({ code: "CORE_UNSUPPORTED" }),
      );
    expect(relocatedInsn(btf, kernel, [MOV, 1, 0, 0, 8], { typeId, access: "0:1", kind: 0 })).toEqual([
      [MOV, 1, 0, 0, 70_000],
    ]);
  });

  it.each(VARIANTS)(
    "are rejected with the BTF of a 32-bit kernel, with their place and a remedy, for %s",
    (variant) => {
      const rejected = (name: string, size: number) => () => {
        const its = new BtfWriter();
        its.int(name, size);
        table(8)(its);
        const of32Bits = new Kernel(new Btf(its.bytes(), "vmlinux"));
        return relocatedInsn(btf, of32Bits, [MOV, 1, 0, 0, 8], { typeId, access: "0:1", kind: 0 }, variant);
      };
      expect(rejected("long unsigned int", 4)).toThrow(
        expect.objectContaining({
          code: "CORE_UNSUPPORTED",
          message: "the BTF is that of a 32-bit kernel, whose pointers have 4 bytes",
          place: "program probe: instruction 0: struct table.far",
          remedy: "name the BTF of a 64-bit kernel",
        }),
      );
      for (const [name, size] of [
        ["long unsigned int", 8],
        ["long long int", 4],
      ] as const)
        expect(rejected(name, size)()).toEqual([[MOV, 1, 0, 0, 8]]);
    },
  );

  it.each<[string, Code, number, number, string]>([
    ["more than 64 indexes", "CORE_MALFORMED", 0, typeId, `${"0:".repeat(64)}0`],
    ["an index above 2^31", "CORE_MALFORMED", 0, typeId, "4294967296"],
    ["a long text", "CORE_MALFORMED", 0, typeId, "0".repeat(100_000)],
    ["a sign", "CORE_MALFORMED", 0, typeId, "0:+1"],
    ["an end without an index", "CORE_MALFORMED", 0, typeId, "0:1:"],
    ["a type that is not there", "BTF_MALFORMED", 0, 4_000_000_000, "0:0"],
    ["a type without a name", "CORE_MALFORMED", RELO.TYPE_EXISTS, 0, "0"],
    ["a kind of 32 bits", "CORE_UNSUPPORTED", 0xffffffff, typeId, "0"],
  ])("with %s are %s", (_, code, kind, type, path) => {
    expect(() => relocatedInsn(btf, kernel, [MOV, 1], { typeId: type, access: path, kind })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it("outside of the program are malformed", () => {
    const relocations = [{ slot: 5, typeId, access: "0:0", kind: 0 }];
    for (const variant of VARIANTS)
      expect(() => relocated({ btf, kernel, insns: [[MOV, 1]], relocations, variant })).toThrow(
        expect.objectContaining({ code: "CORE_MALFORMED" }),
      );
  });

  it("of an object without BTF are malformed", () => {
    const program: UnrelocatedProgram = coreProgram();
    for (const variant of VARIANTS)
      expect(() =>
        new ProgramRelocator({ order: "little", btf: null, externs: [] }, kernel, variant).relocate(program),
      ).toThrow(expect.objectContaining({ code: "CORE_MALFORMED" }));
  });
});

describe("references to symbols", () => {
  const kernel = new Kernel(new Btf(CORE_BTF.vmlinux, "vmlinux"));
  const btf = new Btf(CORE_BTF.local);
  const externs = [{ name: "of_vmlinux", kind: "kfunc", typeId: CORE_EXTERNS[4]!.typeId, weak: false }] as const;

  it.each([
    ["at another instruction", 0, [[MOV, 1]], true],
    ["at half an ld_imm64", 0, [[LD_IMM64, 1]], false],
    ["behind the program", 9, [[CALL, 0, 2]], true],
  ] as const)("%s are malformed", (_, slot, insns, call) => {
    const externReferences = [{ slot, extern: 0, call }];
    expect(() => relocated({ btf, kernel, insns, externs, externReferences })).toThrow(
      expect.objectContaining({ code: "CORE_MALFORMED" }),
    );
  });

  it("that the object does not have are malformed", () => {
    const externReferences = [{ slot: 0, extern: 1, call: true }];
    expect(() => relocated({ btf, kernel, insns: [[CALL, 0, 2]], externs, externReferences })).toThrow(
      expect.objectContaining({ code: "CORE_MALFORMED" }),
    );
  });
});

describe("a kernel's BTF", () => {
  it("that is cut anywhere is rejected", () => {
    const bytes = CORE_BTF.vmlinux;
    for (let end = 0; end < bytes.length; end++)
      expect(() => new Btf(bytes.subarray(0, end), "vmlinux")).toThrow(
        expect.objectContaining({ code: "BTF_MALFORMED", place: "vmlinux" }),
      );
  });

  it("with thousands of types of one name is not searched", () => {
    const [ours, its] = [new BtfWriter(), new BtfWriter()];
    const typeId = ours.struct("s", 8, [["a", byte(ours), 0]]);
    for (let index = 0; index < 2000; index++) its.struct(`s___${index}`, 8, [["a", 1, 0]]);
    const [btf, kernel] = [new Btf(ours.bytes()), new Kernel(new Btf(its.bytes(), "vmlinux"))];
    expect(() => relocatedInsn(btf, kernel, [LDX_DW, 1, 2], { typeId, access: "0:0", kind: 0 })).toThrow(
      expect.objectContaining({ code: "CORE_UNSUPPORTED" }),
    );
  });
});

describe("/proc/kallsyms", () => {
  it.each([
    "",
    "x",
    " jiffies",
    "zz T jiffies\n",
    "1 T jiffies_64\n",
    "1 T\n jiffies\n",
    `${"f".repeat(2000)} T jiffies`,
  ])("with the text %j has no such symbol", (text) => {
    expect(new Kallsyms(Buffer.from(text)).address("jiffies")).toBeNull();
  });
});

describe("relocation", () => {
  it.each(["libbpf-1.5", "libbpf-1.6"] as const)("of what the fuzzer damages works undamaged for %s", (variant) => {
    const relocate = (): RelocatedProgram => {
      const base = new Btf(CORE_BTF.vmlinux, "vmlinux");
      const modules = [{ name: "module", btf: new Btf(CORE_BTF.module, "module", base) }];
      const kernel = new Kernel(base, modules, new Kallsyms(CORE_KALLSYMS));
      const object = { order: "little", btf: new Btf(CORE_BTF.local), externs: CORE_EXTERNS } as const;
      return new ProgramRelocator(object, kernel, variant satisfies Variant).relocate(coreProgram());
    };
    const { poisoned, modules, digest } = relocate();
    expect(poisoned).toHaveLength(2);
    expect(modules.map(({ module, index }) => [module, index])).toEqual([
      ["module", null],
      ["module", 1],
    ]);
    expect(relocate().digest).toBe(digest);
  });

  it("of damaged objects, kernels and programs gives a result or a named error", { tags: ["deep"] }, () => {
    const seed = seedOf();
    const outcomes = new Map<string, number>();
    for (let round = 0; round < shareOf(20_000); round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      let outcome = "";
      expect(() => {
        outcome = target.round(next);
      }, `SEED=${seed}, round ${round}`).not.toThrow();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get("taken")).toBeGreaterThan(0);
  });
});
