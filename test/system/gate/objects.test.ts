import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CREATE } from "../../../src/gate/call/attr.js";
import { CMD } from "../../../src/gate/call/command.js";
import { type MapEntry, Objects } from "../../../src/gate/call/objects.js";
import { bpf, mapInfo } from "../../../src/gate/sys/bpf.js";
import { close } from "../../../src/gate/sys/pidfd.js";
import { setOpenFiles } from "../../../src/gate/sys/process.js";
import { HandedOut } from "../../../src/gate/threads/handed-out.js";
import { needsGate } from "./site.js";

const ARRAY = 2;
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
  return bpf(CMD.mapCreate, attr);
}

function idOf(fd: number): number {
  const info = mapInfo(fd);
  if (typeof info === "number") throw new Error(`no map: ${info}`);
  return info.id;
}

const entry = (memory: number): MapEntry => ({ creator: process.pid, memory, exclusive: false });

describe("what was handed out", () => {
  beforeEach((context) => needsGate(context));

  it("is all that is there, by whose it is, until the last of theirs has gone", async () => {
    const handedOut = new HandedOut();
    const fds = Array.from({ length: 3 }, createMap);
    const [mine, theirs, gone] = fds.map(idOf) as [number, number, number];
    handedOut.add([
      ["a", { id: mine, entry: entry(1) }],
      ["b", { id: theirs, entry: entry(1) }],
      ["a", { id: gone, entry: entry(1) }],
    ]);
    close(fds.pop()!);
    const ids = (handed: HandedOut["all"]) => handed.map(([whose, { id }]) => [whose, id]);
    // the kernel lets go of a map a moment after its last fd
    const both = [
      ["a", mine],
      ["b", theirs],
    ];
    await vi.waitFor(() => expect(ids(handedOut.all)).toEqual(both));
    handedOut.forget("a");
    expect([ids(handedOut.to("a")), ids(handedOut.all)]).toEqual([[], [["b", theirs]]]);
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
    const objects = new Objects();
    const gone = Array.from({ length: 1000 }, () => createMap());
    for (const fd of [...gone, ...fds.slice(0, 10)]) objects.handOutMap(idOf(fd), entry(1));
    gone.forEach(close);
    expect(objects.hasRoom(1, 1010)).toBe(true);
    // of each refused create it is known sooner or later, after no more looks than there are maps
    const tries = Array.from({ length: 8 }, () => objects.hasRoom(1000, 1010));
    expect(tries).toEqual([...tries.filter((room) => !room), ...tries.filter((room) => room)]);
    expect(tries.at(-1)).toBe(true);
    expect(objects.hasRoom(1001, 1010)).toBe(false);
  });

  it("is no larger for who has more maps than are remembered", () => {
    const objects = new Objects();
    for (const [index, fd] of fds.entries()) {
      expect(objects.hasRoom(1, Number.MAX_SAFE_INTEGER), String(index)).toBe(true);
      objects.handOutMap(idOf(fd), entry(1));
    }
    for (let round = 0; round < 100; round += 1) expect(objects.hasRoom(1, Number.MAX_SAFE_INTEGER)).toBe(false);
    close(fds.pop()!);
    const found = Array.from({ length: 65 }, () => objects.hasRoom(1, Number.MAX_SAFE_INTEGER));
    expect(found).toContain(true);
  });
});
