import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needs } from "../gate/site.js";
import { built, cannotBuild, ROOT } from "./built.js";

const LEFT_BEHIND = new Set([".git", "node_modules", "dist", "build"].map((name) => join(ROOT, name)));
const ARCHITECTURES = ["amd64", "arm64"];
/** Whether they are built a second time, which takes minutes. */
const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;

describe("the Debian packages", () => {
  let folder: string;
  const packages: string[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-deb-test-"));
    if (cannotBuild() !== null) return;
    for (const architecture of ARCHITECTURES)
      packages.push(built(join(folder, "here"), { architecture, compression: "xz" }));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach((context) => {
    const reason = cannotBuild();
    if (reason !== null) context.skip(reason);
  });

  it("are the same bytes from another folder, with another umask, time zone and language", (context) => {
    if (!isNightly) context.skip("takes minutes: nightly");
    const source = join(folder, "elsewhere");
    cpSync(ROOT, source, { recursive: true, filter: (path) => !LEFT_BEHIND.has(path) });
    // Hard links: a symbolic link would lead the bundler back here.
    execFileSync("sh", ["-c", 'cp -al "$0" "$1" 2>/dev/null || cp -a "$0" "$1"', join(ROOT, "node_modules"), source]);
    execFileSync(process.execPath, ["scripts/build.mjs", "--quiet"], { cwd: source });
    const env = { TZ: "Pacific/Auckland", LC_ALL: "tr_TR.UTF-8" };
    const again = ARCHITECTURES.map((architecture) =>
      built(join(folder, "there"), { architecture, compression: "xz", source, umask: "077", env }),
    );
    expect(again.map(digestOf)).toEqual(packages.map(digestOf));
    expect(again.map(billOf).map(digestOf)).toEqual(packages.map(billOf).map(digestOf));
  });

  it("have koffi for their architecture only", () => {
    const machines = packages.map((path) => {
      const unpacked = join(folder, path.replace(/.*_/, ""));
      execFileSync("dpkg-deb", ["-x", path, unpacked]);
      const found = execFileSync("find", [unpacked, "-name", "*.node"], { encoding: "utf8" }).trim().split("\n");
      // e_machine of an ELF header (elf(5)): 62 is x86-64, 183 is AArch64
      return found.map((file) => readFileSync(file).readUInt16LE(18));
    });
    expect(machines).toEqual([[62], [183]]);
  });

  it("have no errors for lintian", (context) => {
    needs(context, "lintian");
    const { status, stdout, stderr } = spawnSync("lintian", ["--allow-root", "--fail-on", "error", ...packages], {
      encoding: "utf8",
    });
    expect({ status, errors: stdout.split("\n").filter((line) => line.startsWith("E:")) }, stderr).toEqual({
      status: 0,
      errors: [],
    });
  });
});

const digestOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const billOf = (path: string) => path.replace(/deb$/, "cdx.json");
