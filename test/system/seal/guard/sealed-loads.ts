import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "vitest";
import { CLASSES_MAP, encodeClasses, type GuardClasses, NO_CLASSES } from "../../../../src/seal/classes.js";
import { imageOfFiles } from "../../../../src/seal/files/image-of-files.js";
import type { FileList } from "../../../../src/seal/files.js";
import { type ImageOptions, imageOf } from "../../../../src/seal/image/image.js";
import type { ListEntry } from "../../../../src/seal/list/list-entry.js";
import { GUARD_VERSION } from "../../../../src/seal/list/list-header.js";
import { encodeTables } from "../../../../src/seal/list/list-tables.js";
import { classesDigest } from "../../../../src/seal/list.js";
import { STATUS } from "../../../../src/seal/status/status-layout.js";
import { own } from "../../../support/workplace.js";
import type { BootOptions } from "../../guest/guest.js";
import { SealGuest } from "../guests/seal-guest.js";
import type { SealKernel } from "../guests/seal-kernels.js";
import { loaderBinary } from "../guests/sealed-guest.js";
import { withNumberedSites } from "./call-sites.js";

const MODES = { audit: 1, enforce: 2 } as const;

/** The guard, compiled with more flags of clang. */
export function compiledGuard(flags: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "guard-"));
  const object = join(folder, "guard.o");
  const always = ["-O2", "-g", "-mcpu=v3", "-target", "bpf", "-D__TARGET_ARCH_x86", "-I/usr/include/x86_64-linux-gnu"];
  execFileSync("clang-19", [...always, ...flags, "-c", own("src/seal/guard/guard.bpf.c"), "-o", object]);
  const bytes = readFileSync(object);
  rmSync(folder, { recursive: true });
  return bytes;
}

export interface Sealing {
  readonly entries: readonly ListEntry[];
  readonly mode?: keyof typeof MODES;
  readonly classes?: GuardClasses;
  /** The variable guard_open. */
  readonly open?: number;
  /** The guard; without it the one of this project. */
  readonly object?: Uint8Array;
  readonly keys?: NonNullable<ImageOptions["keys"]>;
  /** The files that must be listed. */
  readonly files?: FileList | null;
  /** First contents of the map guard_fault of failing.h. */
  readonly fault?: Uint8Array;
  /** SHA-256 of the BTF of the kernel; zero: any. */
  readonly kernelBtf?: string;
}

export function sealedImage({
  entries,
  mode = "enforce",
  classes = NO_CLASSES,
  open = 0,
  object,
  keys = {},
  files = null,
  fault,
  kernelBtf,
}: Sealing): Uint8Array {
  const tables = encodeTables(entries);
  const status = Buffer.alloc(STATUS.size);
  status.writeUInt32LE(entries.length, STATUS.words.list_entries);
  status.writeBigUInt64LE(1n, STATUS.longs.generation);
  status.write(classesDigest(classes), STATUS.digests.classes_digest, "hex");
  const ofFiles = files === null ? { settings: {}, contents: {} } : imageOfFiles(files);
  const image = imageOf(object ?? readFileSync(own("src/seal/guard/guard.bpf.o")), {
    ...{ mode: MODES[mode], guardVersion: GUARD_VERSION, onFailure: "halt", status, keys },
    ...(kernelBtf === undefined ? {} : { kernelBtf }),
    settings: { guard_open: open, ...ofFiles.settings },
    contents: {
      ...{ guard_list_a: tables.entries, guard_records_a: tables.records, [CLASSES_MAP]: encodeClasses(classes) },
      ...ofFiles.contents,
      ...(fault === undefined ? {} : { guard_fault: fault }),
    },
  });
  return object === undefined ? image : withNumberedSites(image);
}

export interface LoadsOptions extends BootOptions {
  /** More files of the guest, by their paths. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/** What a script wrote in a guest that has a program, and an image if it is to be sealed. */
export class Loads {
  private constructor(readonly output: string) {}

  /** Returns the reason if there can be no guest on this machine. */
  static run(
    kernel: SealKernel,
    file: string,
    script: string,
    sealing: Sealing | null = null,
    { files = {}, ...options }: LoadsOptions = {},
  ): Loads | string {
    const guest = SealGuest.make(kernel);
    if (typeof guest === "string") return guest;
    try {
      guest.program(file, `bin/${basename(file)}`);
      for (const [path, bytes] of Object.entries(files)) guest.file(path, bytes);
      guest.file("bin/loader", loaderBinary(), 0o755);
      if (sealing !== null) guest.file("lib/guard.image", sealedImage(sealing));
      const { status, output, console } = guest.run(script, options);
      expect(status, console.slice(-3000)).toBe(0);
      return new Loads(output);
    } finally {
      guest.remove();
    }
  }

  /** What each load came to, by its name: `loaded`, the reason of a denial, or an errno other than EPERM. */
  get outcomes(): ReadonlyMap<string, string> {
    const lines = this.output.matchAll(/^(.*?): (?:(loaded) -|EPERM ([a-z_]+)|(.*))$/gm);
    return new Map([...lines].map(([, name, ...rest]) => [name!, rest.find((each) => each !== undefined)!]));
  }

  /** The ids of functions in the kernel's BTF, which `loads ids` prints. */
  get ids(): ReadonlyMap<string, number> {
    return new Map([...this.output.matchAll(/^id (\S+) (\d+)$/gm)].map(([, name, id]) => [name!, Number(id)]));
  }
}
