/**
 * bpftool under a seal: by libbpf, and as a light skeleton (`-L`), for which a BPF program makes the loads. What it
 * pins can be removed, since only the guard's own pins are kept, and no program becomes the guard's by a map.
 */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { probeEntries } from "../../../src/seal/build/probe-entries.js";
import { encodeList, parseList } from "../../../src/seal/list.js";
import { sealImage } from "../../../src/seal/sealing.js";
import { reasonNumber } from "../../../src/seal/status/reasons.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileObject, compileProgram, listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const BPFTOOL = "/usr/sbin/bpftool";
/** BPF_PROG_TYPE_SYSCALL: that of the program which makes the loads. */
const SYSCALL = 31;

/** Each load, and the status of bpftool: without a guard, under audit, and sealed. */
const LOADS: Readonly<Record<string, readonly [command: string, statuses: readonly number[]]>> = {
  "bpftool, listed": ["bpftool prog load /lib/listed.o /sys/fs/bpf/it", [0, 0, 0]],
  "bpftool, unlisted": ["bpftool prog load /lib/unlisted.o /sys/fs/bpf/it", [0, 0, 255]],
  "bpftool -L, listed": ["bpftool -L prog load /lib/listed.o /sys/fs/bpf/it", [0, 0, 255]],
  "bpftool -L, unlisted": ["bpftool -L prog load /lib/unlisted.o /sys/fs/bpf/it", [0, 0, 255]],
  "bpftool, a map": ["bpftool map create /sys/fs/bpf/it type array key 4 value 4 entries 1 name it", [0, 0, 0]],
};

/** What programs/bind-map.c calls the programs to which it binds a map of the guard. */
const BOUND: Readonly<Record<string, true>> = {
  "map bound to a listed program": true,
  "map bound to a program from before the seal": true,
};

function boot(kernel: SealKernel): string {
  if (!existsSync(BPFTOOL)) return "needs bpftool";
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const { header, entries } = listOfValues([1]);
  const list = parseList(encodeList([...entries, ...probeEntries()], header));
  guest.file("lib/guard.image", sealImage({ mode: "enforce", list }));
  guest.file("lib/audit.image", sealImage({ mode: "audit", list }));
  guest.file("bin/loader", loaderBinary(), 0o755);
  for (const name of ["denials", "bind-map"]) guest.file(`bin/${name}`, compileProgram(name), 0o755);
  guest.program(BPFTOOL, "bin/bpftool");
  for (const name of ["listed", "unlisted"]) guest.file(`lib/${name}.o`, compileObject(name));
  const loads = Object.entries(LOADS)
    .map(([name, [command]]) => `${command} > /tmp/said 2>&1; echo "${name}: $?"; remove_pin "${name}"`)
    .join("\n");
  const { output, status, console } = guest.run(
    `
remove_pin() { rm -f /sys/fs/bpf/it; [ ! -e /sys/fs/bpf/it ] || echo "kept: the pin of $1"; }
${loads}
loader /lib/audit.image > /dev/null
${loads}
denials
loader --stop > /dev/null; sleep 1
bind-map prepare
loader --log /lib/guard.image
${loads}
denials
bind-map
`,
  );
  guest.remove();
  if (status === null) throw new Error(console.slice(-3000));
  return output;
}

describe("bpftool under a seal", () => {
  it.for(testedKernels())(
    "%s: loads what is listed, and nothing by a program that is not",
    { timeout: 900_000 },
    (kernel, { skip }) => {
      const output = boot(kernel);
      if (output.startsWith("needs") || !output.includes("\n")) return skip(output);
      expect(output).toContain('"sealed":true');
      const results = new Map<string, number[]>();
      for (const [, name, status] of output.matchAll(/^(bpftool.*): (\d+)$/gm))
        results.set(name!, [...(results.get(name!) ?? []), Number(status)]);
      expect(Object.fromEntries(results)).toEqual(
        Object.fromEntries(Object.entries(LOADS).map(([name, [, statuses]]) => [name, statuses])),
      );
      for (const name of casesOf("load-paths"))
        if (name in LOADS) expect(results.get(name)?.at(-1), name).toBe(255);
        else expect([name, BOUND[name], output.includes(`${name}: bound, handed out\n`)]).toEqual([name, true, true]);
      expect(output).toContain("pin of its link: removed\n");
      expect(output).not.toMatch(/^kept: /m);
      expect(output).not.toMatch(new RegExp(`^denial ${reasonNumber("mount")} `, "m"));
      const [, audited = "", sealed = ""] =
        /"sealed":false(.*)"sealed":true(.*)/s.exec(`"sealed":false${output}`) ?? [];
      // each -L under audit is a denial of the program that makes the load, and then, if it is not listed, of the
      // loaded
      const unlisted = (type: number) => `denial ${reasonNumber("unlisted")} ${type} 0 bpftool`;
      const counted = (text: string, line: string) => text.split("\n").filter((each) => each === line).length;
      expect([counted(audited, unlisted(SYSCALL)), counted(audited, unlisted(1))]).toEqual([2, 2]);
      // what is denied, libbpf loads once more for the verifier's log
      expect([counted(sealed, unlisted(SYSCALL)), counted(sealed, unlisted(1))]).toEqual([2, 2]);
    },
  );
});
