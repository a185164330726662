import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CMD } from "../../../src/bpf/model/commands.js";
import type { ProgramSubject } from "../../../src/bpf/model/facts.js";
import { Attr, CREATE, LOAD } from "../../../src/gate/call/attr.js";
import { IssuedObjects, type MapEntry } from "../../../src/gate/call/issued-objects.js";
import { IssuedByContainer } from "../../../src/gate/supervisor/issued-by-container.js";
import { bpf, mapInfo, programNumbers } from "../../../src/sys/bpf.js";
import { addressOf, keepAlive } from "../../../src/sys/libc.js";
import { close } from "../../../src/sys/pidfd.js";
import { setOpenFiles } from "../../../src/sys/process.js";
import { until } from "../../support/until.js";
import { needsGate } from "./site.js";

const ARRAY = 2;
const SOCKET_FILTER = 1;
/** As many as are remembered. */
const MOST = 16_384;

/** An array of one element of four bytes: its fd, or a negative errno. */
function createMap(): number {
  const attr = new Uint8Array(CREATE.size);
  const view = new DataView(attr.buffer);
  for (const [at, value] of [
    [CREATE.mapType, ARRAY],
    [CREATE.keySize, 4],
    [CREATE.valueSize, 4],
    [CREATE.maxEntries, 1],
  ] as const)
    view.setUint32(at, value, true);
  return bpf(CMD.BPF_MAP_CREATE, attr);
}

function idOf(fd: number): number {
  const info = mapInfo(fd);
  if (typeof info === "number") throw new Error(`no map: ${info}`);
  return info.id;
}

/** `r0 = 2; exit` as a socket filter: its fd. */
function loadProgram(): number {
  const insns = Buffer.from("b7000000020000009500000000000000", "hex");
  const license = Buffer.from("GPL\0");
  const attr = new Attr(LOAD.size, LOAD.size);
  attr.setU32(LOAD.progType, SOCKET_FILTER);
  attr.setU32(LOAD.insnCount, 2);
  attr.setPointer(LOAD.insns, addressOf(insns));
  attr.setPointer(LOAD.license, addressOf(license));
  const fd = bpf(CMD.BPF_PROG_LOAD, keepAlive(attr.bytes, insns, license));
  if (fd < 0) throw new Error(`no program: ${fd}`);
  return fd;
}

function programIdOf(fd: number): number {
  const numbers = programNumbers(fd);
  if (typeof numbers === "number") throw new Error(`no program: ${numbers}`);
  return numbers.id;
}

const entry = (memory: number): MapEntry => ({ creator: process.pid, memory, exclusive: false });

describe("what was handed out", () => {
  beforeEach((context) => needsGate(context));

  it("is all that is there, by whose it is, until the last of theirs has gone", async () => {
    const issued = new IssuedByContainer();
    const fds = Array.from({ length: 3 }, createMap);
    const [mine, theirs, gone] = fds.map(idOf) as [number, number, number];
    issued.add([
      ["a", { id: mine, entry: entry(1) }],
      ["b", { id: theirs, entry: entry(1) }],
      ["a", { id: gone, entry: entry(1) }],
    ]);
    close(fds.pop()!);
    const ids = (issued: IssuedByContainer["all"]) => issued.map(([containerKey, { id }]) => [containerKey, id]);
    // the kernel lets go of a map a moment after its last fd
    const both = [
      ["a", mine],
      ["b", theirs],
    ];
    await until(() => expect(ids(issued.all)).toEqual(both));
    issued.forget("a");
    expect([ids(issued.to("a")), ids(issued.all)]).toEqual([[], [["b", theirs]]]);
    fds.forEach(close);
  });
});

describe("what is remembered of programs", () => {
  beforeEach((context) => needsGate(context));
  /** About 8 MiB of instructions each, of which there is one copy here. */
  const insns = new Uint8Array(8 * 2 ** 20);
  const subject = { insns, raw_insns: insns, evidence: [], maps: [] } as unknown as ProgramSubject;

  it("is bounded in bytes: those that are gone are forgotten, and then the oldest", () => {
    const fds = Array.from({ length: 40 }, () => loadProgram());
    const ids = fds.map(programIdOf);
    const gone = 2 ** 31 - 1;
    const objects = new IssuedObjects();
    for (const [index, id] of ids.entries()) {
      objects.issue({ id: gone - index, subject });
      objects.issue({ id, subject });
      expect(objects.program(id)).toBe(subject);
    }
    const found = ids.map((id) => objects.program(id) !== null);
    const count = found.filter((is) => is).length;
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThanOrEqual(16);
    expect(found.slice(-count)).toEqual(Array.from({ length: count }, () => true));
    fds.forEach(close);
  });

  it("is all of it where programs are small", () => {
    const fds = Array.from({ length: 300 }, () => loadProgram());
    const objects = new IssuedObjects();
    const small = { ...subject, insns: insns.slice(0, 16), raw_insns: insns.slice(0, 16) };
    for (let round = 0; round < 20; round += 1)
      for (const fd of fds) objects.issue({ id: programIdOf(fd), subject: small });
    expect(objects.all).toHaveLength(300);
    fds.forEach(close);
  });
});

describe("a quota on maps", () => {
  const fds: number[] = [];
  beforeAll(() => {
    if (process.getuid?.() !== 0) return;
    setOpenFiles(MOST + 1024);
    for (let count = 0; count < MOST; count += 1) {
      const fd = createMap();
      if (fd < 0) throw new Error(`map ${count}: ${fd}`);
      fds.push(fd);
    }
  });
  afterAll(() => fds.forEach(close));
  beforeEach((context) => needsGate(context));

  it("counts maps that are there, and finds out by and by which are gone", () => {
    const objects = new IssuedObjects();
    const gone = Array.from({ length: 1000 }, () => createMap());
    for (const fd of [...gone, ...fds.slice(0, 10)]) objects.issue({ id: idOf(fd), entry: entry(1) });
    gone.forEach(close);
    expect(objects.hasRoom(1, 1010)).toBe(true);
    // of each refused create it is known sooner or later, after no more looks than there are maps
    const tries = Array.from({ length: 8 }, () => objects.hasRoom(1000, 1010));
    expect(tries).toEqual([...tries.filter((room) => !room), ...tries.filter((room) => room)]);
    expect(tries.at(-1)).toBe(true);
    expect(objects.hasRoom(1001, 1010)).toBe(false);
  });

  it("is no larger for who has more maps than are remembered", () => {
    const objects = new IssuedObjects();
    for (const [index, fd] of fds.entries()) {
      expect(objects.hasRoom(1, Number.MAX_SAFE_INTEGER), String(index)).toBe(true);
      objects.issue({ id: idOf(fd), entry: entry(1) });
    }
    for (let round = 0; round < 100; round += 1) expect(objects.hasRoom(1, Number.MAX_SAFE_INTEGER)).toBe(false);
    close(fds.pop()!);
    const found = Array.from({ length: 65 }, () => objects.hasRoom(1, Number.MAX_SAFE_INTEGER));
    expect(found).toContain(true);
  });
});
