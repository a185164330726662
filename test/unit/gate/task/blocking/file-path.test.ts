import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPath } from "../../../../../src/gate/task/blocking/file-path.js";
import { sealedFile } from "../../../../../src/sys/file.js";

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("the path of an open file", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  let fd = -1;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-path-"));
    writeFileSync(at("file"), "contents");
    fd = openSync(at("file"), "r");
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  it("is where it is, also after its name has changed", () => {
    expect(findPath(fd)).toEqual({ path: at("file") });
    renameSync(at("file"), at("other"));
    expect(findPath(fd)).toEqual({ path: at("other") });
  });

  it("is that of the file, not of a symbolic link to it", () => {
    symlinkSync(at("file"), at("link"));
    const opened = openSync(at("link"), "r");
    expect(findPath(opened)).toEqual({ path: at("file") });
    closeSync(opened);
  });

  it("is unknown for a deleted file, also if another one has its name, or one that the kernel's mark would name", () => {
    linkSync(at("file"), at("second"));
    rmSync(at("file"));
    expect(findPath(fd), "deleted").toBeNull();
    writeFileSync(at("file"), "other");
    expect(findPath(fd), "replaced").toBeNull();
    writeFileSync(at("file (deleted)"), "other");
    expect(findPath(fd), "the mark").toBeNull();
  });

  it("is null for a memfd, whatever its name is", () => {
    for (const name of ["module", "/lib/modules/x.ko", "../x"]) {
      const memory = sealedFile(name, Uint8Array.of(1));
      expect(findPath(memory)).toEqual({ path: null });
      closeSync(memory);
    }
  });

  it("is unknown for what is no file, and for a closed fd", () => {
    const null_ = openSync("/dev/null", "r");
    expect(findPath(null_)).toEqual({ path: "/dev/null" });
    closeSync(null_);
    expect(findPath(987_654)).toBeNull();
  });

  describe("of another mount namespace", () => {
    let child: ChildProcess;
    afterEach(() => child.kill("SIGKILL"));

    /** The file that a shell in a mount namespace of its own has opened as fd 3. */
    async function openedBy(script: string): Promise<number | string> {
      child = spawn("unshare", [
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        `${script}; echo ready; read -r _`,
      ]);
      const said = await new Promise<string>((resolve) => {
        let text = "";
        child.stdout!.on("data", (data) => {
          text += data;
          if (text.includes("ready")) resolve("ready");
        });
        child.stderr!.on("data", (data) => resolve(String(data)));
        child.on("error", (error) => resolve(error.message));
      });
      return said === "ready" ? openSync(`/proc/${child.pid}/fd/3`, "r") : said;
    }

    it.each([
      ["a bind mount over the same path", (own: string) => `mount --bind ${own}/real ${own}/shown`],
      [
        "a file system of its own at the same path",
        (own: string) => `mount -t tmpfs none ${own}/shown && echo 1 > ${own}/shown/a.ko`,
      ],
      ["the same file system, whose copy of the mount has another id", () => "true"],
    ])("is unknown: %s", async (_, script) => {
      for (const name of ["real", "shown"]) {
        mkdirSync(at(name));
        writeFileSync(at(`${name}/a.ko`), name);
      }
      const opened = await openedBy(`${script(folder)} && exec 3< ${folder}/shown/a.ko`);
      if (typeof opened === "string") return expect(opened, "no user namespaces here").toMatch(/unshare|ENOENT|mount/);
      expect(findPath(opened)).toBeNull();
      closeSync(opened);
    });
  });
});
