import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { encodeFileList, parseFileList } from "../../../src/seal/files.js";
import { sealImage } from "../../../src/seal/sealing.js";
import { reasonNumber } from "../../../src/seal/status/reasons.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const MARKER = "~Module signature appended~\n";

/** The module without the signature at its end (struct module_signature of include/linux/module_signature.h). */
function unsigned(module: Uint8Array): Uint8Array {
  const bytes = Buffer.from(module);
  const end = bytes.length - MARKER.length;
  return bytes.subarray(0, end - 12 - bytes.readUInt32BE(end - 4));
}

function changed(module: Uint8Array): Uint8Array {
  const bytes = Buffer.from(module);
  // a byte in its symbols or strings
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  return bytes;
}

/** As kernel packages compress modules (scripts/Makefile.modinst). */
function compressed(module: Uint8Array): Uint8Array {
  return execFileSync("xz", ["--check=crc32", "--lzma2=dict=1MiB", "-c"], { input: module, maxBuffer: 1 << 26 });
}

/** By the name of a case: the system call, the file, and how it ends under the guard. */
const CASES: Readonly<Record<string, readonly [call: string, file: string, result: string]>> = {
  "listed, by its file": ["finit", "listed/dummy.ko", "ok"],
  "listed, from memory": ["init", "listed/dummy.ko", "ok"],
  "listed, compressed": ["compressed", "listed/dummy.ko.xz", "ok"],
  "unlisted, by its file": ["finit", "other/msr.ko", "EPERM module"],
  "unlisted, from memory": ["init", "other/msr.ko", "EPERM module"],
  "unlisted, compressed": ["compressed", "other/msr.ko.xz", "EPERM module"],
  "a byte changed, by its file": ["finit", "changed/dummy.ko", "EPERM module"],
  "a byte changed, from memory": ["init", "changed/dummy.ko", "EPERM module"],
  "a byte changed, compressed": ["compressed", "changed/dummy.ko.xz", "EPERM module"],
  "listed, and not signed": ["finit", "unsigned/dummy.ko", "EPERM kernel_change"],
  empty: ["finit", "empty/dummy.ko", "EINVAL"],
  "other contents when the kernel reads it": ["finit", "served/file", "EPERM module"],
};

/** Of FUSE: it is read as a listed module first, and then as another one. */
const SERVE =
  "serve-file /lib/served /lib/listed/dummy.ko /lib/other/msr.ko; cmp /lib/served/file /lib/listed/dummy.ko";

function outcomes(output: string): ReadonlyMap<string, string> {
  const lines = output.matchAll(/^(.*?): (\w+) ?(\d*)$/gm);
  return new Map(
    [...lines].map(([, name, error, reason]) => [name!, reason === "" ? error! : `${error} ${nameOf(Number(reason))}`]),
  );
}

function nameOf(reason: number): string {
  return ["module", "kernel_change"].find((name) => reasonNumber(name) === reason) ?? String(reason);
}

/** Without a guard, under a guard whose configuration has no rule for modules, and under one that has. */
function boot(kernel: SealKernel) {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const [dummy, msr] = ["dummy", "msr"].map((name) => guest.kernel.module(name));
  const files = new Map<string, Uint8Array>([
    ["listed/dummy.ko", dummy!],
    ["other/msr.ko", msr!],
    ["changed/dummy.ko", changed(dummy!)],
    ["unsigned/dummy.ko", unsigned(dummy!)],
    ["empty/dummy.ko", new Uint8Array()],
  ]);
  for (const name of ["listed/dummy.ko", "other/msr.ko", "changed/dummy.ko"])
    files.set(`${name}.xz`, compressed(files.get(name)!));
  for (const [name, bytes] of files) guest.file(`lib/${name}`, bytes);
  const digests = ["listed/dummy.ko", "listed/dummy.ko.xz", "unsigned/dummy.ko"].map((name) =>
    createHash("sha256").update(files.get(name)!).digest("hex"),
  );
  const list = parseFileList(encodeFileList({ modules: digests, executables: null }));
  guest.file("lib/guard.image", sealImage({ mode: "enforce", list: null, files: list }));
  guest.file("lib/audit.image", sealImage({ mode: "audit", list: null }));
  guest.file("bin/loader", loaderBinary(), 0o755);
  const modules = guest.kernel.modules(["fuse"]);
  for (const [name, bytes] of modules) guest.file(`lib/${name}.ko`, bytes);
  for (const name of ["load-module", "serve-file"]) guest.file(`bin/${name}`, compileProgram(name), 0o755);
  const calls = Object.entries(CASES).map(([name, [call, file]]) => `load-module "${name}" ${call} /lib/${file}`);
  const unlisted = calls.find((line) => line.includes("unlisted, by its file"))!;
  const { output, status, console } = guest.run(
    `
${unlisted.replace("unlisted,", "no guard,")}
loader /lib/audit.image >/dev/null
${unlisted.replace("unlisted,", "no rule,")}
loader --stop >/dev/null; sleep 1
${[...modules.keys()].map((name) => `insmod /lib/${name}.ko`).join("\n")}
loader --log /lib/guard.image
${SERVE}
${calls.join("\n")}
`,
  );
  guest.remove();
  if (status === null) throw new Error(console.slice(-3000));
  return output;
}

describe("kernel modules", () => {
  it.for(testedKernels())(
    "%s: are loaded if their digest is listed, as the kernel reads them",
    { timeout: 900_000 },
    (kernel, { skip }) => {
      const output = boot(kernel);
      if (output.startsWith("needs") || !output.includes("\n")) return skip(output);
      expect(output).toContain('"sealed":true');
      const results = outcomes(output);
      for (const name of casesOf("modules")) expect(results.get(name), name).toMatch(/^EPERM /);
      expect(Object.fromEntries(results)).toEqual({
        "no guard, by its file": "ok",
        "no rule, by its file": "ok",
        ...Object.fromEntries(Object.entries(CASES).map(([name, [, , result]]) => [name, result])),
      });
    },
  );
});
