import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Btf } from "../../src/bpf/btf/btf.js";
import { KFUNCS } from "../../src/bpf/tables/kfuncs.js";
import { ATTACH_TYPES, HELPERS, PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";

const VMLINUX = "/sys/kernel/btf/vmlinux";
const btf = existsSync(VMLINUX) ? new Btf(readFileSync(VMLINUX)) : null;
const refusal = `needs a kernel with ${VMLINUX}`;

describe("the tables, and the kernel that runs here", () => {
  it("agree on the names of helpers, program types and attach types", (context) => {
    if (btf === null) return context.skip(refusal);
    const names = (name: string, prefix: string, table: readonly string[]) => {
      const id = btf.find("enum", name);
      return table.map((_, index) => (btf.enumerator(id, index)?.name ?? "").replace(prefix, "").toLowerCase());
    };
    const plain = (table: readonly string[]) => table.map((name) => name.replace(/_deprecated$/, ""));
    expect(names("bpf_func_id", "BPF_FUNC_", HELPERS).map((name) => `bpf_${name}`)).toEqual(HELPERS);
    expect(plain(names("bpf_prog_type", "BPF_PROG_TYPE_", PROGRAM_TYPES))).toEqual(PROGRAM_TYPES);
    expect(plain(names("bpf_attach_type", "BPF_", ATTACH_TYPES))).toEqual(ATTACH_TYPES);
  });

  it("agree on which arguments of each kfunc are pointers, and whether it returns one", (context) => {
    if (btf === null) return context.skip(refusal);
    const here = KFUNCS.map((row) => ({ ...row, id: btf.find("func", row.name) })).filter(({ id }) => id > 0);
    expect(here.length).toBeGreaterThan(80);
    const isPointer = (type: number) => type !== 0 && btf.kind(btf.resolve(type)) === "ptr";
    for (const { name, args, returns, id } of here) {
      const proto = btf.target(id);
      expect(isPointer(btf.target(proto)), `what ${name} returns`).toBe(returns !== "number");
      const parameters = btf.parameters(proto).slice(0, 5);
      for (const [index, { type }] of parameters.entries()) {
        const known = args[index];
        // a pointer to a function is given as a callback
        const callback = isPointer(type) && btf.kind(btf.resolve(btf.target(btf.resolve(type)))) === "func_proto";
        if (isPointer(type) && !callback) expect(known, `argument ${index} of ${name}`).toMatch(/[wsrodnmcxO]/);
      }
    }
  });
});
