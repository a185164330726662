import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { programNamed } from "../virtual-machine/virtual-machine.js";

/** Kernel modules that attacks load, as `/lib/NAME.ko` of the guest. An attack is skipped if it lacks one. */
export const ATTACK_MODULES: readonly string[] = ["dummy", "msr", "efivarfs", "arcnet", "arc-rawmode", "arc-rimi"];

/** Those of a folder of a kernel's modules (/lib/modules/RELEASE), uncompressed, by name; none without a folder. */
export function attackModules(folder: string | null): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (folder === null || !existsSync(folder)) return found;
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const [, name = "", compression] = /^(.*)\.ko(\.xz)?$/.exec(basename(entry)) ?? [];
    if (!ATTACK_MODULES.includes(name)) continue;
    const path = join(folder, entry);
    found.set(name, compression === undefined ? readFileSync(path) : decompressed(path));
  }
  return found;
}

function decompressed(path: string): Uint8Array {
  return spawnSync(programNamed("busybox", "busybox-static"), ["xzcat", path], { maxBuffer: 1 << 28 }).stdout;
}
