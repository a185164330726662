/**
 * The modules that `seal build --modules` lists are those that a sealed kernel takes; and what an audit records is what
 * `learn` makes a file of.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeFileList, type FileList, parseFileList } from "../../../src/seal/files.js";
import { sealImage } from "../../../src/seal/sealing.js";
import { reasonNumber } from "../../../src/seal/status/reasons.js";
import { runCommand } from "../../support/command-line.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const DENIED = `EPERM ${reasonNumber("module")}`;
const MODULES = ["dummy", "msr"];

/** The modules of a guest as a kernel's package has them: one compressed, one not. */
function treeOf(guest: SealGuest): ReadonlyMap<string, Uint8Array> {
  const [dummy, msr] = MODULES.map((name) => guest.kernel.module(name));
  return new Map<string, Uint8Array>([
    ["kernel/drivers/net/dummy.ko", dummy!],
    ["kernel/arch/x86/kernel/msr.ko.gz", gzipSync(msr!)],
    ["modules.dep", Buffer.from("kernel/drivers/net/dummy.ko:\nkernel/arch/x86/kernel/msr.ko.gz:\n")],
  ]);
}

/** What `seal build` lists for the kernel of a guest, in a root directory whose machine has `loaded`. */
async function listFor(guest: SealGuest, loaded: string, choice: string): Promise<FileList> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-present-modules-"));
  const at = (name: string) => join(folder, name);
  const write = (name: string, bytes: Uint8Array | string) => {
    mkdirSync(join(at(name), ".."), { recursive: true });
    writeFileSync(at(name), bytes);
  };
  write("c.yaml", "version: 1\nattachments: []\n");
  write("names", "dummy\n");
  write("root/proc/modules", loaded);
  const release = releaseOf(guest);
  for (const [name, bytes] of treeOf(guest)) write(`root/lib/modules/${release}/${name}`, bytes);
  const words = ["--config", at("c.yaml"), "--btf", guest.kernel.image, "--root", at("root"), "--out", at("lists")];
  const modules = choice === "FILE" ? at("names") : choice;
  const { code, err } = await runCommand("seal", "build", ...words, "--modules", modules);
  expect(code, err).toBe(0);
  const file = readdirSync(at("lists")).find((name) => name.endsWith(".files"))!;
  const list = parseFileList(readFileSync(at(`lists/${file}`)));
  rmSync(folder, { recursive: true });
  return list;
}

/** The release in the header of a bzImage (Documentation/arch/x86/boot.rst, kernel_version). */
function releaseOf({ kernel }: SealGuest): string {
  const image = readFileSync(kernel.image);
  const at = image.readUInt16LE(0x20e) + 0x200;
  return image.toString("latin1", at, image.indexOf(0x20, at));
}

const LOADS = MODULES.map((name) => `load-module ${name} finit /lib/${name}.ko`).join("\n");

function prepare(guest: SealGuest, files: FileList, mode: "audit" | "enforce"): void {
  guest.file("lib/guard.image", sealImage({ mode, list: null, files }));
  guest.file("bin/loader", loaderBinary(), 0o755);
  guest.file("bin/load-module", compileProgram("load-module"), 0o755);
  for (const name of MODULES) guest.file(`lib/${name}.ko`, guest.kernel.module(name));
}

/** How each load ended in a guest that is sealed by a list. */
async function loadsIn(kernel: SealKernel, loaded: string, choice: string): Promise<string> {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  prepare(guest, await listFor(guest, loaded, choice), "enforce");
  const { output, status, console } = guest.run(`loader --log /lib/guard.image\n${LOADS}`);
  guest.remove();
  if (status === null) throw new Error(console.slice(-3000));
  return output;
}

/** What `learn` writes in a guest under audit, whose list has no module. */
function learntIn(kernel: SealKernel): string {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  prepare(guest, parseFileList(encodeFileList({ modules: [], executables: null })), "audit");
  guest.countersign();
  for (const [name, bytes] of treeOf(guest)) guest.file(`machine/lib/modules/${releaseOf(guest)}/${name}`, bytes);
  const { output, status, console } = guest.run(
    `
loader --log /lib/guard.image
${LOADS}
mount -t tmpfs tmpfs /root; cd /root
countersign() { node /countersign/bin/countersign.js "$@"; }
countersign seal log > log.jsonl
countersign learn --root /machine --out out log.jsonl 2>/dev/null; echo "exit $?"
cat out/modules
`,
    { seconds: 850, memory: 1536 },
  );
  guest.remove();
  if (status === null) throw new Error(console.slice(-3000));
  return output;
}

const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;

describe.for(testedKernels())("modules that `seal build --modules` lists, on %s", (kernel) => {
  const cases = [
    ["present", "msr 16384 0 - Live 0x0\n", `dummy: ${DENIED}\nmsr: ok\n`],
    ["FILE", "", `dummy: ok\nmsr: ${DENIED}\n`],
  ] as const;
  it.for(cases.slice(0, isNightly ? 2 : 1))(
    "%s: are loaded, and no others",
    { timeout: 900_000 },
    async ([choice, loaded, results], { skip }) => {
      const output = await loadsIn(kernel, loaded, choice);
      if (!output.includes("\n")) return skip(output);
      expect(output).toContain('"sealed":true');
      expect(output).toContain(results);
    },
  );

  it("are learnt from an audit", { timeout: 900_000 }, ({ skip }) => {
    if (!isNightly) return skip("takes minutes: see npm run test:nightly");
    const output = learntIn(kernel);
    if (!output.includes("\n")) return skip(output);
    expect(output).toContain("dummy: ok");
    expect(output).toMatch(/^learnt 2 kernel modules: dummy, msr\n[\s\S]*exit 0\n# .*\ndummy\nmsr\n/m);
  });
});
