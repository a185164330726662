import { describe, expect, it } from "vitest";
import { Attr, CREATE, LOAD } from "../../../../src/gate/call/attr.js";
import { type Attempt, createAttempt, loadAttempt, Retries } from "../../../../src/gate/call/retries.js";

const DIGEST = "ab".repeat(32);

function name(attr: Attr, offset: number, text: string): Attr {
  attr.bytes.set(Buffer.from(text), offset);
  return attr;
}

type Made = readonly [tgid: number, attempt: Attempt];

function load({ tgid = 1, digest = DIGEST, log = 0, size = 0, type = 3, called = "pass" } = {}): Made {
  const attr = new Attr(LOAD.size, LOAD.size);
  attr.setU32(LOAD.progType, type);
  attr.setU32(LOAD.logLevel, log);
  attr.setU32(LOAD.logSize, size);
  return [tgid, loadAttempt(name(attr, LOAD.progName, called), digest)];
}

function create({ tgid = 1, entries = 1, typed = false, called = "counts" } = {}): Made {
  const attr = new Attr(CREATE.size, CREATE.size);
  attr.setU32(CREATE.maxEntries, entries);
  if (typed) for (const field of [CREATE.btfFd, CREATE.btfKeyTypeId, CREATE.btfValueTypeId]) attr.setU32(field, 7);
  return [tgid, createAttempt(name(attr, CREATE.mapName, called))];
}

/** The operation of each attempt where all are denied; an operation is named by the number of its first attempt. */
function operations(attempts: readonly Made[]): number[] {
  const retries = new Retries();
  return attempts.map(([tgid, attempt], number) => {
    const operation = retries.operationOf(tgid, () => attempt) ?? String(number);
    retries.denied(tgid, attempt, operation);
    return Number(operation);
  });
}

function operationOf(retries: Retries, [tgid, attempt]: Made): string | null {
  return retries.operationOf(tgid, () => attempt);
}

const LOG = { log: 1, size: 65_536 };

describe("denied attempts", () => {
  it.each([
    ["a load without a log, and again with one", [load(), load(LOG)], [0, 0]],
    [
      "a load with a log, and again with larger ones",
      [load(LOG), load({ ...LOG, size: 2 ** 20 }), load({ ...LOG, size: 2 ** 24 })],
      [0, 0, 0],
    ],
    ["a load with a log of no size", [load(), load({ log: 1 })], [0, 0]],
    ["a map with types, and again without", [create({ typed: true }), create()], [0, 0]],
    ["a load of another thread of the group", [load({ tgid: 5 }), load({ ...LOG, tgid: 5 })], [0, 0]],
    ["two task groups at once", [load(), load({ tgid: 2 }), load(LOG), load({ ...LOG, tgid: 2 })], [0, 1, 0, 1]],
  ])("are one operation: %s", (_, attempts, expected) => {
    expect(operations(attempts)).toEqual(expected);
  });

  it.each([
    ["the same load twice", [load(), load()]],
    ["the same load twice with a log", [load(LOG), load(LOG)]],
    ["a load with a log, and then without", [load(LOG), load()]],
    ["a map without types, and then with them", [create(), create({ typed: true })]],
    ["loads of other bytes", [load(), load({ ...LOG, digest: "cd".repeat(32) })]],
    ["loads under another name", [load(), load({ ...LOG, called: "drop" })]],
    ["loads of another type", [load(), load({ ...LOG, type: 6 })]],
    ["loads of another task group", [load(), load({ ...LOG, tgid: 2 })]],
    ["maps of another size", [create({ typed: true }), create({ entries: 2 })]],
    ["a load and a map", [load(), create()]],
    ["a load with another one in between", [load(), load({ called: "drop" }), load(LOG)]],
    ["a load with a map in between", [load(), create(), load(LOG)]],
  ])("are operations of their own: %s", (_, attempts) => {
    expect(operations(attempts)).toEqual(attempts.map((_, number) => number));
  });

  it("are begun anew by each series", () => {
    expect(operations([load(), load(LOG), load(), load(LOG)])).toEqual([0, 0, 2, 2]);
  });

  it("are no series where the first one was allowed", () => {
    const retries = new Retries();
    expect(operationOf(retries, load())).toBeNull();
    expect(operationOf(retries, load(LOG))).toBeNull();
  });

  it("end where another attempt is allowed in between", () => {
    const retries = new Retries();
    retries.denied(...load(), "first");
    expect(operationOf(retries, load({ called: "drop" }))).toBeNull();
    expect(operationOf(retries, load(LOG))).toBeNull();
  });

  it("have the same operation in each turn of a call", () => {
    const retries = new Retries();
    retries.denied(...load(), "first");
    expect([operationOf(retries, load(LOG)), operationOf(retries, load(LOG))]).toEqual(["first", "first"]);
  });

  it("are remembered for a bounded number of task groups, the latest ones", () => {
    const retries = new Retries();
    for (let tgid = 0; tgid < 10_000; tgid += 1) retries.denied(...load({ tgid }), String(tgid));
    const known = Array.from({ length: 10_000 }, (_, tgid) => operationOf(retries, load({ ...LOG, tgid })));
    expect(known.filter((operation) => operation !== null)).toHaveLength(256);
    expect(known[9999]).toBe("9999");
  });
});
