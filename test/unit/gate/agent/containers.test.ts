import "../../../support/work.js";
import { describe, expect, it, vi } from "vitest";
import type { CountersignError } from "../../../../src/error.js";
import type { ContainerState } from "../../../../src/gate/agent/container/container-state.js";
import type { LabelSource, Labels, LabelsListening } from "../../../../src/gate/agent/container/label-source.js";
import { Containers } from "../../../../src/gate/agent/containers.js";
import type { Container } from "../../../../src/policy/model/current.js";
import { growth, worked } from "../../../support/work.js";

const state = (id: string): ContainerState => ({
  id,
  pid: 1,
  bundle: "",
  annotations: {},
  metadata: "countersign-2",
  listenerIndex: 0,
});

/** A source that a test sets. */
class Told implements LabelSource {
  readonly labels = new Map<string, Labels>();
  listening: LabelsListening | undefined;
  readonly close = vi.fn();

  labelsOf({ id }: ContainerState): Labels | null {
    return this.labels.get(id) ?? null;
  }

  follow(listening: LabelsListening): void {
    this.listening = listening;
  }

  why(): string {
    return "nobody said";
  }
}

describe("the containers of an agent", () => {
  const made = (patience = 30_000) => {
    const source = new Told();
    const known: [number, Container][] = [];
    const said: CountersignError[] = [];
    const containers = new Containers(
      source,
      { known: (listener, container) => known.push([listener, container]), say: (error) => said.push(error) },
      patience,
    );
    return { source, known, said, containers };
  };

  it("are reported once when they start, and again only when their labels change", () => {
    const { source, known, containers } = made();
    source.labels.set("a", { tier: "edge" });
    containers.take(5, state("a"));
    containers.take(6, state("a"));
    containers.take(7, state("b"));
    expect(known.map(([fd, { id, labels }]) => [fd, id, labels])).toEqual([
      [5, "a", { tier: "edge" }],
      [6, "a", { tier: "edge" }],
      [7, "b", null],
    ]);
    known.splice(0);
    source.labels.set("a", { tier: "edge" });
    source.listening?.changed();
    expect(known).toEqual([]);
    source.labels.set("b", {});
    source.listening?.changed();
    expect(known.map(([fd]) => fd)).toEqual([7]);
    source.labels.set("a", { tier: "edge", more: "" });
    source.labels.delete("b");
    containers.refresh();
    expect(known.map(([fd, { labels }]) => [fd, labels])).toEqual([
      [7, {}],
      [5, { tier: "edge", more: "" }],
      [6, { tier: "edge", more: "" }],
      [7, null],
    ]);
  });

  it("are not reported any more after they ended", () => {
    const { source, known, containers } = made();
    containers.take(5, state("a"));
    expect(containers.listeners).toEqual([5]);
    expect(containers.forget(5)).toBe(-1);
    expect(containers.forget(5)).toBeNull();
    source.labels.set("a", {});
    containers.refresh();
    expect(known).toHaveLength(1);
    expect(containers.size).toBe(0);
  });

  it("cause one warning with the reason if their labels are not known in time", () => {
    vi.useFakeTimers();
    const { source, said, containers } = made(20);
    containers.take(5, state("a"));
    containers.take(6, state("a"));
    containers.take(7, state("late"));
    containers.take(8, state("gone"));
    source.labels.set("late", {});
    containers.refresh();
    containers.forget(8);
    vi.advanceTimersByTime(60);
    vi.useRealTimers();
    expect(said.map(({ code, message }) => [code, message])).toEqual([
      ["LABELS_UNKNOWN", "the labels of container `a` are not known: nobody said"],
    ]);
  });

  it("may be thousands: only those with changed labels are reported, with work in proportion to their number", {
    tags: ["deep"],
  }, () => {
    const refreshing = (count: number): number => {
      const { source, known, containers } = made();
      for (let index = 0; index < count; index += 1) {
        source.labels.set(`c${index}`, { tier: "edge", index: String(index) });
        containers.take(index, state(`c${index}`));
      }
      known.splice(0);
      source.labels.set("c471", {});
      const { blocks } = worked(() => containers.refresh());
      expect(known.map(([fd]) => fd)).toEqual([471]);
      return blocks;
    };
    expect(growth(refreshing, 500, 5000)).toBeLessThan(2);
  });

  it("close their source", () => {
    const { source, containers } = made();
    containers.close();
    expect(source.close).toHaveBeenCalledOnce();
  });
});
