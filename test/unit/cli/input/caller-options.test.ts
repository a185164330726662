import { describe, expect, it } from "vitest";
import { callerWith } from "../../../../src/cli/input/caller-options.js";
import { ROOT_ON_HOST } from "../../../../src/policy/model/current.js";
import { task } from "../../../task.js";

const CONTAINER = { id: "c", name: "web", labels: { tier: "lab", app: "web" }, annotations: { a: "b" } };

describe("the task that asks", () => {
  it("is the given one where nothing is said of it", () => {
    for (const base of [ROOT_ON_HOST, task({ uid: 5, euid: 6, container: CONTAINER })])
      expect(callerWith(base, { labels: {} })).toEqual(base);
  });

  it("has the uid that is said as its effective one too, and the name", () => {
    const said = { labels: {}, uid: 1000, comm: "tc" };
    expect(callerWith(task(), said)).toEqual(task({ uid: 1000, euid: 1000, comm: "tc" }));
    expect(callerWith(task(), { labels: {}, uid: 0, comm: "" })).toMatchObject({ uid: 0, comm: "" });
  });

  it("is in a container if it has labels", () => {
    const { container } = callerWith(ROOT_ON_HOST, { labels: { tier: "edge" } });
    expect(container).toEqual({ id: "check", name: null, labels: { tier: "edge" }, annotations: {} });
  });

  it("adds labels to those of its own container, unknown ones too", () => {
    const labels = { tier: "edge" };
    expect(callerWith(task({ container: CONTAINER }), { labels }).container).toEqual({
      ...CONTAINER,
      labels: { tier: "edge", app: "web" },
    });
    const unknown = task({ container: { ...CONTAINER, labels: null } });
    expect(callerWith(unknown, { labels }).container?.labels).toEqual(labels);
    expect(callerWith(unknown, { labels: {} }).container?.labels).toBeNull();
  });
});
