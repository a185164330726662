import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Btf } from "../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../src/bpf/relocate.js";
import { resolveObject } from "../../../src/bpf/resolved-object.js";
import { example } from "../../support/examples.js";
import { switchKernel, switchModule } from "../../support/switch-kernel.js";

const resolve = (writer: ReturnType<typeof switchKernel>, modules: Buffer[] = []) => {
  const vmlinux = new Btf(writer.bytes());
  const its = modules.map((bytes, index) => ({ name: `m${index}`, btf: new Btf(bytes, "module", vmlinux) }));
  return resolveObject(example("switch-watch"), new Kernel(vmlinux, its), "libbpf-1.5").programs[0]!;
};

/** The offsets of the fields of task_struct in instructions 2, 3, 13 and 14. */
const offsetsOf = (insns: Uint8Array) => [2, 3, 13, 14].map((slot) => Buffer.from(insns).readInt16LE(8 * slot + 2));

describe("resolveObject", () => {
  it("gives each program the kernel's offsets, and the digest and tag over them", () => {
    const program = resolve(switchKernel({ at: 32 }));
    expect(program).toMatchObject({
      name: "watch_switch",
      section: "tp_btf/sched_switch",
      type: "tracing",
      error: null,
    });
    expect(offsetsOf(program.relocated!.insns)).toEqual([32, 40, 44, 44]);
    expect(program.relocated!.digest).toBe(hash("sha256", program.relocated!.insns, "hex"));
    expect(program.tag).toBe(program.relocated!.digest.slice(0, 16));
    expect(resolve(switchKernel({ at: 40 })).relocated!.digest).not.toBe(program.relocated!.digest);
  });

  it("gives the tag of SHA-1 on a kernel before Linux 6.18", () => {
    const { relocated, tag } = resolve(switchKernel({ sha256: false }));
    expect(tag).toBe(hash("sha1", relocated!.insns, "hex").slice(0, 16));
  });

  it("names an attach target that the kernel lacks, beside the instructions", () => {
    const { relocated, error } = resolve(switchKernel({ target: false }));
    expect(relocated?.digest).toBe(resolve(switchKernel()).relocated?.digest);
    expect(error).toMatchObject({
      code: "CORE_UNRESOLVED",
      message: "this kernel has no attach target `sched_switch`",
      place: "program watch_switch",
    });
  });

  it("names a field that the kernel lacks, and that nothing guards", () => {
    const { relocated, error } = resolve(switchKernel({ prio: false }));
    expect(relocated?.poisoned).toEqual([13, 14]);
    expect(error).toMatchObject({
      code: "KERNEL_LACKS",
      message: expect.stringMatching(/^this kernel has no `struct task_struct\.prio`, unless a setting excludes /),
      place: "program watch_switch: instruction 13",
    });
  });

  it("names a helper and a program type that the kernel lacks", () => {
    const missing = (fill: (btf: ReturnType<typeof switchKernel>) => void) => {
      const btf = switchKernel();
      fill(btf);
      return resolve(btf).error?.message;
    };
    const helpers = [1, 2, 3].map((id) => [`BPF_FUNC_${id}`, id] as const);
    const max = ["__BPF_FUNC_MAX_ID", 4] as const;
    expect(missing((btf) => btf.enum("bpf_func_id", [...helpers, max]))).toBe(undefined);
    expect(missing((btf) => btf.enum("bpf_func_id", [helpers[0]!, max]))).toMatch(/helper `bpf_map_update_elem`/);
    expect(missing((btf) => btf.enum("bpf_prog_type", [["BPF_PROG_TYPE_TRACING", 26]]))).toBe(undefined);
    expect(missing((btf) => btf.enum("bpf_prog_type", [["BPF_PROG_TYPE_XDP", 6]]))).toBe(
      "this kernel has no program type `tracing`",
    );
  });

  it("finds an attach target in a module", () => {
    const kernel = switchKernel({ target: false });
    const { relocated, error } = resolve(kernel, [switchModule(kernel)]);
    expect([error, relocated?.attachTarget?.found?.module]).toEqual([null, "m0"]);
  });

  it("says why a program cannot be resolved, and goes on with the next", () => {
    const kernel = new Kernel(new Btf(switchKernel().bytes()));
    const { programs } = resolveObject(example("xdp-steer.be"), kernel, "libbpf-1.5");
    expect(programs.map(({ name, error, relocated }) => [name, error?.code, relocated])).toEqual([
      ["drop_blocked", "CORE_BYTE_ORDER", null],
      ["send_on", "CORE_BYTE_ORDER", null],
      ["count", "CORE_BYTE_ORDER", null],
    ]);
  });
});
