/** Modules of Debian's generic kernels by whose parameters root writes memory: no way loads one under the guard. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { encodeFileList, parseFileList } from "../../../src/seal/files.js";
import { NEVER_MODULES } from "../../../src/seal/guard/never-modules.js";
import { sealImage } from "../../../src/seal/sealing.js";
import { reasonNumber } from "../../../src/seal/status/reasons.js";
import type { DebianKernel } from "../core/debian-kernels.js";
import { Guest } from "../guest/guest.js";
import { type Kernel, kernelOfSuite } from "../guest/kernel.js";
import { compileProgram, loaderBinary } from "./guests/sealed-guest.js";

const CALLS = ["init", "finit", "compressed"] as const;
/** Modules that load without their devices, so that without a guard they do. */
const WITHOUT_DEVICE = ["arc_rimi", "comedi", "sis5595", "via686a", "vt8231", "advantechwdt"];
/** Memory that is no RAM to the kernel (`memmap=`), as that of devices and of the firmware. */
const ADDRESS = 0x20000000;
const PARAMETERS: Readonly<Record<string, string>> = { arc_rimi: `io=${ADDRESS} node=1 irq=5` };
/** Prints the byte there, which the driver wrote to it. */
const WRITTEN = `echo "memory: $(dd if=/dev/mem bs=1 skip=${ADDRESS} count=1 2>/dev/null | od -An -tx1)"`;

/** The short form has one kernel and these modules, in a list that has them all. */
const isShort = process.env.COUNTERSIGN_NIGHTLY === undefined;
const SHORT = ["arc_rimi", "comedi", "floppy"];
const KERNELS: readonly DebianKernel[] = isShort ? ["6.12"] : ["6.12", "6.18", "7.3"];
const IMAGES = isShort ? ["listed"] : ["listed", "unlisted"];

/** As kernel packages compress modules (scripts/Makefile.modinst). */
function compressed(module: Uint8Array): Uint8Array {
  return execFileSync("xz", ["--check=crc32", "--lzma2=dict=1MiB", "-c"], { input: module, maxBuffer: 1 << 26 });
}

/** Loads each module by each call: without a guard, under one that audits, and under one that is sealed. */
function boot(kernel: Kernel, names: readonly string[], image: string): ReadonlyMap<string, string> {
  const guest = new Guest(kernel);
  const all = [...names, "dummy"];
  const digests: string[] = [];
  const needed = [...kernel.withDependencies(all)].filter(([name]) => !all.includes(name.replaceAll("-", "_")));
  for (const [name, bytes] of needed) guest.file(`lib/needed/${name}.ko`, bytes);
  for (const name of all) {
    const module = kernel.module(name);
    for (const [suffix, bytes] of [["ko", module] as const, ["ko.xz", compressed(module)] as const]) {
      guest.file(`lib/modules/${name}.${suffix}`, bytes);
      digests.push(createHash("sha256").update(bytes).digest("hex"));
    }
  }
  const files = image === "listed" ? parseFileList(encodeFileList({ modules: digests, executables: null })) : null;
  guest.file("lib/guard.image", sealImage({ mode: "enforce", list: null, files }));
  guest.file("lib/audit.image", sealImage({ mode: "audit", list: null, files }));
  guest.file("bin/loader", loaderBinary(), 0o755);
  guest.file("bin/load-module", compileProgram("load-module"), 0o755);
  const load = (when: string) =>
    all.flatMap((name) =>
      CALLS.map((call) => {
        const file = `/lib/modules/${name}.ko${call === "compressed" ? ".xz" : ""}`;
        return `load-module "${when} ${name} ${call}" ${call} ${file} "${PARAMETERS[name] ?? ""}"`;
      }),
    );
  const script = [
    ...needed.map(([name]) => `insmod /lib/needed/${name}.ko`),
    ...load("unguarded"),
    ...[WRITTEN, "loader /lib/audit.image >/dev/null"],
    ...load("audit"),
    ...["loader --stop >/dev/null; sleep 5", "loader --log /lib/guard.image"],
    ...load("sealed"),
  ].join("\n");
  const commandLine = `lsm=lockdown,bpf memmap=1M$${ADDRESS}`;
  const { output, status, console } = guest.run(script, { memory: 1536, commandLine });
  guest.remove();
  if (status === null || !output.includes('"sealed":true')) throw new Error(console.slice(-3000));
  return new Map(Array.from(output.matchAll(/^([\w ]+): +(.*)$/gm), ([, name, result]) => [name!, result!]));
}

describe.each(IMAGES)("modules by whose parameters root writes memory, %s", (image) => {
  it.for(KERNELS)("on %s: no call loads them, and others load", { timeout: 900_000 }, (name, { skip }) => {
    const kernel = Guest.missing() ?? kernelOfSuite(name);
    if (typeof kernel === "string") return skip(kernel);
    const modules = NEVER_MODULES.map((row) => row.name).filter((module) => kernel.has(module));
    const tried = isShort ? SHORT : modules;
    const results = boot(kernel, tried, image);
    const never = reasonNumber("never");
    expect(casesOf("never-modules")).toEqual(CALLS);
    expect(tried.filter((module) => !modules.includes(module))).toEqual([]);
    if (tried.includes("arc_rimi")) expect(results.get("memory")).toBe("d1");
    for (const call of CALLS) {
      for (const when of ["unguarded", "audit", "sealed"]) expect(results.get(`${when} dummy ${call}`)).toBe("ok");
      for (const module of tried) {
        // kernfs_new_node() of the kernel makes ENOMEM of each error
        expect(results.get(`sealed ${module} ${call}`), `${module} ${call}`).toBe(`ENOMEM ${never}`);
        if (!WITHOUT_DEVICE.includes(module)) continue;
        expect(results.get(`unguarded ${module} ${call}`), `${module} ${call}`).toBe("ok");
        expect(results.get(`audit ${module} ${call}`), `${module} ${call}`).toBe(`ok ${never}`);
      }
    }
  });
});
