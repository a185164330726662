import { describe, expect, it } from "vitest";
import { Heard } from "../../../../src/gate/threads/heard.js";

const container = (id: string) => ({ id, name: id, labels: {}, annotations: {} });
const listener = (fd: number, id: string | null, bookmark = -1) => ({
  fd,
  container: id === null ? null : container(id),
  bookmark,
  filter: "full" as const,
});

describe("what a gate hears", () => {
  it("is one command's alone, and shared by nobody", () => {
    const heard = new Heard();
    expect([heard.alone, heard.shared]).toEqual([true, false]);
    heard.add(listener(3, null));
    expect([heard.alone, heard.shared, heard.whose(3)]).toEqual([true, false, ""]);
  });

  it("is one container's alone with all its listeners, and may be shared from then on", () => {
    const heard = new Heard();
    heard.add(listener(3, "a"));
    heard.add(listener(4, "a"));
    expect([heard.alone, heard.shared]).toEqual([true, true]);
    heard.add(listener(5, "b"));
    expect([heard.alone, heard.shared]).toEqual([false, true]);
  });

  it("says whose the last listener was that went", () => {
    const heard = new Heard();
    for (const [fd, id] of [
      [3, "a"],
      [4, "a"],
      [5, "b"],
    ] as const)
      heard.add(listener(fd, id));
    expect([heard.remove(3), heard.remove(3), heard.remove(4), heard.remove(9)]).toEqual([null, null, "a", null]);
    expect([heard.alone, [...heard.all].map(({ fd }) => fd)]).toEqual([true, [5]]);
    heard.remove(5);
    expect(heard.shared).toBe(false);
  });

  it("keeps a listener's bookmark when its container gets other labels", () => {
    const heard = new Heard();
    heard.add(listener(3, "a", 7));
    heard.add({ ...listener(3, "a"), container: { ...container("a"), labels: { tier: "edge" } } });
    expect([heard.bookmark(3), heard.container(3)?.labels, heard.alone]).toEqual([7, { tier: "edge" }, true]);
    expect(heard.remove(3)).toBe("a");
  });
});
