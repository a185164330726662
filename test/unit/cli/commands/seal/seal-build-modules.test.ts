import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elfOf } from "../../../../../src/bpf/assembly/elf-writer.js";
import { CHOICES } from "../../../../../src/cli/input/module-choice.js";
import { moduleNameOf } from "../../../../../src/cli/kernel/modules/module-btf.js";
import { parseFileList } from "../../../../../src/seal/files.js";
import { parseList } from "../../../../../src/seal/list.js";
import { runCommand } from "../../../../support/command-line.js";
import { bootImage } from "../../../../support/kernel-files.js";
import { initramfsWith, writeMachine, writeModuleTree } from "../../../../support/module-tree.js";
import { switchKernel } from "../../../../support/switch-kernel.js";
import { own } from "../../../../support/workplace.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-seal-modules-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RELEASE = "6.12.1-test";
const MODULE = own("test/unit/cli/kernel/fixtures/module.ko.xz");

beforeAll(() => {
  const vmlinux = elfOf({ name: ".BTF", type: 1, data: switchKernel().bytes() });
  writeFileSync(at("vmlinuz"), bootImage(gzipSync(vmlinux), null, RELEASE));
  writeFileSync(at("kernel.btf"), switchKernel().bytes());
  writeFileSync(at("c.yaml"), "version: 1\nattachments: []\n");
  writeFileSync(at("deny.js"), "export const kernel_read_file = () => -1;");
  writeFileSync(at("parameters.js"), 'export const kernel_read_file = (file) => (file.parameters === "" ? 0 : -1);');
  writeFileSync(at("parameters.yaml"), "version: 1\nattachments: [{ policy: parameters.js }]\n");
  writeFileSync(at("audit.yaml"), "version: 1\nattachments: [{ policy: parameters.js, mode: audit }]\n");
  writeFileSync(at("rule.yaml"), "version: 1\nattachments: [{ policy: deny.js }]\n");
  writeModuleTree(at("root"), RELEASE, MODULE);
  writeMachine(at("root"), ["ext4", "gone"], ["virtio:d00000001v00001AF4"]);
  mkdirSync(at("root/boot"));
  const early = Buffer.concat([initramfsWith(RELEASE, []), Buffer.alloc(512)]);
  const main = gzipSync(initramfsWith(RELEASE, ["nvme"]));
  writeFileSync(at(`root/boot/initrd.img-${RELEASE}`), Buffer.concat([early, main]));
  writeModuleTree(at("bare"), RELEASE, MODULE);
  mkdirSync(at("empty"));
  writeFileSync(at("names"), "# mine\nnf-tables\nnosuch\n./extra/own.ko.xz\n");
  mkdirSync(at("extra"));
  writeFileSync(at("extra/own.ko.xz"), readFileSync(MODULE));
  writeFileSync(at("bad"), "ext4\ntwo words\n");
});

const list = (name: string) => at(`lists/${RELEASE}.${name}`);

/** Builds the lists of a kernel without programs. */
async function build(...words: readonly string[]) {
  rmSync(at("lists"), { recursive: true, force: true });
  const config = words.includes("--config") ? [] : ["--config", at("c.yaml")];
  const kernel = words.includes("--btf") ? [] : ["--btf", at("vmlinuz")];
  const common = [...config, ...kernel, "--out", at("lists"), "--no-probes", "--json"];
  const { code, out, err } = await runCommand("seal", "build", ...common, ...words);
  const parsed = out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
  const rows = parsed.filter(({ kind }) => kind === "module");
  const names = rows.map(({ file }) => moduleNameOf(file)).sort();
  const error = parsed.find((line) => line.error !== undefined)?.error;
  return { code, err, rows, names, error };
}

const OF_MACHINE = [
  ...["crc32c_generic", "crc32c_intel", "ext4", "failover", "jbd2", "libcrc32c", "nvme", "sch_ingress", "virtio_net"],
];

describe("countersign seal build --modules", () => {
  it("is required, and the error says what each choice leaves open", async () => {
    const { code, error } = await build();
    expect([code, existsSync(at("lists"))]).toEqual([2, false]);
    expect(error).toMatchObject({ code: "SEAL_MODULES_UNCHOSEN", place: "--modules" });
    for (const { leavesOpen } of Object.values(CHOICES)) expect(error.remedy).toContain(leavesOpen);
  });

  it("present: lists what is loaded, in the initramfs and for devices, with dependencies", {
    tags: ["deep"],
  }, async () => {
    const { code, err, names, rows, error } = await build("--modules", "present", "--root", at("root"));
    expect(error).toBeUndefined();
    expect({ code, names }).toEqual({ code: 0, names: OF_MACHINE });
    expect(err).toContain(
      `modules: 2 loaded; 1 in boot/initrd.img-${RELEASE}; 1 devices; 9 of 13 modules of ${RELEASE}; not modules of this kernel: gone\n`,
    );
    expect(err).toContain(`modules, still open: ${CHOICES.present.leavesOpen}\n`);
    const digests = parseFileList(readFileSync(list("files"))).digests.modules!;
    // All have the same contents: the digest of the file, and that of the module in it
    expect(digests.length / 32).toBe(2);
    expect(digests.toString("hex")).toContain(createHash("sha256").update(readFileSync(MODULE)).digest("hex"));
    expect(new Set(rows.map(({ result }) => result))).toEqual(new Set(["listed"]));
    expect(parseList(readFileSync(list("list"))).header.files).toBe(
      createHash("sha256")
        .update(readFileSync(list("files")))
        .digest("hex"),
    );
  });

  it("present: writes its modules as a FILE, with which the same list comes out", async () => {
    await build("--modules", "present", "--root", at("root"));
    const [text, files] = [readFileSync(list("modules"), "utf8"), readFileSync(list("files"))];
    expect(text).toMatch(/^# Modules of 6\.12\.1-test that the machine needs\ncrc32c_generic +# with ext4\n/);
    writeFileSync(at("written"), text);
    const again = await build("--modules", at("written"), "--root", at("bare"));
    expect(again.names).toEqual(OF_MACHINE);
    expect(readFileSync(list("files")).equals(files)).toBe(true);
    expect(existsSync(list("modules"))).toBe(false);
    expect(again.err).toContain(`modules, still open: ${CHOICES.list.leavesOpen}\n`);
  });

  it("present with sets, and files beside it", async () => {
    const { names } = await build("--modules", "present+usb", "--modules", at("names"), "--root", at("root"));
    expect(names).toEqual([...OF_MACHINE, "nf_tables", "own", "usbhid"].sort());
  });

  it("present: goes on without an initramfs that it cannot read, and says so", async () => {
    writeMachine(at("broken"), ["ext4"], []);
    writeModuleTree(at("broken"), RELEASE, MODULE);
    mkdirSync(at("broken/boot"));
    writeFileSync(at(`broken/boot/initramfs-${RELEASE}.img`), "garbage");
    const { code, err } = await build("--modules", "present", "--root", at("broken"));
    expect(code).toBe(0);
    expect(err).toMatch(/; boot\/initramfs-6\.12\.1-test\.img is left out: has something else than an archive/);
  });

  it("FILE: lists named modules with their dependencies, and paths relative to it", async () => {
    const { names, err } = await build("--modules", at("names"), "--root", at("bare"));
    expect(names).toEqual(["libcrc32c", "nf_tables", "own"]);
    expect(err).toContain("not modules of this kernel: nosuch");
  });

  it("FILE: takes a folder of modules, or one, whatever the kernel's release is", async () => {
    const { names } = await build("--modules", at("extra"), "--btf", at("kernel.btf"));
    expect(names).toEqual(["own"]);
    expect((await build("--modules", at("extra/own.ko.xz"), "--btf", at("kernel.btf"))).names).toEqual(["own"]);
  });

  it("lists only those that the policies allow", async () => {
    const words = ["--config", at("rule.yaml"), "--root", at("root"), "--modules", "present"];
    const { rows } = await build(...words);
    expect(new Set(rows.map(({ result }) => result))).toEqual(new Set(["denied"]));
    expect(parseFileList(readFileSync(list("files"))).digests.modules).toHaveLength(0);
  });

  it("by-ticket: lists what is named beside it, and says so in the list of files", { tags: ["deep"] }, async () => {
    const words = ["--config", at("rule.yaml"), "--modules", "by-ticket"];
    const { code, err, rows, error } = await build(...words);
    expect(error).toBeUndefined();
    expect({ code, rows }).toEqual({ code: 0, rows: [] });
    expect(err).toContain("; 0 of 0 modules listed; other modules by ticket\n");
    expect(err).toContain(`modules, still open: ${CHOICES["by-ticket"].leavesOpen}\n`);
    const alone = parseFileList(readFileSync(list("files")));
    expect(alone.modulesByTicket).toBe(true);
    expect(alone.digests.modules).toHaveLength(0);
    const { names } = await build(...words, "--modules", "present", "--root", at("root"));
    expect(names).toEqual(OF_MACHINE);
    expect(parseFileList(readFileSync(list("files"))).modulesByTicket).toBe(true);
    await build("--modules", "present", "--root", at("root"));
    expect(parseFileList(readFileSync(list("files"))).modulesByTicket).toBe(false);
  });

  it("by-ticket: a module that is named and needs a ticket is lost, since udev does not load it", async () => {
    const words = ["--config", at("parameters.yaml"), "--modules", at("extra"), "--modules", "by-ticket"];
    const { code, err, rows } = await build(...words);
    expect(rows.map(({ result }) => result)).toEqual(["ticket"]);
    expect(code).toBe(1);
    expect(err).toContain("; 0 of 1 modules listed; other modules by ticket\n");
  });

  it("all-signed: has no list of modules, so that the guard asks nobody", async () => {
    const { code, err } = await build("--modules", "all-signed", own("examples/peek-tc.o"));
    expect([code, existsSync(list("files"))]).toEqual([0, false]);
    expect(err).toContain(`modules, still open: ${CHOICES["all-signed"].leavesOpen}\n`);
  });

  it.each([
    ["all-signed, with a rule about modules", ["--config", "rule.yaml", "--modules", "all-signed"], "SEAL_IMPOSSIBLE"],
    ["by-ticket, and no policy that decides", ["--modules", "by-ticket"], "USAGE"],
    ["by-ticket, and a policy in audit", ["--config", "audit.yaml", "--modules", "by-ticket"], "USAGE"],
    ["by-ticket, with all-signed", ["--modules", "by-ticket", "--modules", "all-signed"], "USAGE"],
    ["all-signed, with a file", ["--modules", "all-signed", "--modules", "names"], "USAGE"],
    ["all-signed, and nothing to list", ["--modules", "all-signed"], "USAGE"],
    ["a file that is not there", ["--modules", "nosuch", "--root", "bare"], "FILE_UNREADABLE"],
    ["a malformed file", ["--modules", "bad", "--root", "bare"], "SEAL_MODULES_MALFORMED"],
    ["names, and a kernel without a release", ["--modules", "names", "--btf", "kernel.btf"], "USAGE"],
    ["a root without modules", ["--modules", "names", "--root", "empty"], "FILE_UNREADABLE"],
    ["a root without a machine", ["--modules", "present", "--root", "bare"], "FILE_UNREADABLE"],
  ])("is rejected: %s", async (title, words, code) => {
    const isFile = (word: string) => !/^(?:--|all-signed$|present$|by-ticket$)/.test(word);
    const objects = title.includes("nothing") ? [] : [own("examples/peek-tc.o")];
    const built = await build(...words.map((word) => (isFile(word) ? at(word) : word)), ...objects);
    expect(built.error).toMatchObject({ code, remedy: expect.any(String) });
    expect([built.code, existsSync(at("lists"))]).toEqual([2, false]);
  });
});
