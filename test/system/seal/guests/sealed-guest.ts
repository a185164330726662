import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeList, type List, parseList } from "../../../../src/seal/list.js";
import { own } from "../../../support/workplace.js";

/** Compiles a BPF object of test/system/seal/objects. */
export function compileObject(name: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "seal-object-"));
  const object = join(folder, "object.o");
  const flags = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu"];
  execFileSync("clang-19", [...flags, "-c", own(`test/system/seal/objects/${name}.bpf.c`), "-o", object]);
  const bytes = readFileSync(object);
  rmSync(folder, { recursive: true });
  return bytes;
}

/** The loader, which guests have as /bin/loader. */
export const loaderBinary = (): Uint8Array => readFileSync(own("src/seal/loader/loader.bin"));

/** The loader of a Countersign whose guard has another version. */
export function loaderOfVersion(version: number): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "seal-loader-"));
  for (const part of ["guard", "image", "loader"])
    cpSync(own(`src/seal/${part}`), join(folder, part), { recursive: true });
  const header = join(folder, "guard/interface.h");
  const text = readFileSync(header, "utf8");
  writeFileSync(header, text.replace(/^#define GUARD_VERSION .*$/m, `#define GUARD_VERSION ${version}`));
  const sources = readdirSync(join(folder, "loader")).filter((name) => name.endsWith(".c"));
  execFileSync("gcc", ["-O2", "-static", "-pthread", ...sources, "-o", "loader"], { cwd: join(folder, "loader") });
  const bytes = readFileSync(join(folder, "loader/loader"));
  rmSync(folder, { recursive: true });
  return bytes;
}

/** Compiles a C program of test/system/seal/programs for a guest, without libraries. */
export function compileProgram(name: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "seal-program-"));
  const program = join(folder, "program");
  const flags = ["-O2", "-Wall", "-Werror", "-static"];
  execFileSync("gcc", [...flags, own(`test/system/seal/programs/${name}.c`), "-o", program]);
  const bytes = readFileSync(program);
  rmSync(folder, { recursive: true });
  return bytes;
}

/** The instructions that programs/load-value.c loads. */
export function valueInsns(value: number): Uint8Array {
  const insns = Buffer.from("b7000000000000009500000000000000", "hex");
  insns.writeInt32LE(value, 4);
  return insns;
}

/** A list with the programs of these values, for any kernel. */
export function listOfValues(values: readonly number[]): List {
  const entries = values.map((value) => ({
    digest: createHash("sha256").update(valueInsns(value)).digest("hex"),
    progType: 1,
    expectedAttachType: 0,
    attachBtfId: 0,
    progFlags: 0,
    gplCompatible: true,
    maps: { references: 0, digest: "00".repeat(32), maps: [] },
  }));
  const origin = { generation: 1n, kernelBtf: "00".repeat(32), configuration: "00".repeat(32), release: "" };
  return parseList(encodeList(entries, origin));
}

/** The guard that ships. */
export const guardObject = (): Uint8Array => readFileSync(own("src/seal/guard/guard.bpf.o"));
