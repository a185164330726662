import { describe, expect, it } from "vitest";
import type { CallerRecord } from "../../../../src/log/input-records.js";
import { placeOf } from "../../../../src/workbench/learn/task-place.js";

const caller = (container: unknown, masked?: readonly string[]) =>
  ({ content: { container }, masked }) as unknown as CallerRecord;
const labelled = (labels: unknown, masked?: readonly string[]) => caller({ id: "c", name: null, labels }, masked);

describe("the place of a task", () => {
  it.each([
    ["host", caller(null)],
    ["unknown labels", labelled(null)],
    ["no tier", labelled({})],
    ["no tier", labelled({ app: "web" })],
    ["tier=edge", labelled({ tier: "edge" })],
    ["tier=", labelled({ tier: "" })],
    ["tier=host", labelled({ tier: "host" })],
  ])("is %s", (place, record) => expect(placeOf(record, "tier")).toBe(place));

  it("knows inherited names for no labels", () => {
    for (const key of ["constructor", "toString"]) expect(placeOf(labelled({}), key)).toBe(`no ${key}`);
  });

  it("is null if the log does not have it", () => {
    expect(placeOf(caller(undefined), "tier")).toBeNull();
    expect(placeOf(labelled({ tier: "edge" }, "/current" as never), "tier")).toBeNull();
    expect(placeOf(labelled(undefined), "tier")).toBeNull();
    expect(placeOf(labelled({ tier: 7 }), "tier")).toBeNull();
    expect(placeOf(labelled({ tier: "\ud800" }), "tier")).toBeNull();
  });

  it("is null if the label, or something that contains it, is masked", () => {
    const key = "example.org/tier~1";
    const covering = [
      "/current/container",
      "/current/container/labels",
      "/current/container/labels/example.org~1tier~01",
    ];
    for (const pointer of covering) expect(placeOf(labelled({}, [pointer]), key), pointer).toBeNull();
    for (const pointer of ["/current/container/labels/example.org", "/current/container/name", "/current/exe"])
      expect(placeOf(labelled({}, [pointer]), key), pointer).toBe(`no ${key}`);
  });
});
