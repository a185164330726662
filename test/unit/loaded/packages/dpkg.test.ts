import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/relocate.js";
import { filePrograms } from "../../../../src/loaded/identify/file-programs.js";
import { installedFiles } from "../../../../src/loaded/packages/dpkg.js";
import { example } from "../../../support/examples.js";
import { switchKernel } from "../../../support/switch-kernel.js";

const root = mkdtempSync(join(tmpdir(), "dpkg-"));
afterAll(() => rmSync(root, { recursive: true }));
const at = (path: string) => join(root, path);
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

const tool = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), Buffer.alloc(60), example("rate-limit")]);
mkdirSync(at("usr/lib"), { recursive: true });
symlinkSync("usr/lib", at("lib"));
for (const name of ["same", "changed", "unlisted", "text"]) writeFileSync(at(`usr/lib/${name}`), tool);
writeFileSync(at("usr/lib/text"), "#!/bin/sh\n");
symlinkSync("same", at("usr/lib/link"));

const paragraph = (name: string, status: string, more = "") =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\n${more}Version: 1:2.3-4\nDescription: a tool\n longer\n`;
mkdirSync(at("db/info"), { recursive: true });
writeFileSync(
  at("db/status"),
  [
    paragraph("tool", "install ok installed", "Multi-Arch: same\n"),
    paragraph("gone", "deinstall ok config-files"),
    paragraph("plain", "install ok installed"),
    paragraph("../evil", "install ok installed"),
  ].join("\n"),
);
const list = (...names: readonly string[]) => ["/.", ...names.map((name) => at(name)), ""].join("\n");
writeFileSync(
  at("db/info/tool:amd64.list"),
  list("lib", "lib/same", "lib/changed", "lib/text", "lib/link", "lib/none"),
);
writeFileSync(
  at("db/info/tool:amd64.md5sums"),
  `${md5(tool)}  ${at("lib/same").slice(1)}\n${"0".repeat(32)}  ${at("lib/changed").slice(1)}\n`,
);
writeFileSync(at("db/info/plain.list"), list("lib/unlisted"));
writeFileSync(at("db/info/gone.list"), list("lib/same"));

describe("files of packages", () => {
  it("are those of installed packages, without symbolic links in their folders", () => {
    const paths = [...installedFiles(at("db"))].map(({ path }) => path);
    const names = ["lib", "usr/lib/same", "usr/lib/changed", "usr/lib/text", "usr/lib/link", "usr/lib/none"];
    expect(paths).toEqual([...names, "usr/lib/unlisted"].map(at));
  });

  it("have programs, with the package, its version and whether the file has its checksum", () => {
    const kernel = new Kernel(new Btf(switchKernel().bytes()));
    const source = filePrograms(() => installedFiles(at("db")));
    const programs = [...source(kernel, (reason) => expect(reason).toBe(""))];
    const found = programs.filter(({ name }) => name === "measure");
    expect(found.map(({ file, offset, package: its }) => [file, offset, its])).toEqual([
      [at("usr/lib/same"), 64, { name: "tool", version: "1:2.3-4", isUnchanged: true }],
      [at("usr/lib/changed"), 64, { name: "tool", version: "1:2.3-4", isUnchanged: false }],
      [at("usr/lib/unlisted"), 64, { name: "plain", version: "1:2.3-4", isUnchanged: null }],
    ]);
  });

  it("are an error without a database", () => {
    expect(() => [...installedFiles(at("nothing"))]).toThrow(expect.objectContaining({ code: "FILE_UNREADABLE" }));
  });

  it("do not end with a file of the database that is cut off", () => {
    cpSync(at("db"), at("cut"), { recursive: true });
    writeFileSync(at("cut/info/tool:amd64.md5sums"), "0".repeat(20));
    const [first] = [...installedFiles(at("cut"))].filter(({ path }) => path.endsWith("/same"));
    expect(first!.package(tool).isUnchanged).toBeNull();
  });
});
