import { describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { BpftoolRecorder } from "./bpftool-recorder.js";
import { CiliumRecorder } from "./cilium-recorder.js";
import { compareOn } from "./table.js";
import { testedObjects } from "./tested-objects.js";

/** Objects of tools in the short form; `npm run test:relocations` compares all of them on all kernels. */
const TOOLS = /^own\/|^libbpf-tools\/(?:biosnoop|execsnoop|mountsnoop|runqlat|tcptop)-|^libxdp1\/xdpfilt_dny_all/;
const chosen = <Named extends { readonly name: string }>(all: readonly Named[]) =>
  all.filter(({ name }) => amount(0, 1) === 1 || TOOLS.test(name));

describe("a program relocated for cilium/ebpf", () => {
  it("is the one that the library loads on the running kernel", (context) => {
    const tested = testedObjects();
    const recorder = CiliumRecorder.open();
    if (typeof tested === "string" || typeof recorder === "string")
      return context.skip(typeof tested === "string" ? tested : (recorder as string));
    const row = compareOn("running", recorder, "cilium", chosen(tested));
    recorder.close();
    if (typeof row === "string") return context.skip(row);
    expect(row.differences).toEqual([]);
    expect(row.outcomes.identical).toBeGreaterThan(80);
    expect(row.outcomes.refused).toBeGreaterThan(10);
    expect(row.outcomes.target).toBeGreaterThan(10);
  });
});

describe("a program relocated as libbpf does", () => {
  it("is the one that bpftool loads on the running kernel", (context) => {
    const tested = testedObjects();
    const recorder = BpftoolRecorder.open();
    if (typeof tested === "string" || typeof recorder === "string")
      return context.skip(typeof tested === "string" ? tested : (recorder as string));
    // Debian builds bpftool with the libbpf of its kernel.
    if (!/ libbpf v1\.5$/.test(recorder.version)) return context.skip("needs a bpftool with libbpf 1.5");
    const row = compareOn("running", recorder, "libbpf-1.5", chosen(tested));
    recorder.close();
    if (typeof row === "string") return context.skip(row);
    expect(row.differences).toEqual([]);
    expect(row.outcomes.identical).toBeGreaterThan(amount(80, 200));
  });
});
