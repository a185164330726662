import { beforeEach, describe, expect, it } from "vitest";
import type { IssuedTo } from "../../../../src/gate/messages/messages.js";
import { ContainerObjects } from "../../../../src/gate/worker/container-objects.js";

describe("the objects that were issued to containers", () => {
  let sent: (readonly (readonly [container: string, id: number])[])[];
  let objects: ContainerObjects;
  const issue = (container: string, id: number, withheld = false) =>
    objects.of(container).issue({ id, entry: { creator: 1, memory: 4096, exclusive: false, withheld } });

  beforeEach(() => {
    sent = [];
    objects = new ContainerObjects((issued) =>
      sent.push(issued.map(([container, { id }]: IssuedTo) => [container, id] as const)),
    );
  });

  it("are reported together, once", () => {
    issue("a", 1);
    issue("a", 2);
    expect(objects.hasUnreported).toBe(true);
    expect(sent).toEqual([]);
    objects.report();
    objects.report();
    expect(objects.hasUnreported).toBe(false);
    expect(sent).toEqual([
      [
        ["a", 1],
        ["a", 2],
      ],
    ]);
  });

  it("are reported before another container is served, but not before the same one is", () => {
    issue("a", 1);
    objects.reportThoseOfOthers("a");
    expect(sent).toEqual([]);
    objects.reportThoseOfOthers("b");
    expect(sent).toEqual([[["a", 1]]]);
  });

  it("are reported at once if one is a private copy", () => {
    issue("a", 1);
    issue("a", 2, true);
    expect(sent).toEqual([
      [
        ["a", 1],
        ["a", 2],
      ],
    ]);
  });

  it("are reported although calls are pending when there are many", () => {
    for (let id = 0; id < 63; id += 1) issue("a", id);
    expect(objects.isFull).toBe(false);
    issue("a", 63);
    expect(objects.isFull).toBe(true);
  });

  it("are not reported if another thread issued them, and are forgotten with their container", () => {
    objects.remember([["a", { id: 7, entry: { creator: 1, memory: 4096, exclusive: true } }]]);
    expect(objects.hasUnreported).toBe(false);
    expect(objects.of("a").map(7)).toMatchObject({ exclusive: true });
    expect(objects.of("b").map(7)).toBeUndefined();
    objects.forget("a");
    expect(objects.of("a").map(7)).toBeUndefined();
  });
});
