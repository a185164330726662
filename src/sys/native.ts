import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { workerData } from "node:worker_threads";
import type installed from "koffi";

export type Koffi = typeof installed;

/** An unnamed copy of the native module's file. */
interface PrivateCopy {
  /** The path by which every thread of this process loads the module. */
  readonly path: string;
  readonly fd: number;
}

let loaded: Koffi | undefined;
let copy: PrivateCopy | null = null;

/** The native module, loaded at its first use in a thread. */
export function koffi(): Koffi {
  loaded ??= loadFrom(workerData?.image?.natives?.koffi) ?? (require("koffi") as Koffi);
  return loaded;
}

/**
 * Loads the native module from a private copy of its file. Call this before anything else loads the module. The
 * original file is then not mapped: a process that can write to a mapped file changes the code that is executed. If no
 * folder allows executing such a copy, the original file is used.
 */
export function usePrivateCopy(): void {
  if (loaded !== undefined || process.platform !== "linux") return;
  for (const file of FILES)
    for (const folder of ["/dev/shm", tmpdir()]) {
      let fd = -1;
      try {
        fd = unnamedFile(folder, readFileSync(createRequire(require.resolve("koffi")).resolve(file)));
        const path = `/proc/self/fd/${fd}`;
        loaded = loadFrom(path)!;
        copy = { path, fd };
        return;
      } catch {
        if (fd >= 0) closeSync(fd);
      }
    }
}

/**
 * Returns the path from which other threads load the module: the copy, or the file that this thread has loaded. The
 * dynamic linker has it loaded already and does not open it again.
 */
export function nativePath(): string {
  koffi();
  return copy?.path ?? Object.keys(require.cache).find((path) => path.endsWith(".node") && path.includes("koffi"))!;
}

/** The fd of the copy, which is the gate's own; negative if there is none. */
export function copyFd(): number {
  return copy?.fd ?? -1;
}

const require = createRequire(import.meta.url);

/** The files that koffi's loader tries in this order, for glibc and for musl. */
const FILES = ["linux_x64", "musl_x64"].map((libc) => `@koromix/koffi-linux-x64/${libc}/koffi.node`);

function loadFrom(path: string | undefined): Koffi | undefined {
  if (path === undefined) return undefined;
  const module = { exports: {} as Koffi };
  process.dlopen(module, path);
  return module.exports;
}

/** O_TMPFILE | O_RDWR | O_EXCL (open(2)): an unnamed file that can never be linked to a name. */
const UNNAMED = 0o20200202;

/** Creates an unnamed file with these bytes and returns a read-only fd of it. */
function unnamedFile(folder: string, bytes: Uint8Array): number {
  const fd = openSync(folder, UNNAMED, 0o500);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    return openSync(`/proc/self/fd/${fd}`, "r");
  } finally {
    closeSync(fd);
  }
}
