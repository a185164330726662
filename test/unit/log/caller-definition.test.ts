import { describe, expect, it } from "vitest";
import { CallerDefinitions } from "../../../src/log/caller-definition.js";
import { Mask } from "../../../src/log/mask.js";
import { type Current, ROOT_ON_HOST } from "../../../src/policy/model/current.js";

const CONTAINER = { id: "c1", name: "web", labels: { app: "web", tier: "front" }, annotations: { owner: "a" } };
const BASE: Current = {
  ...ROOT_ON_HOST,
  ...{ pid: 7, tid: 8, uid: 1000, euid: 1000, gid: 100, comm: "tool", exe: "/bin/tool", cgroup: "/a" },
  capabilities: ["CAP_BPF", "CAP_PERFMON"],
  namespaces: { mnt: 1, net: 2 },
  container: CONTAINER,
};
const within = (container: object): Current => ({ ...BASE, container: { ...CONTAINER, ...container } });

/** Callers of whom each is another one: each has one more, fewer, other or differently ordered value than BASE. */
const OTHERS: Readonly<Record<string, Current>> = {
  uid: { ...BASE, uid: 1001 },
  euid: { ...BASE, euid: 0 },
  gid: { ...BASE, gid: 101 },
  exe: { ...BASE, exe: "/bin/other" },
  "no exe": { ...BASE, exe: null },
  cgroup: { ...BASE, cgroup: "/b" },
  "fewer capabilities": { ...BASE, capabilities: ["CAP_BPF"] },
  "another capability": { ...BASE, capabilities: ["CAP_BPF", "CAP_SYS_ADMIN"] },
  "other order of capabilities": { ...BASE, capabilities: ["CAP_PERFMON", "CAP_BPF"] },
  "another namespace": { ...BASE, namespaces: { mnt: 1, net: 3 } },
  "another kind of namespace": { ...BASE, namespaces: { mnt: 1, pid: 2 } },
  "fewer namespaces": { ...BASE, namespaces: { mnt: 1 } },
  "other order of namespaces": { ...BASE, namespaces: { net: 2, mnt: 1 } },
  "no container": { ...BASE, container: null },
  "container's id": within({ id: "c2" }),
  "container's name": within({ name: "db" }),
  "container without a name": within({ name: null }),
  "a label": within({ labels: { app: "web", tier: "back" } }),
  "a label's key": within({ labels: { app: "web", layer: "front" } }),
  "fewer labels": within({ labels: { app: "web" } }),
  "no labels": within({ labels: {} }),
  "unknown labels": within({ labels: null }),
};
const ANNOTATED: Readonly<Record<string, Current>> = {
  "an annotation": within({ annotations: { owner: "b" } }),
  "no annotation": within({ annotations: {} }),
};

const others = Object.entries({ ...OTHERS, ...ANNOTATED });
const definitions = () => new CallerDefinitions(new Mask([]));

describe("the definition of a caller", () => {
  it.each(others)("is another one for another caller: %s", (_, other) => {
    const made = definitions();
    const first = made.of(BASE, true);
    const second = made.of(other, true);
    expect(second.digest).not.toBe(first.digest);
    // the one before, which is not the last one any more
    expect(made.of(structuredClone(BASE), true)).toBe(first);
    expect(made.of(structuredClone(other), true)).toBe(second);
  });

  it("is the same one for tasks of one caller", () => {
    const made = definitions();
    expect(made.of({ ...structuredClone(BASE), pid: 70, tid: 80, comm: "x" }, true)).toBe(made.of(BASE, true));
  });

  it("has annotations only if a policy has read them", () => {
    const made = definitions();
    const without = made.of(BASE, false);
    expect(JSON.parse(without.content()).container.annotations).toBeNull();
    for (const other of Object.values(ANNOTATED)) expect(made.of(other, false)).toBe(without);
    const annotated = made.of(BASE, true);
    expect(JSON.parse(annotated.content()).container.annotations).toEqual({ owner: "a" });
    expect(made.of(BASE, false)).toBe(without);
  });
});
