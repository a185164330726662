import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { processReferences } from "../../../../src/loaded/references/processes.js";
import { readsOf } from "../../../support/answers.js";

const names = (...entries: readonly string[]) => Buffer.from(entries.map((entry) => `${entry}\0`).join(""));
const numbers = (...values: readonly number[]) => Buffer.from(Uint32Array.from(values).buffer);

/** What is found of processes 12 and 13 with these results, in the first pid namespace. */
function found(answers: Readonly<Record<string, Uint8Array | number>>) {
  const pid = Buffer.from("pid:[4026531836]");
  return processReferences(readsOf([...Object.entries(answers), ["proc/self/ns/pid", pid]]), [12, 13]);
}

describe("the network namespaces of descriptors", () => {
  it("are those of links to them and of sockets, each socket asked once", () => {
    const { networks, view } = found({
      "proc/12/fd/@links": names("3", "net:[4026532001]", "4", "socket:[77]", "5", "/tmp/socket:[78]"),
      "proc/12/fd/@networks": numbers(4026532002, 4),
      "proc/13/fd/@links": names("6", "socket:[77]"),
      "proc/13/fd/@networks": numbers(4026532003, 6),
    });
    const expected = [
      [4026532001, "/proc/12/fd/3"],
      [4026532002, { pid: 12, fd: 4 }],
    ];
    expect([...networks]).toEqual(expected);
    expect(view.complete).toBe(true);
  });

  it("are those of TUN devices, which their fdinfo shows and not their path", () => {
    const { networks } = found({
      "proc/12/fd/@links": names("3", "/mnt/dev/net/tun"),
      "proc/12/fdinfo/3": Buffer.from("pos:\t0\nflags:\t02\nmnt_id:\t1\niff:\ttun9\n"),
      "proc/12/fd/@networks": numbers(4026532002, 3),
      "proc/13/fd/@links": names("4", "/tmp/net/tun"),
      "proc/13/fdinfo/4": Buffer.from("pos:\t0\nflags:\t02\nmnt_id:\t40\n"),
      "proc/13/fd/@networks": numbers(4026532003, 4),
    });
    expect([...networks]).toEqual([[4026532002, { pid: 12, fd: 3 }]]);
  });

  it("are a gap where a socket may not be asked, and none where the process has gone", () => {
    const links = { "proc/12/fd/@links": names("3", "socket:[77]"), "proc/13/fd/@links": names("3", "socket:[78]") };
    const { networks, view } = found({
      ...links,
      "proc/12/fd/@networks": numbers(0, 3),
      "proc/13/fd/@networks": -ERRNO.ESRCH,
    });
    expect(networks.size).toBe(0);
    expect(view.reason).toBe("the descriptors of 1 process may not be read, such as those of 12");
  });
});
