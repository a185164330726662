import { beforeEach, describe, expect, it, vi } from "vitest";
import { LiveKernel, NO_FILES } from "../../../../src/gate/recognition/live-kernel.js";
import { kernel, resetKernel } from "../../../support/fake-kernel.js";
import { KERNEL_BYTES, kernelOf } from "../../../support/recognition.js";

vi.mock("../../../../src/sys/btf.js", async () => (await import("../../../support/fake-kernel.js")).BTF);

beforeEach(() => {
  resetKernel();
  kernelOf();
});

const put = (id: number, name: string) =>
  kernel.btfs.set(id, { id, ofKernel: true, name, size: 0, bytes: KERNEL_BYTES.module });

describe("the running kernel", () => {
  it("has its addresses read once, and again when it has other modules", () => {
    const kallsyms = vi.fn(() => Buffer.from("ffffffff81000000 T start\n"));
    const live = new LiveKernel({ ...NO_FILES, vmlinux: () => KERNEL_BYTES.vmlinux, kallsyms });
    expect(live.kernel(false)?.kallsyms).toBeNull();
    const before = live.kernel(true);
    expect(before?.kallsyms).not.toBeNull();
    live.refresh();
    expect(live.kernel(true)).toBe(before);
    expect(kallsyms).toHaveBeenCalledTimes(1);
    put(3, "ping");
    live.refresh();
    expect(live.generation).toBe(1);
    expect(live.kernel(true)?.modules.map(({ name }) => name)).toEqual(["ping"]);
    expect(kallsyms).toHaveBeenCalledTimes(2);
  });
});
