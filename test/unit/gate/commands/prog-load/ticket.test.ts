import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ProgramSubject } from "../../../../../src/bpf/model/facts.js";
import { Attr, LOAD } from "../../../../../src/gate/call/attr.js";
import { CallFailure } from "../../../../../src/gate/call/failure.js";
import { IssuedObjects } from "../../../../../src/gate/call/issued-objects.js";
import type { LiveLoad } from "../../../../../src/gate/commands/prog-load/live-load.js";
import { ticketOf } from "../../../../../src/gate/commands/prog-load/ticket.js";
import type { ListMap, MapNumbers } from "../../../../../src/seal/list/list-entry.js";
import { referenceDigest } from "../../../../../src/seal/list/reference-digest.js";
import type { KernelMap } from "../../../../../src/sys/bpf.js";
import { encodeTicket, mapsDigest } from "../../../../support/guard-ticket.js";

interface FakeMap extends KernelMap {
  readonly frozen?: boolean;
  readonly value?: Uint8Array;
  readonly extra?: string;
}

const kernel = vi.hoisted(() => ({ maps: new Map<number, unknown>(), btfs: new Map<number, string>() }));
const mapAt = (fd: number) => kernel.maps.get(fd) as FakeMap | undefined;

vi.mock("../../../../../src/sys/bpf.js", () => ({
  mapInfo: (fd: number) => mapAt(fd) ?? -9,
  isFrozen: (fd: number) => mapAt(fd)?.frozen === true,
  elementAt: (fd: number) => mapAt(fd)?.value ?? null,
  programNumbers: (fd: number) => ({ type: 1, id: 1000 + fd }),
}));
vi.mock("../../../../../src/sys/btf.js", () => ({
  mapTypes: (fd: number) => ({ mapExtra: mapAt(fd)?.extra ?? "0" }),
  btfReport: (fd: number) => ({ id: 2000 + fd, name: kernel.btfs.get(fd) }),
}));
vi.mock("../../../../../src/gate/commands/objects/live-definition.js", () => ({
  isBtf: (fd: number) => kernel.btfs.has(fd),
}));

beforeEach(() => {
  kernel.maps.clear();
  kernel.btfs.clear();
});

const DIGEST = "ab".repeat(32);
const RDONLY_PROG = 1 << 7;

/** `ld_imm64` with a source register, an immediate and the immediate of the second slot. */
function reference(source: number, number: number, offset = 0): Buffer {
  const bytes = Buffer.from("18000000000000000000000000000000", "hex");
  bytes[1] = (source << 4) | 1;
  bytes.writeInt32LE(number, 4);
  bytes.writeInt32LE(offset, 12);
  return bytes;
}

const map = (id: number, numbers: Partial<FakeMap> = {}): FakeMap => {
  return { type: 1, id, keySize: 4, valueSize: 8, maxEntries: 16, flags: 0, name: `m${id}`, ...numbers };
};

function ticket(
  references: readonly Uint8Array[],
  {
    fields = {},
    maps = {},
    gpl = true,
    objects = new IssuedObjects(),
  }: {
    readonly fields?: Readonly<Record<number, number>>;
    readonly maps?: Readonly<Record<string, number>>;
    readonly gpl?: boolean;
    readonly objects?: IssuedObjects;
  } = {},
): Buffer {
  const attr = new Attr(LOAD.size, LOAD.size);
  for (const [offset, value] of Object.entries(fields)) attr.setU32(Number(offset), value);
  const insns = Buffer.concat([...references, Buffer.from("b7000000000000009500000000000000", "hex")]);
  const load = { attr, insns, maps: new Map(Object.entries(maps)) } as unknown as LiveLoad;
  const program = { digest: DIGEST, gpl_compatible: gpl } as ProgramSubject;
  return Buffer.from(ticketOf(load, program, objects));
}

/** What test/support/guard-ticket.ts writes for the same load, from the definition of a list. */
function expected(more: Partial<Parameters<typeof encodeTicket>[0]> = {}): Buffer {
  const key = { digest: DIGEST, progType: 0, expectedAttachType: 0, attachBtfId: 0, progFlags: 0, gplCompatible: true };
  const rest = { attachProgId: 0, attachBtfObjId: 0, tid: 0, deadline: 0n, maps: "00".repeat(32) };
  return encodeTicket({ ...key, ...rest, ...more });
}

function listMap({ type, keySize, valueSize, maxEntries, flags }: FakeMap, more: Partial<ListMap> = {}): ListMap {
  const numbers: MapNumbers = { mapType: type, keySize, valueSize, maxEntries, mapFlags: flags };
  return { ...numbers, mapExtra: 0n, contents: null, settings: [], inner: null, ...more };
}

describe("the ticket for a load", () => {
  it("has what the kernel makes of the load, without maps", () => {
    const fields = { [LOAD.progType]: 26, [LOAD.expectedAttachType]: 24, [LOAD.attachBtfId]: 77, [LOAD.progFlags]: 3 };
    expect(ticket([], { fields, gpl: false })).toEqual(
      expected({ progType: 26, expectedAttachType: 24, attachBtfId: 77, progFlags: 3, gplCompatible: false }),
    );
  });

  it.each([
    [9, 2],
    [21, 39],
    [6, 0],
  ])("has the attach type that the kernel puts in place of 0: program type %i", (progType, expectedAttachType) => {
    expect(ticket([], { fields: { [LOAD.progType]: progType } })).toEqual(expected({ progType, expectedAttachType }));
  });

  it.each([
    ["a program", undefined, { attachProgId: 1007 }],
    ["the BTF of a module", "nf_tables", { attachBtfObjId: 2007 }],
    ["the BTF of vmlinux", "vmlinux", {}],
  ])("names the target by its id: %s", (_, name, more) => {
    if (name !== undefined) kernel.btfs.set(7, name);
    expect(ticket([], { fields: { [LOAD.attachFd]: 7 } })).toEqual(expected(more));
  });

  it("has each map once, in the order of the references, with the kernel's numbers", () => {
    const [first, second] = [map(1, { type: 2, flags: 1 << 10 }), map(2, { type: 9, extra: "5" })];
    kernel.maps.set(50, first).set(51, second);
    const references = [reference(1, 5), reference(2, 6, 16), reference(6, 0, 4), reference(1, 5)];
    const maps = { "fd 5": 50, "fd 6": 51, "index 0": 52 };
    kernel.maps.set(52, first);
    const digest = referenceDigest([
      { map: 0, offset: 0 },
      { map: 1, offset: 16 },
      { map: 2, offset: 4 },
      { map: 0, offset: 0 },
    ]);
    const listed = [listMap(first), listMap(second, { mapExtra: 5n }), listMap(first)];
    expect(ticket(references, { maps })).toEqual(
      expected({ maps: mapsDigest({ references: 4, digest, maps: listed }) }),
    );
  });

  it("has the contents of a map that is frozen and read-only, and of no other", () => {
    const value = Buffer.from("settings");
    const contents = createHash("sha256").update(value).digest("hex");
    const data = map(1, { type: 2, maxEntries: 1, flags: RDONLY_PROG, frozen: true, value });
    const digest = referenceDigest([{ map: 0, offset: 0 }]);
    const of = (one: FakeMap, hex: string | null) => {
      kernel.maps.set(50, one);
      expect(ticket([reference(2, 5)], { maps: { "fd 5": 50 } })).toEqual(
        expected({ maps: mapsDigest({ references: 1, digest, maps: [listMap(one, { contents: hex })] }) }),
      );
    };
    of(data, contents);
    of({ ...data, frozen: false }, null);
    of({ ...data, flags: 0 }, null);
    of({ ...data, maxEntries: 2 }, null);
  });

  it("has the definition of the maps in a map of maps, which the agent knows if it created it", () => {
    const outer = map(7, { type: 12 });
    kernel.maps.set(50, outer);
    const objects = new IssuedObjects();
    const inner = { type: 1, keySize: 4, valueSize: 4, maxEntries: 3, flags: 1 };
    const creation = { numaNode: 0, inner: inner as never };
    objects.issue({ id: 7, entry: { creator: 1, memory: 1, exclusive: false, creation } });
    const listed = listMap(outer, { inner: { mapType: 1, keySize: 4, valueSize: 4, maxEntries: 3, mapFlags: 1 } });
    const digest = referenceDigest([{ map: 0, offset: 0 }]);
    expect(ticket([reference(1, 5)], { maps: { "fd 5": 50 }, objects })).toEqual(
      expected({ maps: mapsDigest({ references: 1, digest, maps: [listed] }) }),
    );
  });

  const denied = (act: () => unknown) => {
    try {
      act();
    } catch (error) {
      return error instanceof CallFailure ? error.denial : error;
    }
    return null;
  };

  it("is none for a map of maps that another process created", () => {
    kernel.maps.set(50, map(7, { type: 13 }));
    expect(denied(() => ticket([reference(1, 5)], { maps: { "fd 5": 50 } }))).toMatchObject({
      rule: "ticket",
      reason: expect.stringContaining("map of maps `m7`"),
    });
  });

  it("is none for more maps than the guard compares", () => {
    const references = Array.from({ length: 65 }, (_, number) => reference(1, number));
    expect(denied(() => ticket(references))).toMatchObject({
      rule: "ticket",
      reason: expect.stringContaining("65 maps"),
    });
  });
});
