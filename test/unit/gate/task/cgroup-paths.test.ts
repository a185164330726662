import { existsSync, mkdirSync, renameSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { CgroupPaths, unifiedMount } from "../../../../src/gate/task/cgroup-paths.js";

let mount: string;

beforeEach((context) => {
  const found = process.platform === "linux" ? unifiedMount() : null;
  if (found === null || !existsSync(found)) context.skip("needs cgroup v2");
  mount = found!;
});

/** Answers with these paths, one at each call. */
function reader(...paths: (string | null)[]) {
  const read = () => {
    read.count += 1;
    return paths.shift() ?? null;
  };
  read.count = 0;
  return read;
}

const idOf = (path: string) => statSync(join(mount, path)).ino;

describe("the path of a cgroup by its id", () => {
  it("is read once", () => {
    const paths = new CgroupPaths();
    const read = reader("/");
    expect([0, 1, 2].map(() => paths.of(idOf("/"), read))).toEqual(["/", "/", "/"]);
    expect(read.count).toBe(1);
  });

  it("is not kept if the task has moved between the reads of id and path", () => {
    const paths = new CgroupPaths();
    const read = reader("/nowhere", null, "/");
    expect([0, 1, 2, 3].map(() => paths.of(idOf("/"), read))).toEqual(["/nowhere", null, "/", "/"]);
    expect(read.count).toBe(3);
  });

  it("is read each time without an id", () => {
    const paths = new CgroupPaths();
    const read = reader("/a", "/b");
    expect([paths.of(null, read), paths.of(null, read)]).toEqual(["/a", "/b"]);
  });

  it("cannot change: the kernel renames no cgroup, and a new one of that name has another id", (context) => {
    const path = `/countersign-${process.pid}`;
    try {
      mkdirSync(join(mount, path));
    } catch {
      context.skip("needs the right to make a cgroup");
    }
    const id = idOf(path);
    try {
      expect(() => renameSync(join(mount, path), join(mount, `${path}-2`))).toThrow(/EPERM/);
    } finally {
      rmdirSync(join(mount, path));
    }
    mkdirSync(join(mount, path));
    try {
      expect(idOf(path)).not.toBe(id);
    } finally {
      rmdirSync(join(mount, path));
    }
  });
});
