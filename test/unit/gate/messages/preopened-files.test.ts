import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Config } from "../../../../src/config/config.js";
import { ERRNO } from "../../../../src/errno.js";
import { kernelFiles, preopenedFolders, preopenFiles } from "../../../../src/gate/messages/preopened-files.js";
import { close } from "../../../../src/sys/pidfd.js";
import { signatureName } from "../../../../src/trust/store.js";
import { bundledSource } from "../../../support/bundled-source.js";

const DIGEST = "ab".repeat(32);

/**
 * Node keeps count of the fds of a worker thread, and of no other: what a decision thread does can be seen only in one.
 */
const THREAD = `
import { setImmediate } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { preopenFiles, preopenedFolders } from "./src/gate/messages/preopened-files.js";
import { SignatureStore } from "./src/trust/store.js";
const warnings: string[] = [];
process.on("warning", ({ message }) => warnings.push(message));
const folders = preopenedFolders(preopenFiles({ signatures: [workerData.folder], pathPlaces: {} } as never));
const found = new SignatureStore(folders).find(workerData.digest);
void setImmediate().then(() => parentPort!.postMessage({ found: Buffer.from(found!).toString(), warnings }));
`;

it("signatures of folders that are open are read in a thread without a warning", {
  tags: ["deep"],
}, async (context) => {
  if (process.platform !== "linux") return context.skip("needs Linux");
  const folder = mkdtempSync(join(tmpdir(), "countersign-opened-"));
  try {
    writeFileSync(join(folder, signatureName(DIGEST)), "signature");
    const worker = new Worker(bundledSource(THREAD), { eval: true, workerData: { folder, digest: DIGEST } });
    const [said] = await once(worker, "message");
    expect(said).toEqual({ found: "signature", warnings: [] });
    await worker.terminate();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("files that are open before the command starts", () => {
  let folder: string;
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    folder = mkdtempSync(join(tmpdir(), "countersign-opened-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const opened = (...signatures: readonly string[]) => {
    const files = preopenFiles({ signatures, pathPlaces: {} } as unknown as Config);
    onTestFinished(() => {
      const { signatures: folders, kernelBtf, kernelConfig, kallsyms, versionSignature, possibleCpus } = files;
      const kernel = [kernelBtf, kernelConfig, kallsyms, versionSignature, possibleCpus];
      for (const fd of [...folders.map((each) => each.fd), ...kernel]) if (fd >= 0) close(fd);
    });
    return files;
  };

  it("are those of the folders, even if others are mounted or moved over these", () => {
    const path = join(folder, "signatures");
    mkdirSync(path);
    writeFileSync(join(path, "name"), "signature");
    const [{ path: named, open, close: closeFile } = failed()] = preopenedFolders(opened(path));
    renameSync(path, join(folder, "moved"));
    mkdirSync(path);
    writeFileSync(join(path, "name"), "another");
    const fd = open("name");
    expect([named, readFileSync(fd, "utf8")]).toEqual([path, "signature"]);
    closeFile(fd);
    expect(open("other")).toBe(-ERRNO.ENOENT);
  });

  it("have the names of the statements that were in a folder at that time", () => {
    const name = `${DIGEST}.statement`;
    writeFileSync(join(folder, name), "");
    const [opening = failed()] = preopenedFolders(opened(folder));
    writeFileSync(join(folder, `${"cd".repeat(32)}.statement`), "");
    expect(opening.statements()).toEqual([name]);
  });

  it("are not there if a folder is missing or a file", () => {
    writeFileSync(join(folder, "file"), "");
    for (const name of ["none", "file"])
      expect(() => opened(join(folder, name))).toThrow(
        expect.objectContaining({ code: "FILE_UNREADABLE", place: join(folder, name) }),
      );
  });

  it("include the kernel's BTF, which is read from its beginning each time", () => {
    const files = opened();
    const byPath = kernelFiles(null).vmlinux();
    // not `toEqual`, which compares megabytes element by element
    for (let time = 0; time < 2; time += 1) {
      const bytes = kernelFiles(files).vmlinux();
      expect(bytes === null ? byPath : Buffer.compare(bytes, byPath!)).toBe(bytes === null ? null : 0);
    }
    expect(kernelFiles({ ...files, kernelBtf: -1 }).vmlinux()).toBeNull();
    writeFileSync(join(folder, "btf"), "contents");
    const fd = openSync(join(folder, "btf"), "r");
    expect(Buffer.from(kernelFiles({ ...files, kernelBtf: fd }).vmlinux()!).toString()).toBe("contents");
    close(fd);
  });

  it("include files that do not know their size, such as those of /proc", { tags: ["deep"] }, () => {
    const files = opened();
    const byPath = kernelFiles(null);
    for (let time = 0; time < 2; time += 1) {
      const [symbols, config] = [kernelFiles(files).kallsyms(), kernelFiles(files).config()];
      expect(ownSymbols(symbols) === ownSymbols(byPath.kallsyms())).toBe(true);
      expect(Buffer.compare(config ?? Buffer.alloc(0), byPath.config() ?? Buffer.alloc(0))).toBe(0);
    }
    const none = kernelFiles({ ...files, kallsyms: -1, kernelConfig: -1, versionSignature: -1 });
    expect([none.kallsyms(), none.config(), none.versionSignature()]).toEqual([null, null, null]);
  });
});

/** The kernel's symbols, without those of modules and BPF programs, which come and go. */
function ownSymbols(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  return Buffer.from(bytes)
    .toString("latin1")
    .split("\n")
    .filter((line) => !line.endsWith("]"))
    .join("\n");
}

function failed(): never {
  throw new Error("no folder is open");
}
