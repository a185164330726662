import { describe, expect, it } from "vitest";
import { Notification, writeResponse } from "../../../../src/gate/task/blocking/notification.js";
import { capabilityNames, unifiedCgroup } from "../../../../src/gate/task/caller.js";
import { parseStatus } from "../../../../src/gate/task/status.js";

const STATUS =
  "Name:\tsh\nUmask:\t0022\nTgid:\t41\nPid:\t42\nUid:\t1000\t0\t0\t0\nGid:\t1000\t50\t50\t50\nGroups:\t4 24 1000 \nCapEff:\t0000000000000000\n";

describe("what /proc says of a task", () => {
  it("is read from its status", () => {
    expect(parseStatus(STATUS)).toEqual({ tgid: 41, uid: 1000, euid: 0, gid: 1000, egid: 50, groups: [4, 24, 1000] });
    expect(parseStatus(STATUS.replace("4 24 1000 ", ""))?.groups).toEqual([]);
  });

  it("is null if a line is missing or has no numbers", () => {
    expect(parseStatus("")).toBeNull();
    for (const line of ["Tgid", "Uid", "Gid", "Groups"]) {
      expect(parseStatus(STATUS.replace(new RegExp(`${line}:.*\n`), "")), line).toBeNull();
      expect(parseStatus(STATUS.replace(new RegExp(`${line}:.*\n`), `${line}:\tx\ty\n`)), line).toBeNull();
    }
    expect(parseStatus(STATUS.replace("1000\t0\t0\t0", "1000\t-1\t0\t0"))).toBeNull();
  });

  it("does not take a line for another that a task's name pretends to be", () => {
    // the kernel writes a line break in a name as the two characters \n
    expect(parseStatus(STATUS.replace("sh", "x\\nUid:\t0\t0\t0\t0"))?.uid).toBe(1000);
  });

  it("contains the path in the unified hierarchy among those in other hierarchies", () => {
    expect(unifiedCgroup("12:cpu:/a\n0::/system.slice/x.service\n")).toBe("/system.slice/x.service");
    expect(unifiedCgroup("0::/\n")).toBe("/");
    expect(unifiedCgroup("10::/b\n")).toBeNull();
    expect(unifiedCgroup(null)).toBeNull();
  });

  it("names capabilities, those without a name by their bit", () => {
    expect(capabilityNames(0n)).toEqual([]);
    expect(capabilityNames((1n << 39n) | 1n | (1n << 62n))).toEqual(["CAP_CHOWN", "CAP_BPF", "CAP_62"]);
  });
});

describe("the structures that cross at a listener", () => {
  it("gives a notification's registers whole", () => {
    const bytes = new Uint8Array(80);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, 0xfedcba9876543210n, true);
    view.setUint32(8, 4242, true);
    view.setInt32(16, 321, true);
    view.setUint32(20, 0xc000003e, true);
    view.setBigUint64(32, 0xffffffff00000005n, true);
    view.setBigUint64(72, 7n, true);
    const { id, tid, call, arch } = new Notification(bytes);
    expect([id, tid, call, arch]).toEqual([0xfedcba9876543210n, 4242, 321, 0xc000003e]);
    const notification = new Notification(bytes);
    expect([0, 1, 2, 3, 4, 5].map((index) => notification.long(index))).toEqual([
      ...[0xffffffff00000005n, 0n, 0n, 0n, 0n, 7n],
    ]);
    expect([notification.word(0), notification.word(5)]).toEqual([5, 7]);
  });

  it("reply with an errno, with a result, or with _continue_, and never with two of them", () => {
    const parts = (bytes: Uint8Array) => {
      const view = new DataView(bytes.buffer);
      return [view.getBigUint64(0, true), view.getBigInt64(8, true), view.getInt32(16, true), view.getUint32(20, true)];
    };
    expect(parts(writeResponse(9n, { result: -1 }))).toEqual([9n, 0n, -1, 0]);
    expect(parts(writeResponse(9n, { result: 5 }))).toEqual([9n, 5n, 0, 0]);
    expect(parts(writeResponse(9n, "continue"))).toEqual([9n, 0n, 0, 1]);
  });
});
