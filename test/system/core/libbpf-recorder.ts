import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstalledObject } from "../../support/real-objects.js";
import { type Recorder, type Recordings, withFiles } from "./recording.js";

const FILES = ["recorder.c", "fake-kernel.c", "real-kernel.c"];

/** libbpf's recorder, compiled for this machine. Close it: it has a temporary folder. */
export class LibbpfRecorder implements Recorder {
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-recorder-"));
  /** The compiled recorder. */
  readonly program = join(this.#folder, "recorder");

  private constructor(
    readonly library: string | null,
    folder: string,
  ) {
    const sources = FILES.map((name) => join(folder, name));
    execFileSync("gcc", ["-O1", "-Wall", "-Wextra", "-Werror", "-o", this.program, ...sources, "-lbpf"]);
  }

  /**
   * The recorder, or why this machine cannot have it. With `library`, a folder with another libbpf.so.1 than the
   * machine's. `folder` has the recorder's sources.
   */
  static open(library: string | null = null, folder = import.meta.dirname): LibbpfRecorder | string {
    if (process.getuid?.() !== 0) return "needs root, for a mount namespace";
    const found = spawnSync("gcc", ["-E", "-include", "bpf/libbpf.h", "-"], { input: "" });
    if (found.status !== 0) return "needs gcc and libbpf-dev";
    return new LibbpfRecorder(library, folder);
  }

  /** Has libbpf load objects on a kernel, each program by itself if `separately` or if the whole cannot be loaded. */
  record(kernel: string, objects: readonly InstalledObject[], separately = false): Recordings {
    const env = { ...process.env, ...(this.library === null ? {} : { LD_LIBRARY_PATH: this.library }) };
    return withFiles(objects, (paths) => {
      const given = [...(separately ? ["--separately"] : []), kernel, ...paths];
      return execFileSync(this.program, given, { encoding: "utf8", maxBuffer: 1 << 30, env });
    });
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
