import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstalledObject } from "../../support/real-objects.js";
import { type Recorder, type Recordings, withFiles } from "./recording.js";

const LIBRARY = "src/github.com/cilium/ebpf";
const GO_PATH = "/usr/share/gocode";

/**
 * The recorder of Go's cilium/ebpf: a copy of the library in which bpf(2) asks fake-kernel.c. It loads each program by
 * itself. Close it: it has a temporary folder.
 */
export class CiliumRecorder implements Recorder {
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-recorder-"));
  readonly #enter = join(this.#folder, "enter");
  readonly #program = join(this.#folder, "recorder");

  private constructor(
    goPath: string,
    readonly version: string,
  ) {
    const file = (name: string) => join(import.meta.dirname, name);
    const [object, archive] = ["fake-kernel.o", "fake-kernel.a"].map((name) => join(this.#folder, name)) as [
      string,
      string,
    ];
    const flags = ["-O1", "-Wall", "-Wextra", "-Werror"];
    execFileSync("gcc", [...flags, "-c", "-o", object, file("fake-kernel.c")]);
    execFileSync("ar", ["rcs", archive, object]);
    execFileSync("gcc", [...flags, "-o", this.#enter, file("enter.c"), object]);
    const library = join(this.#folder, LIBRARY);
    cpSync(join(goPath, LIBRARY), library, { recursive: true, dereference: true });
    withoutBpf(join(library, "internal/sys/syscall.go"));
    cpSync(file("cilium/bpf.go"), join(library, "internal/sys/bpf.go"));
    mkdirSync(join(library, "cmd/recorder"), { recursive: true });
    cpSync(file("cilium/main.go"), join(library, "cmd/recorder/main.go"));
    execFileSync("go", ["build", "-o", this.#program, "github.com/cilium/ebpf/cmd/recorder"], {
      stdio: "pipe",
      env: {
        ...process.env,
        GO111MODULE: "off",
        GOPATH: `${this.#folder}:${GO_PATH}`,
        GOFLAGS: "",
        GOTOOLCHAIN: "local",
        CGO_ENABLED: "1",
        CGO_CFLAGS: `-I${import.meta.dirname}`,
        CGO_LDFLAGS: archive,
      },
    });
  }

  /** The recorder, or why this machine cannot have it. */
  static open(goPath = GO_PATH): CiliumRecorder | string {
    if (process.getuid?.() !== 0) return "needs root, for a mount namespace";
    if (spawnSync("go", ["version"]).status !== 0 || spawnSync("gcc", ["--version"]).status !== 0)
      return "needs gcc and golang-go";
    if (!existsSync(join(goPath, LIBRARY))) return "needs golang-github-cilium-ebpf-dev";
    const { stdout } = spawnSync("dpkg-query", ["-W", "golang-github-cilium-ebpf-dev"], { encoding: "utf8" });
    return new CiliumRecorder(goPath, `cilium/ebpf ${stdout.trim().split("\t")[1]}`);
  }

  record(kernel: string, objects: readonly InstalledObject[]): Recordings {
    const recordings = withFiles(objects, (paths) =>
      execFileSync(this.#enter, [kernel, this.#program, kernel, ...paths], { encoding: "utf8", maxBuffer: 1 << 30 }),
    );
    return { ...recordings, loader: this.version };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Removes the function BPF, which cilium/bpf.go replaces. */
function withoutBpf(path: string): void {
  const text = readFileSync(path, "utf8");
  const without = text
    .replace(/\/\/ BPF wraps SYS_BPF\..*?\n\}\n/s, "")
    .replace(/^\t"runtime"\n/m, (line) => (/\bruntime\./.test(text.replace(/^func BPF.*?\n\}\n/ms, "")) ? line : ""));
  if (without === text) throw new Error(`${path} has no function BPF`);
  writeFileSync(path, without);
}
