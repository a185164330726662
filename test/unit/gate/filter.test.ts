import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AUDIT_ARCH_X86_64, gateFilter, I386, WATCHED, X32 } from "../../../src/gate/filter.js";
import { NR } from "../../../src/gate/sys/numbers.js";

const ALLOW = 0x7fff0000;
const ASK = 0x7fc00000;

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

/** linux/audit.h: EM_386 (3), little-endian. */
const AUDIT_ARCH_I386 = 0x40000003;
const X32_BIT = 0x40000000;
const NUMBERS = Array.from({ length: 600 }, (_, number) => number);
const LOADS_CODE = [321, 175, 313, 246, 320];

const native = (filter: Uint8Array, number: number) => answer(filter, number, AUDIT_ARCH_X86_64);

describe("the gate's filter", () => {
  it.each(["enforce", "audit"] as const)(
    "in %s asks about bpf, modules and kexec, and lets all else of x86-64 run",
    (mode) => {
      const filter = gateFilter(mode);
      for (const number of NUMBERS)
        expect(native(filter, number), `${number}`).toBe(LOADS_CODE.includes(number) ? ASK : ALLOW);
    },
  );

  it("in enforce asks about every call of i386, x32 and any other architecture", () => {
    const filter = gateFilter("enforce");
    for (const number of NUMBERS) {
      expect(native(filter, X32_BIT | number)).toBe(ASK);
      for (const arch of [AUDIT_ARCH_I386, 0xc00000b7, 0]) expect(answer(filter, number, arch)).toBe(ASK);
    }
    expect(native(filter, -1)).toBe(ASK);
  });

  it("in audit asks about calls of i386 and x32 that load code or end a program, and lets all others run", () => {
    const filter = gateFilter("audit");
    const i386 = [357, 128, 350, 283, 252];
    const x32 = [321, 175, 313, 528, 320, 231];
    for (const number of NUMBERS) {
      expect(answer(filter, number, AUDIT_ARCH_I386), `i386 ${number}`).toBe(i386.includes(number) ? ASK : ALLOW);
      expect(native(filter, X32_BIT | number), `x32 ${number}`).toBe(x32.includes(number) ? ASK : ALLOW);
    }
    expect(native(filter, -1)).toBe(ALLOW);
  });
});

describe("the numbers of foreign calls", () => {
  // asm/unistd_32.h and unistd_x32.h of linux-libc-dev, where they are installed
  const headers = "/usr/include/x86_64-linux-gnu/asm/";
  it.skipIf(!existsSync(`${headers}unistd_32.h`)).each([
    ["unistd_32.h", I386],
    ["unistd_x32.h", X32],
  ])("are those of %s", (file, numbers) => {
    const text = readFileSync(headers + file, "utf8");
    for (const [name, number] of Object.entries(numbers))
      expect(new RegExp(`#define __NR_${name} (?:\\(__X32_SYSCALL_BIT \\+ )?(\\d+)`).exec(text)?.[1], name).toBe(
        `${number}`,
      );
  });
});

describe("the seccomp profile for containers", () => {
  const profile = JSON.parse(readFileSync(new URL("../../../deploy/seccomp.json", import.meta.url), "utf8")) as {
    readonly defaultAction: string;
    readonly architectures: readonly string[];
    readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[];
  };

  it("asks about what the gate's filter asks about, and lets all else run", () => {
    const [asked, ...more] = profile.syscalls;
    expect(more).toEqual([]);
    expect(asked?.action).toBe("SCMP_ACT_NOTIFY");
    expect(asked?.names.map((name) => NR[name as keyof typeof NR])).toEqual(WATCHED);
    expect(profile.defaultAction).toBe("SCMP_ACT_ALLOW");
  });

  it("has x86-64 alone: libseccomp kills who enters by i386 or x32", () => {
    expect(profile.architectures).toEqual(["SCMP_ARCH_X86_64"]);
  });
});
