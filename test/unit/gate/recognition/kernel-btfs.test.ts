import { beforeEach, describe, expect, it, vi } from "vitest";
import { KernelBtfs } from "../../../../src/gate/recognition/kernel-btfs.js";
import * as btf from "../../../../src/sys/btf.js";
import { kernel, resetKernel } from "../../../support/fake-kernel.js";

vi.mock("../../../../src/sys/btf.js", async () => {
  const { BTF } = await import("../../../support/fake-kernel.js");
  return { ...BTF, btfReportById: vi.fn(BTF.btfReportById), nextBtfId: vi.fn(BTF.nextBtfId) };
});

const NONE = new Uint8Array(0);
const put = (id: number, name: string, ofKernel = true) =>
  kernel.btfs.set(id, { id, ofKernel, name, size: 0, bytes: NONE });
/** Number of system calls since the last time. */
const calls = () => {
  const mocks = [vi.mocked(btf.btfReportById), vi.mocked(btf.nextBtfId)];
  const made = mocks.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  for (const mock of mocks) mock.mockClear();
  return made;
};
const names = ({ listed }: KernelBtfs) => listed.map(({ id, name }) => `${id} ${name}`);

beforeEach(() => {
  resetKernel();
  put(1, "vmlinux");
  put(2, "ping");
  calls();
});

describe("the kernel's BTF objects", () => {
  it("are those of the kernel and its modules, by id", () => {
    put(3, "", false);
    put(4, "pong");
    const btfs = new KernelBtfs();
    expect(btfs.refresh()).toBe(true);
    expect(names(btfs)).toEqual(["1 vmlinux", "2 ping", "4 pong"]);
    expect([3, 4].map((id) => btfs.has(id))).toEqual([false, true]);
    expect(btfs.refresh()).toBe(false);
  });

  it("change when a module is loaded or unloaded", () => {
    const btfs = new KernelBtfs();
    btfs.refresh();
    put(7, "pong");
    expect(btfs.refresh()).toBe(true);
    kernel.btfs.delete(2);
    expect(btfs.refresh()).toBe(true);
    expect(names(btfs)).toEqual(["1 vmlinux", "7 pong"]);
  });

  it("have the newest of a module that was loaded again while somebody holds the old one", () => {
    const btfs = new KernelBtfs();
    btfs.refresh();
    put(9, "ping");
    expect(btfs.refresh()).toBe(true);
    expect(names(btfs)).toEqual(["1 vmlinux", "9 ping"]);
    expect(btfs.refresh()).toBe(false);
  });

  it("are looked for at a cost that does not grow with the BTF that tasks hold", { tags: ["deep"] }, () => {
    const btfs = new KernelBtfs();
    btfs.refresh();
    calls();
    btfs.refresh();
    const before = calls();
    for (let id = 10; id < 2010; id++) put(id, "", false);
    btfs.refresh();
    expect(calls()).toBeGreaterThan(2000);
    btfs.refresh();
    expect(calls()).toBe(before);
  });

  it("stay as they are where the gate may not open one", () => {
    const btfs = new KernelBtfs();
    btfs.refresh();
    put(5, "pong");
    vi.mocked(btf.btfReportById).mockReturnValueOnce(-1);
    expect(btfs.refresh()).toBe(false);
    expect(names(btfs)).toEqual(["1 vmlinux", "2 ping"]);
    expect(btfs.refresh()).toBe(true);
  });
});
