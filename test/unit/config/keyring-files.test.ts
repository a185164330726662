import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateOf } from "../../../src/config/keyring-files.js";
import { own } from "../../support/workplace.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const changed = (file: string) => Number(statSync(file, { bigint: true }).ctimeMs);

describe("the state of a keyring's files", () => {
  it("has the time of the newest change, in whatever order they are named", () => {
    const old = own("package.json");
    const written = join(folder, "written.pem");
    writeFileSync(written, "a certificate");
    expect(changed(written)).toBeGreaterThan(changed(old));
    for (const files of [
      [written, old],
      [old, written],
    ])
      expect(stateOf(files).newest).toBe(changed(written));
    expect(stateOf([old]).newest).toBe(changed(old));
  });

  it("changes when a file is written, replaced or removed, and else is the same", () => {
    const [file, other] = [join(folder, "trusted.pem"), join(folder, "other.pem")];
    for (const path of [file, other]) writeFileSync(path, "same size");
    const marks = [stateOf([file]).mark];
    expect(stateOf([file]).mark).toBe(marks[0]);
    writeFileSync(file, "another size");
    marks.push(stateOf([file]).mark);
    renameSync(other, file);
    marks.push(stateOf([file]).mark);
    rmSync(file);
    marks.push(stateOf([file]).mark);
    expect(new Set(marks).size).toBe(4);
    expect(stateOf([file])).toEqual({ mark: "ENOENT", newest: 0 });
  });
});
