import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  isIncomplete,
  readState,
  runStateText,
  stateText,
} from "../../../../../src/gate/agent/container/container-state.js";
import { isRun, METADATA, profileOf } from "../../../../../src/gate/agent/container/profile.js";

const STATE = { fds: ["pidFd", "seccompFd"], pid: 7, metadata: "countersign-2", state: { id: "c", bundle: "/b" } };
const READ = { id: "c", pid: 7, bundle: "/b", annotations: {}, metadata: "countersign-2", listenerIndex: 1 } as const;
const read = (more: object) => readState(JSON.stringify({ ...STATE, ...more }));

describe("the state of a container process", () => {
  it("has the id, the metadata and the position of the listener", () => {
    expect(read({})).toEqual(READ);
    expect(read({ metadata: "mine" })).toEqual({ ...READ, metadata: "mine" });
    for (const metadata of [undefined, null, 2]) expect(read({ metadata })).toEqual({ ...READ, metadata: "" });
    expect(read({ state: { id: "c", annotations: { a: "1" } } })).toEqual({
      ...READ,
      ...{ bundle: "", annotations: { a: "1" } },
    });
  });

  it.each<[string, object]>([
    ["it is not a JSON object", []],
    ["`state` is not an object", { ...STATE, state: null }],
    ["`state.id` is not a name", { ...STATE, state: { id: "" } }],
    ["`fds` has no `seccompFd`", { ...STATE, fds: ["pidFd"] }],
    ["`fds` has no `seccompFd`", { ...STATE, fds: undefined }],
    ["`pid` is not a process id", { ...STATE, pid: 0 }],
    ["`state.bundle` is not a path", { ...STATE, state: { id: "c", bundle: 1 } }],
    ["`state.annotations` are not all strings", { ...STATE, state: { id: "c", annotations: { a: 1 } } }],
    ["`state.annotations` are not all strings", { ...STATE, state: { id: "c", annotations: ["a"] } }],
  ])("is rejected because %s", (message, state) => {
    const error = { code: "GATE_FAILED", message: expect.stringContaining(`is malformed: ${message}`) };
    expect(() => readState(JSON.stringify(state))).toThrow(expect.objectContaining(error));
  });

  it("is written so that it is read again, with the listener alone", () => {
    for (const metadata of ["countersign", "countersign-fast-2", "mine", ""])
      expect(readState(stateText({ ...READ, metadata }))).toEqual({ ...READ, metadata, listenerIndex: 0 });
  });

  it("of `countersign run` says so, and has the full filter and no annotations", () => {
    const read = readState(runStateText("countersign-run-7", 7));
    const own = { id: "countersign-run-7", pid: 7, bundle: "", annotations: {}, metadata: "countersign-run" };
    expect(read).toEqual({ ...own, listenerIndex: 0 });
    expect([isRun(read), profileOf(read).filter]).toEqual([true, "full"]);
    expect(isRun(readState(JSON.stringify(STATE)))).toBe(false);
  });

  it("is incomplete until it is JSON", () => {
    const text = JSON.stringify(STATE);
    for (let length = 0; length < text.length; length += 1) expect(isIncomplete(text.slice(0, length))).toBe(true);
    expect(isIncomplete(text)).toBe(false);
  });

  it("has the metadata of the profiles that ship", () => {
    for (const [kind, file] of [
      ["full", "seccomp.json"],
      ["fast", "seccomp-fast.json"],
    ] as const) {
      const path = new URL(`../../../../../deploy/${file}`, import.meta.url);
      expect(JSON.parse(readFileSync(path, "utf8")).listenerMetadata).toBe(METADATA[kind]);
    }
  });
});
