/**
 * The tables of helpers, kfuncs and program types, each row held against what kernels say
 * (test/support/kernel-facts.ts).
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { GPL_ONLY } from "../../../src/bpf/tables/gpl-only.js";
import { HELPER_ROWS, type HelperRow } from "../../../src/bpf/tables/helpers.js";
import { OBJECT_HELPERS, OBJECT_KFUNCS } from "../../../src/bpf/tables/kernel-objects.js";
import { KFUNCS } from "../../../src/bpf/tables/kfuncs.js";
import { ATTACH_TYPES, HELPERS, MAP_TYPES, PROGRAM_TYPES } from "../../../src/bpf/tables/names.gen.js";
import { PROGRAM_TYPE_ROWS } from "../../../src/bpf/tables/program-types.js";
import { KERNEL_FACTS } from "../../support/kernel-facts.js";

const { enums, structs, helpers, kfuncs, kernels } = KERNEL_FACTS;
const rows = HELPER_ROWS.filter((row): row is HelperRow => row !== undefined);

it("has three kernels to compare with", () => {
  expect(Object.keys(kernels).length).toBeGreaterThanOrEqual(3);
});

describe("names by number", () => {
  it.each([
    ["bpf_prog_type", PROGRAM_TYPES],
    ["bpf_map_type", MAP_TYPES],
    ["bpf_attach_type", ATTACH_TYPES],
    ["bpf_func_id", HELPERS.map((name) => name.slice("bpf_".length))],
  ])("are those of every kernel: %s", (name, table) => {
    for (const [values, releases] of Object.entries(enums[name]!.values)) {
      const members = values.split(" ").map((value) => value.split("=") as [string, string]);
      const known = members.filter(([number]) => Number(number) < table.length);
      expect(
        known.filter(([number, its]) => table[Number(number)] !== its),
        releases.join(", "),
      ).toEqual([]);
    }
  });
});

/** What a helper may do with an argument of this type. */
function letterOf(type: string): string {
  const [base, ...flags] = type.split(" | ") as [string, ...string[]];
  const written = /UNINIT/.test(base) || flags.includes("MEM_UNINIT") || flags.includes("MEM_WRITE");
  if (/^ARG_(ANYTHING|SCALAR|DONTCARE)$|^ARG_(CONST|MEM)_(ALLOC_)?SIZE/.test(base)) return "-";
  if (/^ARG_PTR_TO_CTX/.test(base)) return "c";
  if (base === "ARG_CONST_MAP_PTR") return "m";
  if (base === "ARG_PTR_TO_FUNC") return "f";
  if (base === "ARG_PTR_TO_STACK_OR_NULL") return "d";
  if (base === "ARG_PTR_TO_CONST_STR") return "r";
  if (base === "ARG_PTR_TO_DYNPTR") return written || flags.includes("OBJ_RELEASE") ? "w" : "y";
  if (/^ARG_PTR_TO_(SPIN_LOCK|TIMER|KPTR|RINGBUF_MEM|ALLOC_MEM)$|^ARG_KPTR_XCHG_DEST$/.test(base)) return "w";
  if (/^ARG_PTR_TO_(UNINIT_|FIXED_SIZE_)?MEM|^ARG_PTR_TO_MAP_(KEY|VALUE)/.test(base)) return written ? "w" : "r";
  if (/BTF_ID|SOCK/.test(base)) return "o";
  throw new Error(`no letter for \`${type}\``);
}

/** Letters of the table that stand for one of the kernel's, too. */
const ALSO: Readonly<Record<string, string>> = { "-": "x", r: "wt", y: "z", c: "o", o: "c" };

describe("the table of helpers", () => {
  it("takes each argument for what the kernel's prototypes say of it, for every program type", () => {
    const wrong: string[] = [];
    for (const { name, args } of rows)
      for (const proto of Object.keys(helpers[name]?.protos ?? { missing: [] })) {
        const types = proto.slice(proto.indexOf("(") + 1, -1);
        const kernel = types === "" ? [] : types.split(", ").map(letterOf);
        const least = kernel.every((letter, index) => {
          const mine = args[index];
          return mine !== undefined && (mine === letter || (ALSO[letter] ?? "").includes(mine));
        });
        if (!least) wrong.push(`${name}: \`${args}\`, but ${proto}`);
      }
    expect(wrong).toEqual([]);
  });

  it("gives r0 what the kernel's prototypes say", () => {
    const wrong = rows.filter(({ name, returns }) => {
      const types = Object.keys(helpers[name]!.protos).map((proto) => proto.slice(0, proto.indexOf(" (")));
      return !types.every((type) => RETURNS[returns].test(type));
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it("knows the helpers that return kernel objects and those that only GPL programs may call", () => {
    const returning = (type: RegExp) =>
      Object.keys(helpers).filter((name) => Object.keys(helpers[name]!.protos).some((proto) => type.test(proto)));
    expect(returning(/^RET_PTR_TO_BTF_ID/).sort()).toEqual([...OBJECT_HELPERS, "kptr_xchg"].sort());
    const gpl = Object.keys(helpers).filter((name) => Object.keys(helpers[name]!.gpl_only).join().includes("true"));
    expect(gpl.map((name) => `bpf_${name}`).sort()).toEqual([...GPL_ONLY].sort());
  });

  it("knows the helpers after which pointers into the packet are void; a tail call does not come back", () => {
    const changing = Object.keys(helpers).filter((name) => helpers[name]!.changes_packet !== undefined);
    const known = rows.filter(({ changesPacket }) => changesPacket).map(({ name }) => name);
    expect(changing.sort()).toEqual([...known, "tail_call"].sort());
  });
});

const RETURNS: Readonly<Record<HelperRow["returns"], RegExp>> = {
  number: /^(RET_INTEGER|RET_VOID|undefined)$/,
  map_value: /^RET_PTR_TO_MAP_VALUE/,
  memory: /^RET_PTR_TO_(ALLOC|RINGBUF)_MEM/,
  dynptr: /^RET_PTR_TO_DYNPTR_MEM/,
  socket: /^RET_PTR_TO_(SOCK|TCP_SOCK|SOCKET)/,
  kernel: /^RET_PTR_TO_(BTF_ID|MEM_OR_BTF_ID)/,
};

describe("the table of kfuncs", () => {
  it("has the arguments that the kernels' types give it", () => {
    execFileSync(process.execPath, [
      fileURLToPath(new URL("../../../scripts/kfunc-arguments.mjs", import.meta.url)),
      "--check",
    ]);
  });

  it("names none that no kernel has", () => {
    expect(KFUNCS.map(({ name }) => name).filter((name) => kfuncs[name] === undefined)).toEqual([]);
  });

  it("gives r0 a pointer where the kernel's prototype does, and an object where it returns a struct", () => {
    const wrong = KFUNCS.flatMap(({ name, returns }) =>
      Object.keys(kfuncs[name]!.protos ?? {})
        .filter((proto) => {
          const type = proto.slice(0, proto.indexOf(" ("));
          if (OBJECT_KFUNCS.has(name) && !/^(const )?struct .*\*$|^void \*$/.test(type)) return true;
          return type.endsWith("*") === (returns === "number");
        })
        .map((proto) => `${name}: ${returns}, but ${proto}`),
    );
    expect(wrong).toEqual([]);
  });

  it("has an effect for each that is destructive", () => {
    for (const { name, effects } of KFUNCS)
      if (Object.keys(kfuncs[name]!.flags ?? {}).some((flags) => flags.includes("KF_DESTRUCTIVE")))
        expect(effects, name).toContain("changes_kernel_state");
  });

  it("names as dynptrs that are only read arguments that are dynptrs", () => {
    for (const { name, args, reads } of KFUNCS)
      for (const index of reads) expect(args[index], `${name} ${index}`).toBe("d");
  });
});

describe("the table of program types", () => {
  const described = [...PROGRAM_TYPE_ROWS.values()].filter(({ context }) => structs[context.name] !== undefined);

  it("has the contexts that the kernels describe", () => {
    expect(new Set(described.map(({ context }) => context.name)).size).toBe(Object.keys(structs).length);
  });

  it("places each field where every kernel that has it does", () => {
    for (const { context } of described)
      for (const layout of Object.keys(structs[context.name]!.layouts)) {
        const fields = new Map(
          layout.split(", ").map((field) => {
            const [name, ...place] = field.split(" ");
            return [name, place.map(Number)];
          }),
        );
        for (const { name, offset, size } of context.pointers)
          if (fields.has(name)) expect(fields.get(name), `${context.name}.${name}`).toEqual([offset, size]);
        for (const [name, offset, size] of context.writable)
          if (fields.has(name)) expect(fields.get(name), `${context.name}.${name}`).toEqual([offset, size]);
      }
  });

  it("has no field that no kernel has", () => {
    for (const { context } of described) {
      const known = Object.keys(structs[context.name]!.layouts).join(", ");
      for (const name of [...context.pointers.map((field) => field.name), ...context.writable.map(([its]) => its)])
        expect(known, context.name).toMatch(new RegExp(`\\b${name} `));
    }
  });
});
