import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { kconfigContents } from "../../../../src/bpf/recognition/kconfig-contents.js";
import {
  cpuCount,
  type KernelConfiguration,
  kernelVersion,
  parseKernelConfig,
} from "../../../../src/bpf/recognition.js";
import { programPartOf } from "../../../../src/bpf/statement.js";

const { object } = programPartOf(
  readFileSync(new URL("../../../hostile/fixtures/recognition/externs.o", import.meta.url)),
);
const BTF = Buffer.from(object.btf!, "base64");
const kernel = (text: string | null, ...functions: readonly string[]): KernelConfiguration => ({
  version: 0x061202,
  options: text === null ? null : parseKernelConfig(text),
  hasFunction: (name) => functions.includes(name),
  possibleCpus: null,
});
const contents = (text: string | null) => kconfigContents(object, BTF, kernel(text));
/** Offset of each variable, in libbpf's order: by alignment, size and name. */
const PLACES = { CONFIG_HZ: 0, CONFIG_BPF_SYSCALL: 8, LINUX_KERNEL_VERSION: 12, CONFIG_NR_CPUS: 16, CONFIG_BPF: 18 };
const read = (text: string) => Buffer.from(contents(text) as Uint8Array);

describe("the contents of .kconfig", () => {
  it("are the kernel's options in the types of the object", () => {
    const found = read(
      'CONFIG_BPF=y\nCONFIG_BPF_SYSCALL=m\nCONFIG_HZ=250\nCONFIG_NR_CPUS=-2\nCONFIG_DEFAULT_HOSTNAME="(none)"\n',
    );
    expect(found.length).toBe(35);
    expect(found.readBigUInt64LE(PLACES.CONFIG_HZ)).toBe(250n);
    expect(found.readUInt32LE(PLACES.CONFIG_BPF_SYSCALL)).toBe(2); // TRI_MODULE
    expect(found.readUInt32LE(PLACES.LINUX_KERNEL_VERSION)).toBe(0x061202);
    expect(found.readInt16LE(PLACES.CONFIG_NR_CPUS)).toBe(-2);
    expect(found[PLACES.CONFIG_BPF]).toBe(1);
    expect(found.toString("latin1", 19, 26)).toBe("(none)\0");
  });

  it("are zero for weak options that the kernel does not have", () => {
    const found = read("");
    expect(found.readUInt32LE(PLACES.LINUX_KERNEL_VERSION)).toBe(0x061202);
    expect(found.filter((byte) => byte !== 0)).toHaveLength(3);
  });

  it("have the version where the configuration cannot be read, and no option", () => {
    const { externs } = object;
    const of = (prefix: string) => ({ externs: externs.filter(({ name }) => name.startsWith(prefix)) });
    expect(contents(null)).toMatch(/^`CONFIG_\w+`, .* cannot be read$/);
    const only = new BtfWriter();
    only.datasec(".kconfig", 0, [[only.var("LINUX_KERNEL_VERSION", only.int("int", 4), 2), 0, 4]]);
    expect(kconfigContents(of("LINUX"), only.bytes(), kernel(null))).toEqual(Uint8Array.of(2, 0x12, 6, 0));
  });

  it("cut a text to the size of the variable", () => {
    expect(read(`CONFIG_DEFAULT_HOSTNAME="${"x".repeat(40)}"`).toString("latin1", 19)).toBe(`${"x".repeat(15)}\0`);
  });

  it.each([
    ["CONFIG_BPF=m", "CONFIG_BPF"],
    ["CONFIG_BPF=3", "CONFIG_BPF"],
    ['CONFIG_HZ="250"', "CONFIG_HZ"],
    ["CONFIG_HZ=y", "CONFIG_HZ"],
    ["CONFIG_HZ=0x", "CONFIG_HZ"],
    ["CONFIG_NR_CPUS=40000", "CONFIG_NR_CPUS"],
    ["CONFIG_DEFAULT_HOSTNAME=y", "CONFIG_DEFAULT_HOSTNAME"],
  ])("do not exist where libbpf would not load the object: %s", (text, name) => {
    expect(contents(text)).toContain(name);
  });

  it("do not exist for an option that must exist, and for a feature that libbpf does not know", () => {
    const strict = { externs: object.externs.map((extern) => ({ ...extern, weak: false })) };
    expect(kconfigContents(strict, BTF, kernel(""))).toContain("CONFIG_HZ");
  });
});

describe("what libbpf computes itself", () => {
  const btf = new BtfWriter();
  const bool = btf.int("_Bool", 1, { encoding: 4 });
  const names = ["LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER", "LINUX_SOMETHING"];
  btf.datasec(
    ".kconfig",
    0,
    names.map((name) => [btf.var(name, bool, 2), 0, 1] as const),
  );
  const externs = names.map((name, index) => {
    return { name, kind: "kconfig", btf_id: index, type_id: bool, weak: true, offset: index } as const;
  });
  const of = (...functions: readonly string[]) => kconfigContents({ externs }, btf.bytes(), kernel(null, ...functions));

  it("has the features whose functions the kernel has, whether or not its configuration can be read", () => {
    const [cookie, kprobe, wrapper] = ["bpf_get_attach_cookie_trace", "create_local_trace_kprobe", "__x64_sys_bpf"];
    expect(of(cookie, kprobe, wrapper)).toEqual(Uint8Array.of(1, 1, 0));
    expect(of(cookie, wrapper)).toEqual(Uint8Array.of(1, 0, 0));
    expect(of(kprobe)).toEqual(Uint8Array.of(0, 0, 0));
    expect(of(kprobe, "__arm64_sys_bpf")).toEqual(Uint8Array.of(0, 1, 0));
    expect(of()).toEqual(Uint8Array.of(0, 0, 0));
  });

  it("has a version that fits into its type", () => {
    const narrow = new BtfWriter();
    narrow.datasec(".kconfig", 0, [
      [narrow.var("LINUX_KERNEL_VERSION", narrow.int("_Bool", 1, { encoding: 4 }), 2), 0, 1],
    ]);
    const version = {
      name: "LINUX_KERNEL_VERSION",
      kind: "kconfig",
      btf_id: 2,
      type_id: 1,
      weak: false,
      offset: 0,
    } as const;
    expect(kconfigContents({ externs: [version] }, narrow.bytes(), kernel(""))).toContain("does not fit");
  });
});

describe("a list of CPUs", () => {
  it.each([
    ["0\n", 1],
    ["0-1\n", 2],
    ["0-3,8,10-11", 7],
  ])("has the CPUs of its ranges: %j", (list, count) => expect(cpuCount(list)).toBe(count));

  it.each(["", "\n", "0-", "1-0", "a", "0,,1", "0-999999"])("is not counted if it is something else: %j", (list) =>
    expect(cpuCount(list)).toBeNull(),
  );
});

describe("the configuration of a kernel", () => {
  it("has the first value of each option", () => {
    const options = parseKernelConfig("# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_B=n\nCONFIG_C=\nCONFIG_D=0x10\n");
    expect([...options]).toEqual([
      ["CONFIG_B", "y"],
      ["CONFIG_D", "0x10"],
    ]);
  });

  it("has the version that libbpf finds", () => {
    expect(kernelVersion("6.18.4", "#1 SMP", null)).toBe(0x061204);
    expect(kernelVersion("6.1.0-44-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.164-1 (2026-03-09)", null)).toBe(
      0x0601a4,
    );
    expect(kernelVersion("6.8.0-31-generic", "#31-Ubuntu", "Ubuntu 6.8.0-31.31-generic 6.8.1\n")).toBe(0x060801);
    expect(kernelVersion("4.19.300", "#1", null)).toBe(0x0413ff);
    expect(kernelVersion("unknown", "#1", null)).toBe(0);
  });
});
