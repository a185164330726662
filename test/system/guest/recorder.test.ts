import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { InstalledObject } from "../../support/real-objects.js";
import { Comparer } from "../core/comparison.js";
import { MODULES } from "../core/debian-kernels.js";
import { readKernelFolder } from "../core/kernel-folder.js";
import { LibbpfRecorder } from "../core/libbpf-recorder.js";
import { type Recording, type Recordings, recordingsOf } from "../core/recording.js";
import { testedObjects } from "../core/tested-objects.js";
import { DebianGuest } from "./debian-guest.js";
import { kernelOfSuite } from "./kernel.js";

const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const KERNELS = ["6.1", "6.12"] as const;

/** In milliseconds, for the guest: it is slow without hardware's help. */
const LIMIT = 1_800_000;

/** What a guest was recorded to do, and its kernel as the recorder of test/system/core takes it. */
interface InGuest {
  readonly recordings: Recordings;
  readonly folder: string;
}

/**
 * The recorder of test/system/core answers bpf(2), uname(2) and what is in /proc and /boot for a kernel that does not
 * run. Here the same recorder runs on that kernel, which answers itself and loads everything but programs.
 */
describe.each(KERNELS)("libbpf in a guest of kernel %s", (name) => {
  const objects = isNightly ? testedObjects() : "checks the recorder, with a kernel and all its modules: nightly";
  const recorder = LibbpfRecorder.open();
  const shared = mkdtempSync(join(tmpdir(), "countersign-recorded-"));
  let found: InGuest | string | undefined;
  let recorded: Recordings | undefined;
  afterAll(() => {
    rmSync(shared, { recursive: true });
    if (typeof recorder !== "string") recorder.close();
  });

  function inGuest(): InGuest | string {
    if (typeof objects === "string" || typeof recorder === "string")
      return typeof objects === "string" ? objects : (recorder as string);
    const kernel = kernelOfSuite(name);
    if (typeof kernel === "string") return kernel;
    const guest = DebianGuest.make(kernel);
    if (typeof guest === "string") return guest;
    try {
      return recordIn(guest, recorder, objects);
    } finally {
      guest.remove();
    }
  }

  function recordIn(guest: DebianGuest, { program }: LibbpfRecorder, of: readonly InstalledObject[]): InGuest {
    guest.program(program, "bin/recorder");
    guest.program("/usr/sbin/bpftool", "bin/bpftool");
    for (const [index, { bytes }] of of.entries()) guest.file(`objects/${index}.o`, bytes);
    guest.file("boot/config", guest.kernel.config);
    const names = of.map((_, index) => `/objects/${index}.o`).join(" ");
    const script = [
      ...guest.share(shared, "/out"),
      ...guest.modules(MODULES),
      "busybox mv /boot/config /boot/config-$(busybox uname -r)",
      "busybox cp -r /sys/kernel/btf /proc/kallsyms /out",
      "busybox cp /boot/config-* /out/config",
      "busybox uname -r > /out/release; busybox uname -v > /out/version",
      "bpftool btf list > /out/list",
      `recorder - ${names} > /out/recording`,
    ];
    const ran = guest.run(script.join("\n"), { seconds: LIMIT / 1000 });
    expect(ran.status, ran.console.slice(-2000)).toBe(0);
    const read = (file: string) => readFileSync(join(shared, file), "utf8");
    for (const file of ["release", "version"]) writeFileSync(join(shared, file), read(file).trim());
    const modules = Array.from(read("list").matchAll(/^\d+: name \[(\w+)\]/gm), ([, module]) => module!);
    writeFileSync(
      join(shared, "modules"),
      modules
        .slice(1)
        .map((module) => `${module}\n`)
        .join(""),
    );
    const nameOf = (path: string) => of[Number(/\d+/.exec(path)![0])]!.name;
    return { recordings: recordingsOf(read("recording"), nameOf), folder: shared };
  }

  const test = (what: string, check: (ran: InGuest, recorded: Recordings) => void) =>
    it(what, { timeout: LIMIT }, (context) => {
      found ??= inGuest();
      if (typeof found === "string") return context.skip(found);
      recorded ??= (recorder as LibbpfRecorder).record(found.folder, objects as readonly InstalledObject[]);
      check(found, recorded);
    });

  test("gets the answers to its probes that the recorder gives for that kernel", ({ recordings }, recorded) => {
    const answers = ({ probes }: Recordings) => new Map(probes.map(({ call, errno }) => [call, errno]));
    expect(Object.fromEntries(answers(recordings))).toEqual(Object.fromEntries(answers(recorded)));
    expect(answers(recorded).size).toBeGreaterThan(5);
  });

  test("passes the programs to bpf(2) that are recorded for that kernel", ({ recordings }, recorded) => {
    const summary = ({ object, program, load, refusal, target }: Recording) => ({
      ...{ object, program, target },
      // the other lines have the path of the file
      refusal: refusal === null ? null : [refusal.errno, refusal.log[0]],
      load: load === null ? null : { ...load, insns: Buffer.from(load.insns).toString("hex") },
    });
    expect(recordings.programs.length).toBe(recorded.programs.length);
    for (const [index, each] of recorded.programs.entries())
      expect(summary(recordings.programs[index]!)).toEqual(summary(each));
    const loaded = recordings.programs.filter(({ load }) => load !== null).length;
    console.info(`kernel ${name}: ${loaded} of ${recordings.programs.length} programs reach bpf(2)`);
    expect(loaded).toBeGreaterThan(400);
  });

  test("passes the programs to bpf(2) that Countersign computes", ({ recordings, folder }) => {
    const comparer = new Comparer(readKernelFolder(folder), objects as readonly InstalledObject[], "libbpf-1.5");
    const compared = recordings.programs.map((each) => comparer.compare(each));
    expect(compared.filter(({ outcome }) => outcome === "different")).toEqual([]);
  });
});
