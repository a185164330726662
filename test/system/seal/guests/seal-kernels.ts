import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { available, debianArchive, keep, keptAs, Unavailable } from "../../core/debian-archive.js";

/**
 * Debian's kernels for guests: patterns of the packages with image and modules. The cloud flavour is small, boots in a
 * few seconds, and has the same options for BPF; only the generic one has drivers of real devices. Of several versions
 * the newest is taken.
 */
export const SEAL_KERNELS = {
  "6.1": /^linux-image-6\.1\.0-\d+-cloud-amd64$/,
  "6.12": /^linux-image-6\.12\.\d+\+deb13-cloud-amd64$/,
  "6.12-generic": /^linux-image-6\.12\.\d+\+deb13-amd64$/,
  "6.18": /^linux-image-6\.18\.\d+\+deb13-cloud-amd64$/,
  "7.2": /^linux-(?:binary|modules)-7\.2\.\d+\+deb1[34]-cloud-amd64$/,
  "7.3": /^linux-(?:binary|modules)-7\.3\.\d+\+deb1[34]-cloud-amd64$/,
} as const;

export type SealKernel = keyof typeof SEAL_KERNELS;

/** Modules that guests load. */
const MODULES = ["binfmt_misc", "dm-mod", "dummy", "efivarfs", "fuse", "msr", "overlay", "virtio_blk"];

/** Modules of devices, which only the generic kernel has. */
const DEVICE_MODULES = ["arcnet", "arc-rawmode", "arc-rimi"];

/** UEFI firmware of Debian's package ovmf, without Secure Boot. Generic kernels start on it. */
const FIRMWARE = "/usr/share/ovmf/OVMF.fd";

/** How the names of kept folders begin; another one when they have other files. */
const KEPT = "guest-5_";

/** A kernel for guests, whose packages are fetched where it is not there yet. */
export interface GuestKernel {
  readonly name: SealKernel;
  /** The bzImage. */
  readonly image: string;
  /** The firmware that starts it; null for the BIOS of qemu. */
  readonly firmware: string | null;
  /** A module, uncompressed. Throws if it is not in {@link MODULES} or is built in. */
  module(name: string): Uint8Array;
  /** Some modules by name, without those that this kernel has built in. */
  modules(names: readonly string[]): ReadonlyMap<string, Uint8Array>;
}

/**
 * Takes the kernel that is kept, if there is one: the packages of another version are fetched only by nightly runs.
 * Returns the reason if the kernel cannot be had on this machine.
 */
export function sealKernel(name: SealKernel): GuestKernel | string {
  const firmware = name.endsWith("-generic") ? FIRMWARE : null;
  if (firmware !== null && !existsSync(firmware)) return "needs ovmf";
  const known = process.env.COUNTERSIGN_NIGHTLY === undefined ? keptAs(KEPT, SEAL_KERNELS[name]) : null;
  const kept = known === null ? available(() => fetched(name)) : { folder: known };
  if (typeof kept === "string") return kept;
  const module = (file: string) => readFileSync(join(kept.folder, `${file}.ko`));
  const isFile = (file: string) => UNPACKED.includes(file) && existsSync(join(kept.folder, `${file}.ko`));
  return {
    name,
    image: join(kept.folder, "vmlinuz"),
    firmware,
    module,
    modules: (names) => new Map(names.filter(isFile).map((file) => [file, module(file)])),
  };
}

function fetched(name: SealKernel): { readonly folder: string } {
  const archive = debianArchive();
  const newest = new Map<string, string>();
  for (const each of archive.kernelPackages(SEAL_KERNELS[name])) newest.set(each.split("-")[1]!, each);
  if (newest.size === 0) throw new Unavailable(`no suite of Debian has a kernel ${name}`);
  const packages = [...newest.values()];
  return keep(`${KEPT}${packages[0]}_${archive.version(packages[0]!)}`, (work) => {
    for (const each of packages) unpack(archive.download(each, work), work);
  });
}

const UNPACKED = [...MODULES, ...DEVICE_MODULES];

/** Takes the kernel and modules from a package, and removes the package. */
function unpack(archive: string, to: string): void {
  const wanted = ["*/vmlinuz*", "*/config-*", ...UNPACKED.map((name) => `*/${name}.ko*`)];
  // tar fails for a pattern that matches nothing.
  const command =
    'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards --transform="s,.*/,," "$@" 2>&1 | ' +
    'grep -v "Not found in archive\\|previous errors"; true';
  const { stdout } = spawnSync("sh", ["-c", command, archive, ...wanted], { cwd: to, encoding: "utf8" });
  if (stdout !== "") throw new Unavailable(`${basename(archive)}: ${stdout.trim()}`);
  rmSync(archive);
  for (const file of readdirSync(to)) {
    const path = join(to, file);
    if (file.startsWith("vmlinuz-")) renameSync(path, join(to, "vmlinuz"));
    if (file.endsWith(".ko.xz")) {
      const { stdout: module } = spawnSync("busybox", ["xzcat", path], { maxBuffer: 1 << 28 });
      writeFileSync(path.slice(0, -3), module);
      rmSync(path);
    }
  }
}
