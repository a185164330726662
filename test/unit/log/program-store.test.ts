import { hash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProgramStore } from "../../../src/log/program-store.js";
import { rejection } from "../../support/rejection.js";

const program = (byte: number, length = 8) => ({ insns: new Uint8Array(length).fill(byte) });
const nameOf = ({ insns }: { insns: Uint8Array }) => hash("sha256", insns);

describe("a folder with the instructions of programs", () => {
  let above: string;
  let folder: string;
  const open = (size = 1000) => new ProgramStore({ folder, size });
  const names = () => readdirSync(folder).sort();
  /** Makes a file older, by so many seconds. */
  const age = (name: string, seconds: number) => {
    const time = Date.now() / 1000 - seconds;
    utimesSync(join(folder, name), time, time);
  };
  beforeEach(() => {
    above = mkdtempSync(join(tmpdir(), "countersign-programs-"));
    folder = join(above, "programs");
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(above, { recursive: true });
  });

  it("has each in a file by its digest, for owner and group alone", () => {
    const store = open();
    const one = { insns: Uint8Array.of(1, 2), raw_insns: Uint8Array.of(3, 4) };
    store.keep(one);
    store.keep({ name: "a map" });
    store.close();
    expect(names()).toEqual([hash("sha256", one.insns), hash("sha256", one.raw_insns)].sort());
    expect([...readFileSync(join(folder, nameOf(one)))]).toEqual([1, 2]);
    expect(statSync(join(folder, nameOf(one))).mode & 0o777).toBe(0o640);
    expect(statSync(folder).mode & 0o777).toBe(0o750);
  });

  it("is not written to twice, by this or another process", () => {
    const one = program(1);
    const first = open();
    first.keep(one);
    age(nameOf(one), 100);
    const { mtimeMs } = statSync(join(folder, nameOf(one)));
    first.keep(program(1));
    const second = open();
    second.keep(program(1));
    expect(statSync(join(folder, nameOf(one))).mtimeMs).toBe(mtimeMs);
    first.close();
    second.close();
  });

  it("is bounded: the oldest files are removed, also those of others, and what is no program stays", () => {
    const store = open(24);
    const [a, b, c, d] = [program(1), program(2), program(3), program(4)] as const;
    for (const one of [a, b, c]) store.keep(one);
    age(nameOf(b), 200);
    age(nameOf(a), 100);
    writeFileSync(join(folder, "notes.txt"), "x".repeat(100));
    store.keep(d);
    expect(names()).toEqual([nameOf(a), nameOf(c), nameOf(d), "notes.txt"].sort());
    store.keep(program(5, 25));
    expect(names()).toHaveLength(4);
    store.close();
  });

  it("loses what a killed process has left, once that is old", () => {
    const left = `${"a".repeat(64)}.123.new`;
    open().close();
    writeFileSync(join(folder, left), "x");
    writeFileSync(join(folder, left.replace("123", "124")), "x");
    age(left, 100);
    const store = open();
    store.keep(program(1));
    expect(names()).toEqual([nameOf(program(1)), left.replace("123", "124")].sort());
    store.close();
  });

  it("that is gone costs no decision: it is told once, and counted", () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const store = open();
    rmSync(folder, { recursive: true });
    store.keep(program(1));
    store.keep(program(2));
    expect([store.failures, warned.mock.calls.length]).toEqual([2, 1]);
    store.close();
  });

  it("must be usable at start", () => {
    writeFileSync(folder, "");
    expect(rejection(() => open()).code).toBe("FILE_UNREADABLE");
    folder = join(above, "no", "where");
    expect(rejection(() => open())).toMatchObject({ code: "FILE_UNREADABLE", place: folder });
  });
});
