import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { available, debianArchive, keep, Unavailable } from "./debian-archive.js";
import { writeKernelFolder } from "./kernel-folder.js";

/**
 * Kernels of Debian's suites, by name: a pattern for the packages of image and modules. Of several versions the newest
 * is taken.
 */
export const DEBIAN_KERNELS = {
  "6.1": /^linux-image-6\.1\.0-\d+-amd64$/,
  "6.12": /^linux-image-6\.12\.\d+\+deb13-amd64$/,
  "6.18": /^linux-image-6\.18\.\d+\+deb13-amd64$/,
  "7.2": /^linux-(?:base|binary|modules)-7\.2\.\d+\+deb1[34]-amd64$/,
  "7.3": /^linux-(?:base|binary|modules)-7\.3\.\d+\+deb1[34]-amd64$/,
} as const;

export type DebianKernel = keyof typeof DEBIAN_KERNELS;

/**
 * Modules whose BTF counts as loaded, in the order of their BTF ids: those that Debian's tools trace, and some with
 * kfuncs and struct_ops types.
 */
export const MODULES =
  `nf_conntrack nf_nat nf_tables ext4 xfs btrfs nfs kvm nvme_core nvme tcp_bbr tcp_dctcp xfrm_interface
  nf_flow_table veth tun bridge cfg80211 hid`.split(/\s+/);

/**
 * The folder of a kernel (kernel-folder.ts), whose packages are fetched where it is not there yet; or why it cannot be
 * had on this machine.
 */
export function debianKernel(kernel: DebianKernel): { readonly folder: string } | string {
  return available(() => {
    const archive = debianArchive();
    const newest = new Map<string, string>();
    for (const name of archive.kernelPackages(DEBIAN_KERNELS[kernel])) newest.set(name.split("-")[1]!, name);
    if (newest.size === 0) throw new Unavailable(`no suite of Debian has a kernel ${kernel}`);
    const names = [...newest.values()];
    return keep(`${names.at(-1)}_${archive.version(names.at(-1)!)}`, (work) => {
      const files = join(work, "files");
      mkdirSync(files);
      for (const name of names) unpack(archive.download(name, work), files);
      describe(files, work);
      rmSync(files, { recursive: true });
    });
  });
}

/** The packages of a kernel as Debian ships them, by the first part of their names; or what this machine lacks. */
export function packagesOf(kernel: DebianKernel): ReadonlyMap<string, string> | string {
  return available(() => {
    const archive = debianArchive();
    const newest = new Map<string, string>();
    for (const name of archive.kernelPackages(DEBIAN_KERNELS[kernel])) newest.set(name.split("-")[1]!, name);
    if (newest.size === 0) throw new Unavailable(`no suite of Debian has a kernel ${kernel}`);
    const last = [...newest.values()].at(-1)!;
    const { folder } = keep(`packages_${last}_${archive.version(last)}`, (work) => {
      for (const name of newest.values()) archive.download(name, work);
    });
    const files = readdirSync(folder);
    return new Map(
      [...newest].map(([part, name]) => [part, join(folder, files.find((file) => file.startsWith(`${name}_`))!)]),
    );
  });
}

/** Unpacks the kernel, its configuration and MODULES, and removes the package. */
function unpack(archive: string, to: string): void {
  const wanted = ["*/vmlinuz*", "*/config*", ...MODULES.map((name) => `*/${name.replaceAll("_", "[-_]")}.ko*`)];
  // tar fails for a pattern that matches nothing.
  const unpacked = spawnSync(
    "sh",
    [
      "-c",
      'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards "$@" 2>&1 | grep -v "Not found in archive\\|previous errors"; true',
      archive,
      ...wanted,
    ],
    { cwd: to, encoding: "utf8" },
  );
  if (unpacked.stdout !== "") throw new Unavailable(`${basename(archive)}: ${unpacked.stdout.trim()}`);
  rmSync(archive);
}

function describe(files: string, to: string): void {
  const paths = readdirSync(files, { recursive: true, encoding: "utf8" }).map((name) => join(files, name));
  const named = (pattern: RegExp) => paths.find((path) => pattern.test(basename(path)));
  const image = named(/^vmlinuz/);
  const config = named(/^config(?:-|$)/);
  if (image === undefined || config === undefined) throw new Unavailable(`${files} has no kernel, or no configuration`);
  const bytes = readFileSync(image);
  // `6.12.117+deb13-amd64 (debian-kernel@…) #1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1 (2026-…)`: kernel_version of
  // Documentation/arch/x86/boot.rst
  const banner = 0x200 + bytes.readUInt16LE(0x20e);
  const text = bytes.subarray(banner, bytes.indexOf(0, banner)).toString("latin1");
  const vmlinux = join(files, "vmlinux");
  writeFileSync(vmlinux, decompress(bytes));
  writeKernelFolder(to, {
    release: text.split(" ")[0]!,
    version: text.slice(text.indexOf("#")),
    config: readFileSync(config),
    kallsyms: KALLSYMS,
    vmlinux: btfOf(vmlinux),
    modules: MODULES.flatMap((name) => {
      const path = named(new RegExp(`^${name.replaceAll("_", "[-_]")}\\.ko(?:\\.xz)?$`));
      if (path === undefined) return [];
      if (path.endsWith(".xz")) execFileSync("unxz", [path]);
      return [{ name, btf: btfOf(path.replace(/\.xz$/, "")) }];
    }),
  });
}

/**
 * Debian's packages have no addresses, and they would be others at each boot. These are made up: with a symbol that is
 * there twice at one address, one of a module, and one of each kind of symbol.
 */
const KALLSYMS = `ffffffff81000000 T _text
ffffffff81000000 T _stext
ffffffff812345a0 T vfs_read
ffffffff81c0ffe0 d init_task.1
ffffffff82a1b2c0 D init_task
ffffffff82b00000 D jiffies
ffffffff82b00000 D jiffies_64
ffffffff83000010 B bpf_prog_active
ffffffff8300a000 t duplicate_symbol
ffffffff8300a000 t duplicate_symbol
0000000000034980 A runqueues
ffffffffc0123450 t nf_ct_get_tuple\t[nf_conntrack]
`;

function btfOf(file: string): Uint8Array {
  const to = `${file}.btf`;
  execFileSync("objcopy", ["--dump-section", `.BTF=${to}`, file, "/dev/null"], { stdio: ["ignore", "ignore", "pipe"] });
  return readFileSync(to);
}

/** The kernel of a bzImage (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length). */
function decompress(image: Buffer): Buffer {
  const start = ((image[0x1f1]! || 4) + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
  const zstd = payload.readUInt32BE(0) === 0x28b52ffd;
  const [tool, ...flags] = zstd ? ["zstd", "-dcq"] : ["xz", "-dcq", "--single-stream"];
  // The stream is followed by its size in four bytes, which zstd reports as an error.
  const { stdout } = spawnSync(tool!, flags, { input: payload, maxBuffer: 1 << 28 });
  if (!(stdout?.length > 0)) throw new Unavailable(`cannot decompress the kernel: needs ${tool}`);
  return stdout;
}
