// @module-tag deep
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../src/bpf/insn/digest.js";
import type { ResolvedProgram } from "../../src/bpf/resolved-object.js";
import { CacheFolder } from "../../src/cache-folder.js";
import { RelocationCache } from "../../src/cli/kernel/relocation-cache.js";
import { TargetKernel } from "../../src/cli/kernel/target-kernel.js";
import { runCommand } from "../support/command-line.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { example } from "../support/examples.js";
import { gzippedImage, kernelElf, packageOf } from "../support/kernel-files.js";
import { switchKernel, switchModule } from "../support/switch-kernel.js";
import { own, Workplace } from "../support/workplace.js";

const windows = process.geteuid === undefined;
const WATCH = own("examples/switch-watch.o");

/** A package whose modules have what the program needs, so that all kinds of entries are made. */
function kernelPackage(): Buffer {
  const bare = switchKernel({ target: false });
  const image = gzippedImage(kernelElf(bare.bytes()));
  return packageOf({
    "boot/vmlinuz-6.12.1": image,
    "lib/modules/6.12.1/kernel/m.ko": kernelElf(switchModule(bare)),
  });
}

describe.skipIf(windows)("a cache of relocations that somebody damaged", () => {
  let folder: string;
  let cache: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    cache = join(folder, "countersign");
    writeFileSync(join(folder, "kernel.deb"), kernelPackage());
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function resolve(known: CacheFolder | null): Promise<readonly object[]> {
    const kernel = await TargetKernel.open(join(folder, "kernel.deb"), {
      cache: known,
      progress: async () => ({ step() {}, stop() {} }),
    });
    const programs = await kernel.use(() => kernel.resolve(example("switch-watch"), "libbpf-1.5"));
    known?.save();
    return programs.map(({ error, ...program }) => ({ ...program, error: error?.toJSON() ?? null }));
  }

  const seed = seedOf();
  it(`changes no result, whichever file it is and however it is damaged (SEED=${seed})`, async () => {
    const next = numbers(seed);
    const open = () => CacheFolder.open(cache, "code");
    const right = await resolve(null);
    expect(await resolve(open())).toEqual(right);
    const names = readdirSync(cache).sort();
    expect(new Set(names.map((name) => name.split(".")[1]))).toEqual(new Set(["kernel", "modules", "programs"]));
    for (const name of names)
      for (let round = 0; round < 60; round++) {
        const file = join(cache, name);
        writeFileSync(file, damaged(readFileSync(file), next));
        expect(await resolve(open())).toEqual(right);
      }
    expect(readdirSync(cache).sort()).toEqual(names);
  });
});

/** The built command. */
function countersign(cacheHome: string, ...words: string[]): Promise<{ status: number; out: string }> {
  return new Promise((settle) => {
    const env = { ...process.env, XDG_CACHE_HOME: cacheHome };
    const command = [own("bin/countersign.js"), ...words];
    execFile(process.execPath, command, { env, encoding: "utf8" }, (error, out, err) => {
      settle({ status: error === null ? 0 : Number(error.code), out: out + err });
    });
  });
}

describe.skipIf(windows)("the cache of the built command (needs `npm run build`)", () => {
  let place: Workplace;
  let kernel: string;
  let home: string;
  beforeEach(() => {
    place = new Workplace("  - policy: policies/p.js");
    place.write(
      "policies/p.js",
      `import { verify_program } from "countersign";
       export const bpf_prog_load = (prog) => verify_program(prog, "platform");`,
    );
    kernel = place.write("kernel.btf", switchKernel({ at: 32 }).bytes());
    home = mkdtempSync(join(tmpdir(), "countersign-home-"));
  });
  afterEach(() => {
    for (const path of [place.folder, home]) rmSync(path, { recursive: true });
  });

  const resolve = (...words: string[]) => countersign(home, "resolve", "--btf", kernel, ...words, WATCH);
  /** Names and times of the files: none is written again if the cache was used. */
  const files = () =>
    readdirSync(join(home, "countersign")).map((name) => [name, statSync(join(home, "countersign", name)).mtimeMs]);

  it("is used by the next process, unless it is told not to", async () => {
    const without = await resolve("--no-cache");
    expect(without.status).toBe(0);
    expect(readdirSync(home)).toEqual([]);
    expect(await resolve()).toEqual(without);
    const written = files();
    expect(written.length).toBeGreaterThan(0);
    expect(await resolve()).toEqual(without);
    expect(files()).toEqual(written);
  });

  it("has the same results for processes that begin at the same time", async () => {
    const without = await resolve("--no-cache");
    for (const one of await Promise.all(Array.from({ length: 6 }, () => resolve()))) expect(one).toEqual(without);
    expect(files().every(([name]) => /^[0-9a-f]{64}\.(?:kernel|programs)$/.test(String(name)))).toBe(true);
    expect(await resolve()).toEqual(without);
  });

  it("makes no program signed, even if its owner forges an entry with the instructions of a signed one", async () => {
    const keys = [
      ...["--key", place.write("key.pem", place.signer.pem.key)],
      ...["--cert", place.write("certificate.pem", place.signer.pem.certificate)],
    ];
    const limit = own("examples/rate-limit.o");
    expect(await runCommand("sign", "--programs", ...keys, "--out", place.at("signatures"), limit)).toMatchObject({
      code: 0,
    });
    const check = (object: string) => countersign(home, "check", "--config", place.config, "--btf", kernel, object);
    expect((await check(limit)).status).toBe(0);
    expect((await check(WATCH)).status).toBe(1);
    const [signed] = await programsOf(limit);
    await forge(WATCH, [signed!]);
    // the command takes the entry
    expect((await resolve()).out).toContain(signed!.relocated!.digest);
    const { status, out } = await check(WATCH);
    expect({ status, out }).toEqual({ status: 1, out: expect.stringContaining("verify_program platform: -ENODATA (") });
  });

  async function programsOf(object: string): Promise<readonly ResolvedProgram[]> {
    const target = await TargetKernel.open(kernel, { progress: async () => ({ step() {}, stop() {} }) });
    return target.use(() => target.resolve(readFileSync(object), "libbpf-1.5"));
  }

  /** Writes an entry as the built command does. */
  async function forge(object: string, programs: readonly ResolvedProgram[]): Promise<void> {
    const { codeDigest } = await import(pathToFileURL(own("scripts/code-digest.mjs")).href);
    const folder = CacheFolder.open(join(home, "countersign"), codeDigest())!;
    const digests = { vmlinux: sha256(readFileSync(kernel)), modules: () => null, kallsyms: () => null };
    const cache = new RelocationCache(folder, digests);
    const named = programs.map((program) => ({ ...program, name: "watch_switch" }));
    cache.add(sha256(readFileSync(object)), "libbpf-1.5", {
      programs: named,
      used: { modules: false, kallsyms: false },
    });
    folder.save();
  }
});
