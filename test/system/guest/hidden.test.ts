import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { type DebianKernel, debianKernel } from "../core/debian-kernels.js";
import { partsOf } from "./boot.js";
import { DebianGuest } from "./debian-guest.js";
import type { Ran } from "./guest.js";
import { kernelOfSuite } from "./kernel.js";

const NIGHTLY = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const KERNELS: readonly DebianKernel[] = NIGHTLY ? ["6.1", "6.12", "6.18", "7.3"] : ["6.12"];
/** Scans beside loads and closes, and on a quiet machine. */
const SCANS = NIGHTLY ? 25 : 1;

/** How a rootkit hides, and what sees its program `hide_ids` all the same. */
const WAYS = {
  ids: { seenBy: ["link", "descriptor", "memory", "id", "symbols"], notSeenBy: ["list"] },
  programs: { seenBy: ["link", "descriptor", "memory", "symbols"], notSeenBy: ["list", "id"] },
  pins: { seenBy: ["link", "memory", "symbols"], notSeenBy: ["list", "id"] },
} as const;

interface Line {
  readonly kind: string;
  readonly object: string;
  readonly id: number | null;
  readonly name: string | null;
  readonly seen_by: readonly string[];
  readonly not_seen_by: readonly string[];
  readonly unread: readonly { readonly sight: string; readonly reason: string }[];
  readonly unexplained_taints: string;
}

describe.each(KERNELS)("what hides on Linux %s", (name) => {
  let ran: Ran | string;
  beforeAll(() => {
    ran = boot(name);
  }, 2_500_000);

  const part = (of: string) => partsOf(ran as Ran)[of] ?? "";
  const lines = (of: string): readonly Line[] =>
    part(of)
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
  const hidden = (of: string) => lines(of).filter(({ kind }) => kind === "hidden");

  it("is nothing on a quiet machine, and nothing beside loads and closes", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect(ran.status, ran.console.slice(-2000)).toBe(0);
    for (const of of ["quiet", "churn"]) {
      expect(part(`${of} status`).match(/^\d+$/gm)).toEqual(Array.from({ length: SCANS }, () => "0"));
      expect(hidden(of)).toEqual([]);
    }
    expect(lines("quiet").find(({ kind }) => kind === "compared")?.unread).toEqual([]);
  });

  it.for(Object.entries(WAYS))("is found, and by which way: %s", ([way, { seenBy, notSeenBy }], context) => {
    if (typeof ran === "string") return context.skip(ran);
    const ids = Array.from(
      part(`rootkit ${way}`).matchAll(/^(program|link) (\d+)/gm),
      ([, kind, id]) => `${kind} ${id}`,
    );
    const found = hidden(way);
    expect(found.map(({ object, id }) => `${object} ${id}`).sort()).toEqual(expect.arrayContaining(ids.sort()));
    const program = found.find((each) => each.name === "hide_ids");
    expect([...program!.seen_by].sort()).toEqual([...seenBy].sort());
    expect(program!.not_seen_by).toEqual(notSeenBy);
    expect(part(`${way} status`).match(/^\d+$/gm)).toEqual(["1"]);
  });

  it("is the same in an archive", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect(hidden("saved")).toEqual(hidden("archived"));
    expect(hidden("saved").length).toBeGreaterThan(2);
  });

  it("is a module that only /proc/modules lacks", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const [module, ...others] = hidden("module");
    expect([module?.object, module?.name, module?.not_seen_by, others]).toEqual(["module", "ifb", ["modules"], []]);
    expect(module?.seen_by).toEqual(expect.arrayContaining(["symbols", "traceable", "sysfs"]));
  });

  it("is a module that took itself out of the list of modules and out of sysfs", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const [module, ...others] = hidden("unlinked");
    expect([module?.object, module?.name, module?.not_seen_by, others], part("insmod")).toEqual([
      ...["module", "hideme", ["modules", "sysfs"], []],
    ]);
    expect(module?.seen_by).toEqual(["traceable"]);
    expect(lines("unlinked").find(({ kind }) => kind === "compared")?.unexplained_taints).toMatch(/^F?O?E$/);
  });
});

/** Scans before, beside and after programs that hide. Or the reason why this machine cannot. */
function boot(name: DebianKernel): Ran | string {
  const kernel = kernelOfSuite(name);
  const guest = typeof kernel === "string" ? kernel : DebianGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "hidden-guest-"));
  try {
    addRootkit(guest, folder);
    addModule(guest, name, folder);
    const scan = "node /countersign/bin/countersign.js scan";
    const scans = (to: string) =>
      `for each in $(seq ${SCANS}); do ${scan} --json > /tmp/out; echo $? >> /tmp/status; cat /tmp/out >> /tmp/all; done
       echo "PART ${to}"; cat /tmp/all; echo "PART ${to} status"; cat /tmp/status; rm /tmp/all /tmp/status`;
    const rootkit = (way: string) => `
      rootkit /lib/rootkit.o ${way} > /tmp/rootkit & pid=$!
      for try in $(seq 100); do grep -q ready /tmp/rootkit && break; sleep 0.2; done
      echo "PART rootkit ${way}"; cat /tmp/rootkit
      ${scan} --json > /tmp/out; status=$?
      echo "PART ${way}"; cat /tmp/out; echo "PART ${way} status"; echo $status
      ${
        way === "pins"
          ? `${scan} --save /tmp/a.tar --json > /tmp/out; echo "PART saved"; cat /tmp/out
             ${scan} --from /tmp/a.tar --json > /tmp/out; echo "PART archived"; cat /tmp/out`
          : ""
      }
      kill $pid; wait $pid 2> /dev/null; sleep 1`;
    return guest.run(
      [
        "mkdir -p /tracing; mount -t tracefs none /sys/kernel/tracing",
        scans("quiet"),
        `churn & pid=$!\n${scans("churn")}\nkill $pid; wait $pid 2> /dev/null`,
        ...Object.keys(WAYS).map(rootkit),
        ...guest.modules(["ifb"]),
        "grep -v '^ifb ' /proc/modules > /tmp/modules; mount --bind /tmp/modules /proc/modules",
        `${scan} --json > /tmp/out; echo "PART module"; cat /tmp/out`,
        'umount /proc/modules; echo "PART insmod"; insmod /lib/hideme.ko; dmesg | tail -3',
        `${scan} --json > /tmp/out; echo "PART unlinked"; cat /tmp/out; echo "PART end"`,
      ].join("\n"),
      { seconds: NIGHTLY ? 2_400 : 800 },
    );
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

function addRootkit(guest: DebianGuest, folder: string): void {
  const source = (name: string) => own(`test/system/scan/rootkit/${name}`);
  const object = join(folder, "rootkit.o");
  const flags = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu"];
  execFileSync("clang-19", [...flags, "-c", source("rootkit.bpf.c"), "-o", object]);
  guest.file("lib/rootkit.o", readFileSync(object));
  for (const name of ["rootkit", "churn"]) {
    const program = join(folder, name);
    execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-o", program, source(`${name}.c`), "-lbpf"]);
    guest.program(program, `bin/${name}`);
  }
}

/** Compiles a module without the kernel's headers: its BTF has the types, and another module the version. */
function addModule(guest: DebianGuest, name: DebianKernel, folder: string): void {
  const kernel = debianKernel(name);
  if (typeof kernel === "string") throw new Error(kernel);
  const btf = ["btf", "dump", "file", join(kernel.folder, "btf/vmlinux"), "format", "c"];
  writeFileSync(join(folder, "vmlinux.h"), execFileSync("bpftool", btf, { maxBuffer: 1 << 28 }));
  const version = /vermagic=([^\0]+)/.exec(Buffer.from(guest.kernel.module("ifb")).toString("latin1"))![1];
  const code = [
    "-mcmodel=kernel",
    "-mno-red-zone",
    "-mno-sse",
    "-fno-pie",
    "-fno-stack-protector",
    "-fcf-protection=none",
  ];
  const flags = [
    "-O2",
    "-w",
    "-ffreestanding",
    "-fno-asynchronous-unwind-tables",
    "-pg",
    "-mfentry",
    "-mrecord-mcount",
  ];
  const source = own("test/system/scan/rootkit/hideme.c");
  const module = join(folder, "hideme.ko");
  execFileSync("gcc", [...flags, ...code, `-DVERMAGIC="${version}"`, "-I", folder, "-c", source, "-o", module]);
  guest.file("lib/hideme.ko", readFileSync(module));
}
