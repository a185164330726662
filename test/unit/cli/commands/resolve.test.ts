import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { runCommand } from "../../../support/command-line.js";
import { setHeader } from "../../../support/elf-patch.js";
import { example } from "../../../support/examples.js";
import { gzippedImage, kernelElf, packageOf } from "../../../support/kernel-files.js";
import { switchKernel, switchModule } from "../../../support/switch-kernel.js";
import { own } from "../../../support/workplace.js";

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-resolve-"));
  const [kernel, bare] = [switchKernel({ at: 32 }), switchKernel({ target: false })];
  const module = (name: string) => ({ [`lib/modules/6.12.1/kernel/${name}.ko`]: kernelElf(switchModule(bare)) });
  const files: Readonly<Record<string, Uint8Array>> = {
    "kernel.btf": kernel.bytes(),
    "bare.btf": bare.bytes(),
    "kernel.deb": packageOf({ "boot/vmlinuz-6.12.1": gzippedImage(kernelElf(bare.bytes())), ...module("sched-trace") }),
    "switch-watch.o": example("switch-watch"),
    "rate-limit.o": example("rate-limit"),
    "text.o": Buffer.from("no object\n"),
    loader: Buffer.concat([setHeader(example("drop-telnet"), "machine", 62), example("switch-watch")]),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path(name), bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const resolve = (kernel: string, ...words: string[]) => runCommand("resolve", "--btf", path(kernel), ...words);

describe("resolve", () => {
  it("prints a digest and a tag for each program, and the kernel and loader that they are for", async () => {
    const { code, out, err } = await resolve("kernel.btf", path("switch-watch.o"), path("rate-limit.o"));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [head, ...rows] = out.trimEnd().split("\n");
    expect(head).toMatch(/^FILE +PROGRAM +TYPE +TAG +DIGEST$/);
    expect(rows[0]).toMatch(/switch-watch\.o +watch_switch +tracing +([0-9a-f]{16}) +\1[0-9a-f]{48}$/);
    expect(rows.slice(1, 3).join()).toMatch(/limit .* measure/s);
    expect(rows.at(-1)).toBe(`3 of 3 programs resolved on ${path("kernel.btf")} without its modules, by libbpf-1.5`);
  });

  it("writes one JSON object for a file, and an array for several", async () => {
    const one = JSON.parse((await resolve("kernel.btf", "--json", path("switch-watch.o"))).out);
    expect(one).toMatchObject({
      file: path("switch-watch.o"),
      kernel: { file: path("kernel.btf"), release: null, modules: false },
      variant: "libbpf-1.5",
      objects: [{ offset: null, programs: [{ name: "watch_switch", modules: [], poisoned: [], error: null }] }],
    });
    const { out } = await resolve(
      "kernel.btf",
      "--json",
      "--variant",
      "libbpf-1.6",
      path("loader"),
      path("rate-limit.o"),
    );
    const [embedded, other] = JSON.parse(out);
    expect(embedded.objects[0].offset).toBeGreaterThan(0);
    expect(embedded.objects[0].programs[0].digest).toBe(one.objects[0].programs[0].digest);
    expect(other.variant).toBe("libbpf-1.6");
  });

  it("exits with 2 where a program cannot load, and says why", async () => {
    const { code, out } = await resolve("bare.btf", path("switch-watch.o"));
    expect(code).toBe(2);
    expect(out).toMatch(/[0-9a-f]{64}; this kernel has no attach target `sched_switch` \[CORE_UNRESOLVED\]\n/);
    expect(out).toMatch(/1 of 1 program resolved on .*, by libbpf-1\.5; 1 of them lacks its attach target$/m);
  });

  it("looks in the modules of a package for what the kernel lacks, and only in those that are loaded", async () => {
    const all = JSON.parse((await resolve("kernel.deb", "--json", path("switch-watch.o"))).out);
    expect(all.kernel).toEqual({ file: path("kernel.deb"), release: "6.12.1", modules: true });
    expect(all.objects[0].programs[0]).toMatchObject({ modules: ["sched_trace"], error: null });
    const named = await resolve("kernel.deb", "--modules", "ext4,sched-trace", path("switch-watch.o"));
    expect(named.code).toBe(0);
    for (const others of ["none", "ext4"])
      expect((await resolve("kernel.deb", "--modules", others, path("switch-watch.o"))).out).toContain(
        "no attach target",
      );
  });

  it("gives no digest for instructions with the fd of a module, and the address of a symbol with --kallsyms", async () => {
    const vmlinux = new BtfWriter();
    const int = vmlinux.int("int", 4, { encoding: 1 });
    const module = new BtfWriter("little", vmlinux);
    module.var("new_variable", module.type("", "const", int));
    mkdirSync(path("btf"));
    writeFileSync(path("btf/vmlinux"), vmlinux.bytes());
    writeFileSync(path("btf/extra"), module.bytes());
    writeFileSync(path("kallsyms"), "ffffffff81000000 T new_symbol\n");
    const guarded = own("test/unit/bpf/fixtures/guarded.o");
    const { code, out } = await resolve("btf/vmlinux", guarded);
    expect(code).toBe(2);
    expect(out).toMatch(
      /by_variable +tracepoint +- +changes at each load: its instructions hold the fd of the BTF of module extra\n/,
    );
    expect(out).toMatch(/3 of 5 programs resolved on .*, by libbpf-1\.5; 1 changes at each load; 1 needs kallsyms$/m);
    expect(out).toMatch(/by_symbol +tracepoint +- +needs kallsyms: kernel symbol `new_symbol` has an address/);
    const { objects } = JSON.parse(
      (await resolve("btf/vmlinux", "--json", "--kallsyms", path("kallsyms"), guarded)).out,
    );
    const digests = objects[0].programs.map(({ digest, error }: { digest: string | null; error: object | null }) => [
      digest === null,
      error === null,
    ]);
    expect(digests).toEqual([
      [false, true],
      [false, true],
      [false, true],
      [true, true],
      [false, true],
    ]);
  });

  it("goes on after a file that it cannot read", async () => {
    const { code, out, err } = await resolve("kernel.btf", path("text.o"), path("rate-limit.o"));
    expect(code).toBe(2);
    expect(err).toMatch(/text\.o: ELF header: is not an ELF file \[ELF_MALFORMED\]/);
    expect(out).toContain("2 of 2 programs resolved");
  });

  it("ends where the kernel cannot be read", async () => {
    const { code, out, err } = await resolve("text.o", path("rate-limit.o"));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/text\.o: is neither BTF nor a known form of a kernel \[KERNEL_UNSUPPORTED\]/);
  });
});
