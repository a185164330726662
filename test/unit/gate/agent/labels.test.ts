import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ContainerState } from "../../../../src/gate/agent/container/container-state.js";
import { containerOf, SOURCES } from "../../../../src/gate/agent/labels.js";

const stateOf = (annotations: Readonly<Record<string, string>>, id = "c"): ContainerState => ({
  ...{ id, pid: 1, bundle: "", annotations, metadata: "countersign-2", listenerIndex: 0 },
});

describe("labels of a container", () => {
  it("are its annotations with a prefix", () => {
    const state = stateOf({ "label.countersign/tier": "edge", "team/tier": "dev", other: "1" });
    expect(SOURCES.annotations("").labelsOf(state)).toEqual({ tier: "edge" });
    expect(SOURCES.annotations("team/").labelsOf(state)).toEqual({ tier: "dev" });
    expect(SOURCES.annotations("none/").labelsOf(state)).toEqual({});
  });

  it.each<[string, string | undefined, object | null]>([
    ["a JSON object of texts", '{"tier":"edge"}', { tier: "edge" }],
    ["missing", undefined, null],
    ["no JSON", "{", null],
    ["a list", '["edge"]', null],
    ["an object with a number", '{"tier":1}', null],
  ])("are CRI-O's annotation, which is %s", (_, text, labels) => {
    const annotations = text === undefined ? {} : { "io.kubernetes.cri-o.Labels": text };
    expect(SOURCES.crio().labelsOf(stateOf(annotations))).toEqual(labels);
  });

  it("are in a file by the container's id, which is read again when it changes", () => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-labels-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "labels.json");
    const source = SOURCES.file(path);
    const labelsOf = (id: string) => source.labelsOf(stateOf({}, id));
    expect(labelsOf("c")).toBeNull();
    writeFileSync(path, JSON.stringify({ c: { tier: "edge" }, d: "edge" }));
    expect(["c", "d", "e", "toString"].map(labelsOf)).toEqual([{ tier: "edge" }, null, null, null]);
    writeFileSync(path, JSON.stringify({ c: { tier: "internal" } }));
    expect(labelsOf("c")).toEqual({ tier: "internal" });
    writeFileSync(path, "[]");
    expect(labelsOf("c")).toBeNull();
    rmSync(path);
    expect(labelsOf("c")).toBeNull();
  });

  it("come from the pods of the node that is named, or of NODE_NAME", async () => {
    vi.stubEnv("NODE_NAME", "node-7");
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const state = stateOf({ "io.kubernetes.cri.sandbox-name": "web" });
    expect((await SOURCES.kubernetes("")).labelsOf(state)).toBeNull();
    await expect(SOURCES.kubernetes("Node 7")).rejects.toMatchObject({ code: "USAGE" });
  });
});

describe("the container that policies see", () => {
  it.each([
    ["containerd", "io.kubernetes.cri.container-name"],
    ["CRI-O", "io.kubernetes.cri-o.ContainerName"],
    ["CRI-O's kubelet", "io.kubernetes.container.name"],
  ])("has the name from %s", (_, key) => {
    const annotations = { [key]: "web" };
    const container = { id: "c", name: "web", labels: { tier: "edge" }, annotations };
    expect(containerOf(stateOf(annotations), { tier: "edge" })).toEqual(container);
  });

  it("has no name if the runtime gives none", () => {
    expect(containerOf(stateOf({}), null)).toEqual({ id: "c", name: null, labels: null, annotations: {} });
  });
});
