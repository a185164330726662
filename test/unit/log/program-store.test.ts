import { hash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProgramStore } from "../../../src/log/program-store.js";
import { rejection } from "../../support/rejection.js";

// The real functions, whose calls are counted
vi.mock("node:fs", async (original) => {
  const { readdirSync, statSync, ...others } = await original<typeof import("node:fs")>();
  return { ...others, readdirSync: vi.fn(readdirSync), statSync: vi.fn(statSync) };
});

/** The least that a file takes on disk. */
const BLOCK = 4096;
const program = (byte: number, length = 8) => ({ insns: new Uint8Array(length).fill(byte) });
/** Number of times that a store has listed its folder; the tests list it by another path. */
const listings = () => vi.mocked(readdirSync).mock.calls.filter(([path]) => String(path).endsWith("/.")).length;
const numbered = (number: number) => ({ insns: new Uint8Array(Uint32Array.of(number, 0, 0, 0).buffer) });
const nameOf = ({ insns }: { insns: Uint8Array }) => hash("sha256", insns);

describe("a folder with the instructions of programs", () => {
  let above: string;
  let folder: string;
  const open = (size = 1000 * BLOCK) => new ProgramStore({ folder, size });
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
    const store = open(3 * BLOCK);
    const [a, b, c, d] = [program(1), program(2), program(3), program(4)] as const;
    for (const one of [a, b, c]) store.keep(one);
    age(nameOf(b), 200);
    age(nameOf(a), 100);
    writeFileSync(join(folder, "notes.txt"), "x".repeat(100));
    store.close();
    const other = open(3 * BLOCK);
    other.keep(d);
    expect(names()).toEqual([nameOf(a), nameOf(c), nameOf(d), "notes.txt"].sort());
    other.keep(program(5, 3 * BLOCK + 1));
    expect(names()).toHaveLength(4);
    other.close();
  });

  it("is bounded by what the files take on disk: small ones count as a block", { tags: ["deep"] }, () => {
    const store = open(16 * BLOCK);
    for (let number = 0; number < 1000; number++) store.keep(numbered(number));
    expect(names().length).toBeGreaterThan(8);
    expect(names().length).toBeLessThanOrEqual(16);
    store.keep(program(1, 15 * BLOCK + 1));
    expect(names()).toEqual([nameOf(program(1, 15 * BLOCK + 1))]);
    store.close();
  });

  it("is listed once for about as many new programs as it holds, and each file is looked at once then", {
    tags: ["deep"],
  }, () => {
    const count = 2000;
    const held = 100;
    vi.clearAllMocks();
    const store = open(held * BLOCK);
    for (let number = 0; number < count; number++) store.keep(numbered(number));
    store.close();
    expect(listings()).toBeLessThanOrEqual(1 + count / (held * (7 / 8)));
    // Before a file is written, it is looked for
    expect(vi.mocked(statSync).mock.calls.length).toBeLessThanOrEqual(2 * count + held);
    expect(store.failures).toBe(0);
    expect(names().length).toBeGreaterThanOrEqual((held * 7) / 8);
    expect(names().length).toBeLessThanOrEqual(held);
  });

  it("of several processes is listed at most once for each eighth of it", { tags: ["deep"] }, () => {
    const count = 1000;
    const held = 100;
    vi.clearAllMocks();
    const stores = [open(held * BLOCK), open(held * BLOCK)] as const;
    for (let number = 0; number < count; number++) stores[number % 2]!.keep(numbered(number));
    for (const store of stores) store.close();
    expect(listings()).toBeLessThanOrEqual(2 + count / (held / 8));
    expect(stores.map(({ failures }) => failures)).toEqual([0, 0]);
    expect(names().length).toBeLessThanOrEqual(2 * held);
  });

  it("is listed again if another process has removed files", () => {
    const store = open(8 * BLOCK);
    for (let number = 0; number < 9; number++) store.keep(numbered(number));
    for (const name of names()) unlinkSync(join(folder, name));
    for (let number = 10; number < 18; number++) store.keep(numbered(number));
    expect(store.failures).toBe(0);
    expect(names()).toHaveLength(8);
    store.close();
  });

  it("with a file that cannot be removed loses one program, and is not listed for each", () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const store = open(8 * BLOCK);
    for (let number = 0; number < 8; number++) store.keep(numbered(number));
    for (let number = 0; number < 8; number++) age(nameOf(numbered(number)), 100 - number);
    vi.clearAllMocks();
    store.keep(numbered(8));
    // A folder in the place of the next file to remove: unlink(2) fails with EISDIR
    unlinkSync(join(folder, nameOf(numbered(1))));
    mkdirSync(join(folder, nameOf(numbered(1))));
    store.keep(numbered(9));
    expect([store.failures, names().includes(nameOf(numbered(9)))]).toEqual([1, false]);
    store.keep(numbered(10));
    expect([store.failures, names().includes(nameOf(numbered(10)))]).toEqual([1, true]);
    store.close();
    expect(listings()).toBe(0);
  });

  it("is listed in steps by a process that is idle, and then no program that is kept has it listed", {
    tags: ["deep"],
  }, () => {
    const before = open();
    for (let number = 0; number < 300; number++) before.keep(numbered(number));
    before.close();
    const store = open();
    vi.clearAllMocks();
    const looked: number[] = [];
    let isMore = store.hasIdleWork;
    while (isMore) {
      isMore = store.idleStep();
      looked.push(vi.mocked(statSync).mock.calls.length);
    }
    expect(looked).toEqual([128, 256, 300]);
    expect([store.hasIdleWork, listings()]).toEqual([false, 1]);
    store.keep(numbered(1000));
    expect([names().length, listings()]).toEqual([301, 1]);
    store.close();
  });

  it("is listed by a program that is kept before the last step, whose file then counts once", {
    tags: ["deep"],
  }, () => {
    const before = open(400 * BLOCK);
    for (let number = 0; number < 300; number++) before.keep(numbered(number));
    before.close();
    const store = open(400 * BLOCK);
    expect(store.idleStep()).toBe(true);
    store.keep(numbered(1000));
    expect(store.idleStep()).toBe(false);
    for (let number = 1001; number < 1100; number++) store.keep(numbered(number));
    expect(names()).toHaveLength(400);
    store.close();
  });

  it("loses one file for one that is kept, and an eighth in steps while the process is idle", {
    tags: ["deep"],
  }, () => {
    const held = 2048;
    const store = open(held * BLOCK);
    for (let number = 0; number < held; number++) store.keep(numbered(number));
    store.keep(numbered(held));
    expect([names().length, names().includes(nameOf(numbered(0)))]).toEqual([held, false]);
    const left: number[] = [];
    let isMore = store.hasIdleWork;
    while (isMore) {
      isMore = store.idleStep();
      left.push(names().length);
    }
    expect([left, store.hasIdleWork]).toEqual([[held - 128, held - 256], false]);
    expect(names().includes(nameOf(numbered(256)))).toBe(false);
    expect(names().includes(nameOf(numbered(257)))).toBe(true);
    store.close();
  });

  it("that is gone is no idle work that fails", () => {
    const store = open();
    rmSync(folder, { recursive: true });
    expect(store.idleStep()).toBe(false);
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
