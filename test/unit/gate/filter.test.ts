import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AUDIT_ARCH_X86_64, gateFilter, REFUSED, WATCHED } from "../../../src/gate/filter.js";
import { NR } from "../../../src/gate/sys/numbers.js";

const ALLOW = 0x7fff0000;
const ASK = 0x7fc00000;
const EPERM = 0x00050001;

/** Runs a seccomp filter on struct seccomp_data, as the kernel does (the four opcodes that the gate's has). */
function answer(filter: Uint8Array, number: number, arch: number): number {
  const view = new DataView(filter.buffer);
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const [code, jt, jf] = [view.getUint16(8 * at, true), view.getUint8(8 * at + 2), view.getUint8(8 * at + 3)];
    const k = view.getUint32(8 * at + 4, true);
    if (code === 0x20) accumulator = k === 0 ? number >>> 0 : arch;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else if (code === 0x06) return k;
    else throw new Error(`opcode ${code}`);
  }
  throw new Error("the filter has no end");
}

describe("the gate's filter", () => {
  const filter = gateFilter();
  const native = (number: number) => answer(filter, number, AUDIT_ARCH_X86_64);

  it("asks about bpf, init_module and finit_module", () => {
    for (const number of [321, 175, 313]) expect(native(number)).toBe(ASK);
  });

  it("refuses kexec_load and kexec_file_load", () => {
    for (const number of [246, 320]) expect(native(number)).toBe(EPERM);
  });

  it("lets every other system call of x86-64 run", () => {
    const others = Array.from({ length: 600 }, (_, number) => number).filter(
      (n) => ![321, 175, 313, 246, 320].includes(n),
    );
    for (const number of others) expect(native(number), String(number)).toBe(ALLOW);
  });

  it("refuses all of x32, whose numbers have bit 30, and negative numbers", () => {
    for (const number of [0, 321, 357, 599]) expect(native(0x40000000 | number)).toBe(EPERM);
    expect(native(-1)).toBe(EPERM);
  });

  it("refuses every other architecture, whatever is called", () => {
    for (const arch of [0x40000003, 0xc00000b7, 0])
      for (const number of [0, 20, 321, 357]) expect(answer(filter, number, arch)).toBe(EPERM);
  });
});

describe("the seccomp profile for containers", () => {
  const profile = JSON.parse(readFileSync(new URL("../../../deploy/seccomp.json", import.meta.url), "utf8")) as {
    readonly defaultAction: string;
    readonly architectures: readonly string[];
    readonly syscalls: readonly {
      readonly names: readonly string[];
      readonly action: string;
      readonly errnoRet?: number;
    }[];
  };
  const numbers = (action: string) => {
    const names = profile.syscalls.filter((rule) => rule.action === action).flatMap((rule) => rule.names);
    return names.map((name) => NR[name as keyof typeof NR]);
  };

  it("asks about, refuses and lets through what the gate's filter does", () => {
    expect(numbers("SCMP_ACT_NOTIFY")).toEqual(WATCHED);
    expect(numbers("SCMP_ACT_ERRNO")).toEqual(REFUSED);
    expect(profile.syscalls.filter(({ action }) => action === "SCMP_ACT_ERRNO")).toMatchObject([{ errnoRet: 1 }]);
    expect(profile.syscalls).toHaveLength(2);
    expect(profile.defaultAction).toBe("SCMP_ACT_ALLOW");
  });

  it("has x86-64 alone: libseccomp kills who enters by i386 or x32", () => {
    expect(profile.architectures).toEqual(["SCMP_ARCH_X86_64"]);
  });
});
