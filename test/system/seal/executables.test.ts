import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { encodeFileList, parseFileList } from "../../../src/seal/files.js";
import { fsVerityDigest } from "../../../src/seal/fs-verity.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { reasonNumber } from "../../../src/seal/status/reasons.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const DENIED = `EPERM ${reasonNumber("executable")}`;

/** What start-files.c prints of each case on a machine that was sealed in the initramfs. */
const EXPECTED: Readonly<Record<string, string>> = {
  "initramfs, before the root": "ok",
  "unlisted, before the root": DENIED,
  "copy in memory, before the root": DENIED,
  "unlisted, mapped before the root": DENIED,
  listed: "ok",
  "initramfs, after the root": DENIED,
  unlisted: DENIED,
  "copy without fs-verity": DENIED,
  "copy in memory": DENIED,
  memfd: DENIED,
  "script that is not listed": DENIED,
  "interpreter of binfmt_misc": DENIED,
  "interpreter that binfmt_misc opened before": DENIED,
  "interpreter of binfmt_misc, listed": "ok",
  "file of FUSE": DENIED,
  "file of FUSE, mapped": DENIED,
  "listed, on overlayfs": DENIED,
  "listed, mapped": "ok",
  "unlisted, mapped": DENIED,
  "unlisted, mapped for reading": "ok",
  "memory, mapped": "ok",
  "listed, again": "ok",
  "changed on its device": "EIO",
  "swapped on its device": "EIO",
};

const MODULES = ["virtio_blk", "dm-mod", "overlay", "binfmt_misc", "fuse"];

/** Around the sizes at which the tree gets another block, or another level. */
const SIZES = [0, 1, 4095, 4096, 4097, 127 * 4096, 128 * 4096, 129 * 4096, 1 << 20];

const contents = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, at) => at * 7 + (at >> 8) * 13);

/** A program whose ELF header has a mark in its unused bytes, so that each has another digest. */
function marked(program: Uint8Array, mark: string): Buffer {
  const bytes = Buffer.from(program);
  bytes.write(mark.padEnd(7, "."), 9, "latin1");
  return bytes;
}

function boot(kernel: SealKernel) {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const ok = compileProgram("ok");
  const programs = { listed: "LISTED", other: "OTHER", changed: "CHANGED", swapped: "SWAPPED", unlisted: "NOT" };
  const files = new Map<string, Uint8Array>(Object.entries(programs).map(([name, mark]) => [name, marked(ok, mark)]));
  const executables = ["listed", "other", "changed", "swapped"].map((name) => fsVerityDigest(files.get(name)!));
  files.set("script", Buffer.from("#!/mnt/listed\n"));
  for (const size of SIZES) files.set(`size-${size}`, contents(size));
  const work = mkdtempSync(join(tmpdir(), "seal-ext4-"));
  const [root, disk] = [join(work, "root"), join(work, "disk")];
  mkdirSync(root);
  for (const [name, bytes] of files) writeFileSync(join(root, name), bytes, { mode: 0o755 });
  execFileSync("mkfs.ext4", ["-q", "-b", "4096", "-O", "verity", "-d", root, disk, "64M"]);
  const modules = guest.kernel.modules(MODULES);
  for (const [name, bytes] of modules) guest.file(`lib/${name}.ko`, bytes);
  for (const name of ["start-files", "serve-file"]) guest.file(`bin/${name}`, compileProgram(name), 0o755);
  guest.file("bin/ok", ok, 0o755);
  const list = parseFileList(encodeFileList({ modules: null, executables }));
  const { output, console } = guest.run(
    `
${[...modules.keys()].map((name) => `insmod /lib/${name}.ko`).join("\n")}
mkdir -p /mnt
start-files dm
mount -t ext4 /dev/dm-0 /mnt
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
serve-file /fuse /mnt/listed /mnt/unlisted
exec start-files ${SIZES.map((size) => `/mnt/size-${size}`).join(" ")}
`,
    {
      fragments: [sealFragment({ mode: "enforce", list: null, files: list }, "halt")],
      commandLine: `rdinit=${SEAL_INIT}`,
      devices: ["-drive", `file=${disk},if=none,id=disk,format=raw`, "-device", "virtio-blk-pci,drive=disk"],
      seconds: 850,
    },
  );
  guest.remove();
  rmSync(work, { recursive: true });
  if (output === "") throw new Error(console.slice(-3000));
  return output;
}

describe("executables", () => {
  it.for(testedKernels())(
    "%s: start if their fs-verity digest is listed, and nothing else once the root started",
    { timeout: 900_000 },
    (kernel, { skip }) => {
      const output = boot(kernel);
      if (!output.includes("\n")) return skip(output);
      const lines = output.matchAll(/^(.*?): ((?:ok|E[A-Z]+)(?: \d+)*)$/gm);
      const results = Object.fromEntries([...lines].map(([, name, result]) => [name, result]));
      expect(results).toEqual(EXPECTED);
      for (const name of casesOf("executables")) expect([DENIED, "EIO"], name).toContain(results[name]);
      const measured = output.matchAll(/^measured \/mnt\/size-(\d+) (\w+)$/gm);
      expect([...measured].map(([, size, digest]) => [Number(size), digest])).toEqual(
        SIZES.map((size) => [size, fsVerityDigest(contents(size))]),
      );
    },
  );
});
