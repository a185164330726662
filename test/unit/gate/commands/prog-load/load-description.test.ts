import { beforeEach, describe, expect, it, vi } from "vitest";
import { Attr, LOAD } from "../../../../../src/gate/call/attr.js";
import { IssuedObjects } from "../../../../../src/gate/call/issued-objects.js";
import type { LiveLoad } from "../../../../../src/gate/commands/prog-load/live-load.js";
import { descriptionKey, MapTokens } from "../../../../../src/gate/commands/prog-load/load-description.js";
import { kernel, resetKernel } from "../../../../support/fake-kernel.js";

vi.mock("../../../../../src/sys/bpf.js", async () => (await import("../../../../support/fake-kernel.js")).BPF);
vi.mock("../../../../../src/sys/btf.js", async () => (await import("../../../../support/fake-kernel.js")).BTF);

beforeEach(resetKernel);

const PROCESS = "4242 100 7";
const NUMBER = { vmlinux: null, has: () => true, typeName: () => null };

describe("the key of what a load's maps are", () => {
  /**
   * The key of a load with these maps, in the order of its fds; a map from 10 on has another definition. 0 is no map.
   */
  function keyOf(tokens: MapTokens, maps: readonly number[]): string {
    const objects = new IssuedObjects();
    const ids = new Map<string, number>();
    const fds = new Map<string, number>();
    for (const [index, id] of maps.entries()) {
      const name = `fd ${index}`;
      fds.set(name, 100 + index);
      if (id === 0) continue;
      ids.set(name, id);
      const maxEntries = id < 10 ? 1 : id;
      kernel.maps.set(100 + index, { type: 2, id, keySize: 4, valueSize: 8, maxEntries, flags: 0, name: "m" });
      objects.issue({ id, entry: { creator: 4242, process: PROCESS, memory: 1, exclusive: false } });
    }
    const given = new Attr(LOAD.size, LOAD.size);
    const load = { given, attr: given, insns: new Uint8Array(16), maps: fds, btfs: new Map() } as unknown as LiveLoad;
    const known = { maps: new Map(), ids, btf: null, objects, process: PROCESS, kernel: NUMBER };
    return Buffer.from(descriptionKey(load, known, tokens)).toString("hex");
  }

  it("is the same for new maps of the same definitions in the same places", () => {
    const tokens = new MapTokens();
    expect(keyOf(tokens, [4, 5, 4, 10])).toBe(keyOf(tokens, [7, 6, 7, 10]));
  });

  it("is another once more is known of how a map was created", () => {
    const tokens = new MapTokens();
    const inner = { type: 2, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, mapExtra: "0", ifindex: 0 };
    const creation = { numaNode: 0, inner: { ...inner, btf: null, keyTypeId: 0, valueTypeId: 0 } };
    kernel.maps.set(100, { type: 12, id: 5, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0, name: "m" });
    const entry = { creator: 4242, process: PROCESS, memory: 1, exclusive: false };
    const unknown = tokens.ofMap(5, 100, undefined);
    const token = tokens.ofMap(5, 100, { ...entry, creation });
    expect(token).not.toBe(unknown);
    expect(tokens.ofMap(5, 100, { ...entry, creation: structuredClone(creation) })).toBe(token);
  });

  it("is another for maps in other places, whatever numbers stand for them", () => {
    const tokens = new MapTokens();
    const given = [
      ...[
        [1, 2, 3, 1, 2, 3],
        [1, 2, 2, 1, 2, 10],
        [1, 2, 3, 1, 2, 10],
        [1, 2, 3, 3, 2, 1],
      ],
      ...[[1, 2, 1, 2, 1, 2], [1, 1, 1, 1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 1, 0], [1, 1], [0, 0], []],
    ];
    const keys = given.map((maps) => keyOf(tokens, maps));
    expect(new Set(keys).size).toBe(given.length);
  });
});
