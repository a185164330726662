import { describe, expect, it } from "vitest";
import { ListenerRegistry } from "../../../../src/gate/supervisor/listener-registry.js";

const container = (id: string) => ({ id, name: id, labels: {}, annotations: {} });
const listener = (fd: number, id: string | null, cursor = -1) => ({
  fd,
  container: id === null ? null : container(id),
  cursor,
  filter: "full" as const,
});

describe("the listeners of a gate", () => {
  it("are of one command alone, and not shared", () => {
    const registry = new ListenerRegistry();
    expect([registry.alone, registry.shared]).toEqual([true, false]);
    registry.add(listener(3, null));
    expect([registry.alone, registry.shared, registry.containerKey(3)]).toEqual([true, false, ""]);
  });

  it("are of one container alone with all its listeners, and may be shared from then on", () => {
    const registry = new ListenerRegistry();
    registry.add(listener(3, "a"));
    registry.add(listener(4, "a"));
    expect([registry.alone, registry.shared]).toEqual([true, true]);
    registry.add(listener(5, "b"));
    expect([registry.alone, registry.shared]).toEqual([false, true]);
  });

  it("share the memory for releases with all listeners of their container, also when they are replaced", () => {
    const registry = new ListenerRegistry();
    const { releases } = registry.add(listener(3, "a"));
    expect(registry.add(listener(3, "a")).releases).toBe(releases);
    expect(registry.add(listener(4, "a")).releases).toBe(releases);
    expect(registry.add(listener(5, "b")).releases).not.toBe(releases);
    expect(Array.from(registry.all, (each) => each.releases === releases)).toEqual([true, true, false]);
    registry.remove(3);
    registry.remove(4);
    expect(registry.add(listener(6, "a")).releases).not.toBe(releases);
  });

  it("name the container whose last listener was removed", () => {
    const registry = new ListenerRegistry();
    for (const [fd, id] of [
      [3, "a"],
      [4, "a"],
      [5, "b"],
    ] as const)
      registry.add(listener(fd, id));
    expect([registry.remove(3), registry.remove(3), registry.remove(4), registry.remove(9)]).toEqual([
      null,
      null,
      "a",
      null,
    ]);
    expect([registry.alone, [...registry.all].map(({ fd }) => fd)]).toEqual([true, [5]]);
    registry.remove(5);
    expect(registry.shared).toBe(false);
  });

  it("keep a cursor when the container gets other labels", () => {
    const registry = new ListenerRegistry();
    registry.add(listener(3, "a", 7));
    registry.add({ ...listener(3, "a"), container: { ...container("a"), labels: { tier: "edge" } } });
    expect([registry.cursor(3), registry.container(3)?.labels, registry.alone]).toEqual([7, { tier: "edge" }, true]);
    expect(registry.remove(3)).toBe("a");
  });
});
