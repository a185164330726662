import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { BpfObject } from "../../../src/bpf/object.js";
import type { InstalledObject } from "../../support/real-objects.js";
import { programsIn, type Recorder, type Recording, type Recordings } from "./recording.js";

const BPF_FS = "/sys/fs/bpf";

/**
 * The recorder of `bpftool prog loadall`, whose calls of bpf(2) are preloaded. It has no recordings of objects that
 * bpftool does not load, since it gives no program another target. Close it: it has a temporary folder.
 */
export class BpftoolRecorder implements Recorder {
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-recorder-"));
  readonly #enter = join(this.#folder, "enter");
  readonly #preload = join(this.#folder, "preload.so");

  private constructor(readonly version: string) {
    const file = (name: string) => join(import.meta.dirname, name);
    const flags = ["-O1", "-Wall", "-Wextra", "-Werror"];
    execFileSync("gcc", [...flags, "-o", this.#enter, file("enter.c"), file("fake-kernel.c")]);
    const preload = [file("preload.c"), file("fake-kernel.c")];
    execFileSync("gcc", [...flags, "-shared", "-fPIC", "-o", this.#preload, ...preload]);
  }

  /** The recorder, or why this machine cannot have it. */
  static open(): BpftoolRecorder | string {
    if (process.getuid?.() !== 0) return "needs root, for a mount namespace";
    const { status, stdout } = spawnSync("bpftool", ["version"], { encoding: "utf8" });
    if (status !== 0 || spawnSync("gcc", ["--version"]).status !== 0) return "needs gcc and bpftool";
    if (!existsSync(BPF_FS)) return `needs ${BPF_FS}`;
    const [tool, library] = stdout.split("\n");
    return new BpftoolRecorder(`${tool}, ${library?.replace("using ", "")}`);
  }

  record(kernel: string, objects: readonly InstalledObject[]): Recordings {
    const programs = objects.flatMap((object) => this.#recordObject(kernel, object));
    return { loader: this.version, times: [], programs, probes: [] };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #recordObject(kernel: string, { name, bytes }: InstalledObject): Recording[] {
    const [object, record] = [join(this.#folder, "object.o"), join(this.#folder, "record")];
    const pins = join(BPF_FS, basename(this.#folder));
    writeFileSync(object, bytes);
    writeFileSync(record, "");
    const preload = [`LD_PRELOAD=${this.#preload}`, `FAKE_KERNEL=${kernel}`, `FAKE_KERNEL_RECORD=${record}`];
    const command = ["/usr/bin/env", ...preload, "bpftool", "prog", "loadall", object, pins];
    const { status } = spawnSync(this.#enter, [kernel, ...command]);
    if (status !== 0) return [];
    const left = [...new BpfObject(bytes).functions];
    // Programs are loaded in the object's order, without those that are loaded only on request.
    return programsIn(readFileSync(record, "utf8")).map(({ name: cut, load }) => {
      const at = left.findIndex((of) => of.name.startsWith(cut));
      if (at === -1) throw new Error(`${name}: the object has no program ${cut}`);
      const [of] = left.splice(0, at + 1).slice(at);
      return { object: name, program: of!.name, section: of!.section.name, load, refusal: null, target: null };
    });
  }
}
