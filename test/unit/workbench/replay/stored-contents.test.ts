import { hash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { StoredContents } from "../../../../src/workbench/replay/stored-contents.js";
import { rejection } from "../../../support/rejection.js";
import { own } from "../../../support/workplace.js";

const sha256 = (bytes: Uint8Array | string) => hash("sha256", bytes);

describe("contents in folders", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-contents-"));
    mkdirSync(join(folder, "within"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are found by their digest: whole files, and the instructions of programs in objects", () => {
    writeFileSync(join(folder, "a.bin"), "blob");
    copyFileSync(own("examples/xdp-steer.o"), join(folder, "within/x.o"));
    const paths: string[] = [];
    const stored = StoredContents.of([folder], (path) => paths.push(path));
    expect(paths).toEqual([join(folder, "a.bin"), join(folder, "within/x.o")]);
    expect(Buffer.from(stored.find(sha256("blob"))!).toString()).toBe("blob");
    const object = readFileSync(own("examples/xdp-steer.o"));
    expect(stored.find(sha256(object))).toEqual(new Uint8Array(object));
    for (const { insns, digest } of factsOfObject(object).programs) expect(stored.find(digest)).toEqual(insns);
    expect(stored.find(sha256("other"))).toBeNull();
  });

  it("of `log.programs` are read when they are needed, and compared with their name", () => {
    writeFileSync(join(folder, sha256("program")), "program");
    writeFileSync(join(folder, sha256("another")), "changed");
    const stored = StoredContents.of([folder]);
    expect(Buffer.from(stored.find(sha256("program"))!).toString()).toBe("program");
    expect([stored.find(sha256("another")), stored.find(sha256("changed"))]).toEqual([null, null]);
  });

  it("that were changed or removed since are not found", () => {
    writeFileSync(join(folder, "a"), "one");
    writeFileSync(join(folder, "b"), "two");
    const stored = StoredContents.of([folder]);
    writeFileSync(join(folder, "a"), "ONE");
    rmSync(join(folder, "b"));
    expect([stored.find(sha256("one")), stored.find(sha256("two"))]).toEqual([null, null]);
  });

  it("cannot be in what is no folder", () => {
    const { code, place } = rejection(() => StoredContents.of([join(folder, "nowhere")]));
    expect([code, place]).toEqual(["FILE_UNREADABLE", join(folder, "nowhere")]);
  });
});
