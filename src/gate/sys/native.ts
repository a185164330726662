import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { workerData } from "node:worker_threads";
import type installed from "koffi";

export type Koffi = typeof installed;

/** A copy of the native module's file that no path leads to. */
interface PrivateCopy {
  /** By which every thread of this process loads it. */
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
 * Loads the native module from a copy of its file, before anything else loads it. The file itself is mapped nowhere
 * then: whoever may write to a mapped file changes what is executed. Without a folder that such a copy can be executed
 * from, the file is used.
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
 * What other threads are to load: the copy, or the file that this thread has loaded. The dynamic linker opens neither
 * again.
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

/** What the loader of koffi tries, in turn, for glibc and for musl. */
const FILES = ["linux_x64", "musl_x64"].map((libc) => `@koromix/koffi-linux-x64/${libc}/koffi.node`);

function loadFrom(path: string | undefined): Koffi | undefined {
  if (path === undefined) return undefined;
  const module = { exports: {} as Koffi };
  process.dlopen(module, path);
  return module.exports;
}

/** O_TMPFILE | O_RDWR | O_EXCL of Linux: a file that has never had a name, and can be given none. */
const UNNAMED = 0o20200202;

/** An unnamed file with these bytes, opened for reading. */
function unnamedFile(folder: string, bytes: Uint8Array): number {
  const fd = openSync(folder, UNNAMED, 0o500);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    return openSync(`/proc/self/fd/${fd}`, "r");
  } finally {
    closeSync(fd);
  }
}
