import { describe, expect, it } from "vitest";
import { mapMemory } from "../../../../../src/bpf/model/map-memory.js";
import { Attr, CREATE } from "../../../../../src/gate/call/attr.js";
import { createdMap } from "../../../../../src/gate/commands/objects/map-subject.js";

describe("a map that is about to be created", () => {
  const asked = (type: number, sizes: { key_size: number; value_size: number; max_entries: number }) => {
    const attr = new Attr(CREATE.size, CREATE.size);
    attr.setU32(CREATE.mapType, type);
    attr.setU32(CREATE.keySize, sizes.key_size);
    attr.setU32(CREATE.valueSize, sizes.value_size);
    attr.setU32(CREATE.maxEntries, sizes.max_entries);
    return createdMap(attr);
  };

  it.each([
    [1, "hash"],
    [5, "percpu_hash"],
    [6, "percpu_array"],
    [27, "ringbuf"],
    [999, "unknown"],
  ])("of type %i (%s) takes as much memory as one of an object file", (number, type) => {
    const sizes = { key_size: 4, value_size: 100, max_entries: 4096 };
    const { fixed, perCpu } = mapMemory({ type, ...sizes });
    expect(asked(number, sizes)).toMatchObject({ type, ...sizes, memory: fixed, memory_per_cpu: perCpu });
  });
});
