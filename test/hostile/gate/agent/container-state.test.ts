import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CountersignError } from "../../../../src/error.js";
import { isIncomplete, readState, stateText } from "../../../../src/gate/agent/container/container-state.js";
import { profileOf } from "../../../../src/gate/agent/container/profile.js";
import { containerOf, SOURCES } from "../../../../src/gate/agent/labels.js";

const STATE = {
  ociVersion: "1.2.0",
  fds: ["other", "seccompFd"],
  pid: 77,
  metadata: "countersign-2",
  state: { ociVersion: "1.2.0", id: "c1", status: "creating", pid: 77, bundle: "/b", annotations: { a: "1" } },
};
const code = (value: unknown) => {
  try {
    readState(typeof value === "string" ? value : JSON.stringify(value));
    return null;
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
    throw error;
  }
};

describe("a ContainerProcessState", () => {
  it("is read where it is whole", () => {
    expect(readState(JSON.stringify(STATE))).toEqual({
      id: "c1",
      pid: 77,
      bundle: "/b",
      annotations: { a: "1" },
      metadata: "countersign-2",
      listenerIndex: 1,
    });
  });

  it("is refused with a code where a part is missing or of another kind", () => {
    const { state } = STATE;
    for (const wrong of [
      "",
      "null",
      "[]",
      "{",
      {},
      { ...STATE, fds: [] },
      { ...STATE, fds: "seccompFd" },
      { ...STATE, pid: 0 },
      { ...STATE, pid: -4 },
      { ...STATE, pid: "77" },
      { ...STATE, pid: 2 ** 60 },
      { ...STATE, state: null },
      { ...STATE, state: [state] },
      { ...STATE, state: { ...state, id: "" } },
      { ...STATE, state: { ...state, id: 5 } },
      { ...STATE, state: { ...state, bundle: {} } },
      { ...STATE, state: { ...state, annotations: ["x"] } },
      { ...STATE, state: { ...state, annotations: { tier: 1 } } },
      { ...STATE, state: { ...state, annotations: "tier" } },
    ])
      expect(code(wrong), JSON.stringify(wrong)).toBe("GATE_FAILED");
  });

  it("is read back as it was, where it was kept", () => {
    const state = { ...readState(JSON.stringify(STATE)), listenerIndex: 0 };
    expect(readState(stateText(state))).toEqual(state);
    const odd = { ...state, id: "\u0000\ud800 \n", annotations: { "": "\u2028", __proto__x: "" } };
    expect(readState(stateText(odd))).toEqual(odd);
  });

  it("names a profile only if its metadata is exactly that of one", () => {
    const profile = (metadata: unknown) => profileOf(readState(JSON.stringify({ ...STATE, metadata })));
    expect(profile("countersign-2")).toEqual({ filter: "full", keepsListener: "yes" });
    expect(profile("countersign-fast-2")).toEqual({ filter: "fast", keepsListener: "yes" });
    expect(profile("countersign")).toEqual({ filter: "full", keepsListener: "no" });
    expect(profile("countersign-fast")).toEqual({ filter: "fast", keepsListener: "no" });
    for (const metadata of [
      ...[undefined, null, "", "countersign-fast-2 ", "Countersign-2", "countersign-3", "__proto__", "constructor"],
      ...[["countersign-2"], {}, 1],
    ])
      expect(profile(metadata), String(metadata)).toEqual({ filter: "full", keepsListener: "unknown" });
    const state = { ...readState(JSON.stringify(STATE)), metadata: "mine", listenerIndex: 0 };
    expect(readState(stateText(state))).toEqual(state);
  });

  it("never fails in another way", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => [null, "GATE_FAILED"].includes(code(text))));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (state, fds) =>
        [null, "GATE_FAILED"].includes(code({ ...STATE, state, fds })),
      ),
    );
  });

  it("is known to be incomplete at every byte before its last", () => {
    const text = JSON.stringify(STATE);
    for (let length = 0; length < text.length; length += 1) expect(isIncomplete(text.slice(0, length))).toBe(true);
    expect(isIncomplete(text)).toBe(false);
  });
});

describe("labels", () => {
  const state = (annotations: Record<string, string>) => ({
    id: "c",
    pid: 1,
    bundle: "",
    annotations,
    metadata: "countersign-2",
    listenerIndex: 0,
  });

  it("come from annotations with the prefix, and no others", () => {
    const annotations = { "label.countersign/tier": "edge", tier: "prod", "xlabel.countersign/tier": "dev" };
    expect(SOURCES.annotations("").labelsOf(state(annotations))).toEqual({ tier: "edge" });
    expect(SOURCES.annotations("x").labelsOf(state(annotations))).toEqual({ "label.countersign/tier": "dev" });
  });

  it("are unknown where CRI-O's annotation is missing, no JSON, or not all strings", () => {
    const crio = SOURCES.crio();
    const key = "io.kubernetes.cri-o.Labels";
    expect(crio.labelsOf(state({ [key]: '{"tier":"edge"}' }))).toEqual({ tier: "edge" });
    for (const annotations of [{}, { [key]: "" }, { [key]: "[]" }, { [key]: '{"tier":1}' }, { [key]: "null" }])
      expect(crio.labelsOf(state(annotations))).toBeNull();
  });

  it("are unknown where the file cannot be read or does not have the container", () => {
    expect(SOURCES.file("/nonexistent/labels.json").labelsOf(state({}))).toBeNull();
  });

  it("leave the container's name to the annotations of its runtime", () => {
    expect(containerOf(state({ "io.kubernetes.cri.container-name": "web" }), null).name).toBe("web");
    expect(containerOf(state({}), {})).toEqual({ id: "c", name: null, labels: {}, annotations: {} });
  });
});
