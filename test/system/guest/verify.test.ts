import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { EXIT, set, wide } from "../../support/translated.js";
import { own } from "../../support/workplace.js";
import type { DebianKernel } from "../core/debian-kernels.js";
import { addLinks, partsOf } from "./boot.js";
import { DebianGuest } from "./debian-guest.js";
import type { Ran } from "./guest.js";
import { kernelOfSuite } from "./kernel.js";

/** biome-ignore lint/suspicious/noExplicitAny: lines of JSON have any form */
type Line = any;

const NIGHTLY = process.env.COUNTERSIGN_NIGHTLY !== undefined;
/** Programs that are loaded again with one second for 50 of them. */
const MANY = NIGHTLY ? 1000 : 120;
/** Before Linux 6.18, tags are SHA-1, and the twins have one. */
const KERNELS: readonly (readonly [DebianKernel, isBefore618: boolean])[] = NIGHTLY
  ? [
      ["6.1", true],
      ["6.12", true],
      ["6.18", false],
      ["7.3", false],
    ]
  : [["6.12", true]];

describe.each(KERNELS)("scan --verify on Linux %s", (name, isBefore618) => {
  let ran: Ran | string;
  beforeAll(() => {
    ran = boot(name, isBefore618 ? "" : "by_struct_ops,");
  }, 1_500_000);

  const part = (of: string) => partsOf(ran as Ran)[of] ?? "";
  const programs = (of: string) =>
    part(of)
      .split("\n")
      .filter((line) => line.startsWith('{"kind":"program"'))
      .map((line): Line => JSON.parse(line));
  /** How a program is identified, and as which ones. */
  const known = (of: string, program: string) => {
    const { identified } = programs(of).find(({ name: its }) => its === program);
    return identified === null ? null : [identified.by, ...identified.programs.map((each: Line) => each.name)];
  };

  it("ends", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect(ran.status, ran.console.slice(-3000)).toBe(0);
  });

  it("tells programs with one tag apart", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    if (isBefore618)
      for (const twin of ["pass", "drop"]) expect(known("tags", twin)).toEqual(["tag", "twin_drop", "twin_pass"]);
    else for (const twin of ["pass", "drop"]) expect(known("tags", twin)).toEqual(["digest", `twin_${twin}`]);
    for (const twin of ["pass", "drop"]) expect(known("twins", twin)).toEqual(["translated", `twin_${twin}`]);
  });

  it("does not identify the twin of a known program", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect(known("pass", "pass")).toEqual(["translated", "twin_pass"]);
    expect(known("pass", "drop")).toBeNull();
    const { not_verified } = programs("pass").find(({ name: its }) => its === "drop");
    expect(not_verified).toBe(isBefore618 ? "the kernel translates the known programs with its tag otherwise" : null);
  });

  it("says how many loads it takes, and loads nothing without --yes", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const loads = isBefore618 ? "4 loads" : "2 loads";
    expect(part("unasked")).toContain(`--verify takes ${loads} to identify 2 programs`);
    expect(part("unasked")).toContain("status 2");
  });

  it("says that a kernel hides what it would compare", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect(part("hardened")).toContain("set sysctl net.core.bpf_jit_harden to 0 or 1");
    expect(part("restricted")).toContain("set sysctl kernel.kptr_restrict to 0 or 1");
    for (const each of ["hardened", "restricted"]) expect(part(each)).toContain("status 2");
  });

  it("identifies programs of an object with maps and read-only data, unless they need a target", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const found = programs("links").filter(({ name: its }) => its.startsWith("by_"));
    expect(found.length).toBeGreaterThan(10);
    for (const { name: its, type, identified, not_verified } of found)
      if (["tracing", "lsm", "ext", "struct_ops"].includes(type))
        expect([its, identified?.by, not_verified]).toEqual([its, "tag", `programs of type ${type} need a target`]);
      else expect([its, identified?.by, not_verified]).toEqual([its, "translated", null]);
  });

  it("leaves a program by its tag whose instructions have an address of each load", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const { identified, not_verified } = programs("timer").find(({ name: its }) => its === "with_timer");
    expect(identified.by).toBe("tag");
    expect(not_verified).toBe("each load has another address of the kernel in its instructions");
  });

  it("identifies many, and leaves nothing behind", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const found = programs("many").filter(({ type }) => type === "xdp");
    expect(found.length, part("many").slice(-2000)).toBe(MANY);
    const others = found.filter(({ identified }) => identified?.by !== "translated");
    // a guest on a machine with other work
    expect([...new Set(others.map(({ not_verified }) => not_verified))].filter((why) => !LATE.includes(why))).toEqual(
      [],
    );
    expect(others.length).toBeLessThanOrEqual(MANY - 100);
    expect(part("left")).toBe("");
  });

  it("has at most 50 programs lose their ids in any second", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const times = part("freed").split("\n").filter(Boolean).map(Number);
    const identified = programs("many").filter((program) => program.identified?.by === "translated");
    expect(times.length).toBeGreaterThanOrEqual(identified.filter(({ type }) => type === "xdp").length);
    expect(times.at(-1)! - times[0]!).toBeLessThan(61);
    const most = Math.max(...times.map((at) => times.filter((each) => each > at - 1 && each <= at).length));
    console.info(
      `${name}: ${times.length} programs lost their ids within ${times.at(-1)! - times[0]!} s, ${most} in one`,
    );
    expect(most).toBeLessThanOrEqual(50);
  });

  it("leaves nothing behind after SIGKILL", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect(part("killed")).toMatch(/^loading [1-9]\d*\n$/);
  });
});

/** Loads programs and scans. Or the reason why this machine cannot. */
function boot(name: DebianKernel, without: string): Ran | string {
  const kernel = kernelOfSuite(name);
  const guest = typeof kernel === "string" ? kernel : DebianGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "verify-guest-"));
  try {
    addLinks(guest, "links");
    const source = (of: string) => own(`test/system/guest/twins/${of}`);
    const object = (of: string, from: string, ...flags: readonly string[]) => {
      const all = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu", ...flags];
      execFileSync("clang-19", [...all, "-c", source(from), "-o", join(folder, of)]);
      guest.file(`lib/${of}`, readFileSync(join(folder, of)));
    };
    object("twins.o", "twins.bpf.c");
    object("pass.o", "twins.bpf.c", "-DWITHOUT_DROP");
    object("timer.o", "timer.bpf.c");
    execFileSync("gcc", ["-O1", "-o", join(folder, "hold"), source("hold.c"), "-lbpf"]);
    guest.program(join(folder, "hold"), "bin/hold");
    execFileSync("gcc", ["-O1", "-o", join(folder, "load"), source("load.c")]);
    guest.program(join(folder, "load"), "bin/load");
    guest.file("lib/twins/pass", twin(0x7914a772, 0x4535c8f8, 2));
    guest.file("lib/twins/drop", twin(0x2386a0a5, 0x172ad6a7, 1));
    for (let number = 0; number < MANY; number++) {
      const insns = Buffer.concat([set(0, number), set(0, 2), EXIT]);
      guest.file(`lib/many/${createHash("sha256").update(insns).digest("hex")}`, insns);
    }
    guest.file("lib/many.yaml", "version: 1\nattachments: []\nlog: { file: /tmp/log.jsonl, programs: /lib/many }\n");
    return guest.run(SCRIPT(without), { seconds: NIGHTLY ? 1400 : 900 });
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

const LATE: readonly string[] = [
  "no time was left: all loads together take 60 s at most",
  "the kernel took more than 1 s to verify the known program",
];

const twin = (high: number, low: number, verdict: number) =>
  Buffer.concat([wide(1, 0, low, high), set(0, 0), set(2, 0), set(0, verdict), EXIT]);

const SCRIPT = (without: string) => `
scan() { node /countersign/bin/countersign.js scan "$@"; }
# the second hyphen is no part of what grep itself has as its command line
loaders() { grep -l 'load[-]again' /proc/[0-9]*/cmdline 2> /dev/null; }
keep() { mkfifo /tmp/$1; load $2 < /tmp/$1 > /tmp/$1.out & exec 3> /tmp/$1
  for try in $(seq 200); do grep -q loaded /tmp/$1.out && break; sleep 0.2; done; }
mkdir /cgroup; mount -t cgroup2 cgroup /cgroup; ip link set lo up
mkdir -p /tracing; mount -t tracefs none /tracing
keep twins "/lib/twins/pass /lib/twins/drop"
echo PART tags; scan --json --known /lib/twins.o
# where the kernel shows digests, programs are not verified
mount -o bind /dev/null /proc/kcore
echo PART unasked; scan --known /lib/twins.o --verify 2>&1; echo status $?
echo PART twins; scan --json --known /lib/twins.o --verify --yes
echo PART pass; scan --json --known /lib/pass.o --verify --yes
echo PART hardened; echo 2 > /proc/sys/net/core/bpf_jit_harden
scan --known /lib/twins.o --verify --yes 2>&1; echo status $?; echo 0 > /proc/sys/net/core/bpf_jit_harden
echo PART restricted; echo 2 > /proc/sys/kernel/kptr_restrict
scan --known /lib/twins.o --verify --yes 2>&1; echo status $?; echo 0 > /proc/sys/kernel/kptr_restrict
exec 3>&-; wait
mkfifo /tmp/timer; hold /lib/timer.o < /tmp/timer > /tmp/timer.out & exec 3> /tmp/timer
for try in $(seq 200); do grep -q loaded /tmp/timer.out && break; sleep 0.2; done
echo PART timer; scan --json --known /lib/timer.o --verify --yes; exec 3>&-; wait
export WITHOUT=${without || "by_netfilter,by_struct_ops,by_uprobe_multi,by_tcx,"}
links /lib/links.o /lib/replaced.o /cgroup \\
  'node /countersign/bin/countersign.js scan --json --known /lib/links.o --verify --yes > /tmp/links.json 2> /tmp/links.err'
echo PART links; cat /tmp/links.json /tmp/links.err
keep many "$(ls -d /lib/many/*)"
echo 'p:freed __bpf_prog_put_noref' > /tracing/kprobe_events; echo 1 > /tracing/events/kprobes/freed/enable
echo PART many; scan --json --config /lib/many.yaml --verify --yes 2>&1
echo 0 > /tracing/events/kprobes/freed/enable
echo PART freed; sed -n 's/.* \\([0-9.]*\\): freed: .*/\\1/p' /tracing/trace
echo PART left; scan --brief --json | grep -o cs_verify
scan --json --config /lib/many.yaml --verify --yes > /tmp/out & scan=$!
for try in $(seq 600); do loaders > /tmp/loader && break; sleep 0.1; done
sleep 3; kill -9 $scan
for try in $(seq 600); do loaders > /dev/null || break; sleep 0.2; done
echo PART killed; loaders; scan --brief --json | grep -o cs_verify; echo loading $(cat /tmp/loader | wc -w)
echo PART end
`;
