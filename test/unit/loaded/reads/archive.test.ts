import { expect, it } from "vitest";
import { scanLines } from "../../../../src/cli/output/scan-lines.js";
import { scanText } from "../../../../src/cli/output/scan-text.js";
import { components, KERNEL, type Reads } from "../../../../src/loaded/reads/reads.js";
import { Saving } from "../../../../src/loaded/reads/saving.js";
import { archiveOf, LISTED, savedAnswers, scanIn } from "../../../support/scans.js";

it("shows the scan of an archive, and asks nothing of the running kernel", async () => {
  const scan = await scanIn(await archiveOf(savedAnswers()));
  expect(scanText(scan, LISTED, null).split("\n")).toEqual([
    "PROGRAM  NAME   TYPE        TAG               LOADED (UTC)         UID   ATTACHED                                                                                     HELD BY",
    "37       limit  cgroup_skb  3132333435363738  2026-01-01 00:00:00  1000  cgroup_inet_ingress of cgroup /a, kprobe vfs_fsy of process 12, raw tracepoint sched_switch  limit[12] of limit.service, /sys/fs/bpf/tc/a%40b@",
    "",
    "MAP  NAME  TYPE        KEY  VALUE  ENTRIES  FROZEN  USED BY  HELD BY",
    "5    -     prog_array  4    4      0        no      37       -",
    "",
    "LINK  TYPE            PROGRAM  ATTACHED                     HELD BY",
    "9     raw_tracepoint  37       raw tracepoint sched_switch  limit[12] of limit.service",
    "",
    "1 program, 1 map, 1 link",
  ]);
  expect(scan.views.filter(({ complete }) => !complete)).toEqual([]);
  expect(scan.bootId).toBe("6f1d4f5e-3c1b-4a57-9d0e-2b1a70a3c1de");
  expect([...scanLines(scan, LISTED, null)]).toHaveLength(6);
});

it.each([
  ["proc/12/fd/@links", "archive"],
  ["sys/fs/cgroup/a/@programs", "archive"],
  ["@bpf/map/ids", "maps"],
  ["@bpf/program/37/info", "programs"],
  ["@net/4026531833/entered", "interfaces"],
])("says which view an archive without %s lacks", async (name, view) => {
  const answers = savedAnswers();
  answers.delete(name);
  const { views } = await scanIn(await archiveOf(answers));
  const gaps = views.filter(({ complete }) => !complete);
  expect(gaps.map((gap) => gap.name)).toContain(view);
  expect(gaps.at(-1)).toEqual({ name: "archive", complete: false, reason: `it lacks \`${name}\`` });
});

it("keeps the error of a read", async () => {
  const answers = savedAnswers().set("@bpf/link/ids", -1);
  const { views, links } = await scanIn(await archiveOf(answers));
  expect(links).toEqual([]);
  expect(views.filter(({ complete }) => !complete)).toEqual([
    { name: "links", complete: false, reason: "the kernel ends the list with EPERM" },
  ]);
});

it("has names for all paths, none of which leads out of a folder", () => {
  expect(components("/proc/12/fd//3")).toBe("proc/12/fd/3");
  expect(components("/a b/@x/../%/ü/.")).toBe("a%20b/%40x/%2E%2E/%25/%C3%BC/%2E");
  expect(components("/...")).toBe("...");
});

it("reads once what is asked for again, and stores it once", () => {
  const stored: string[] = [];
  const saving = new Saving({ add: ({ name, errno }) => stored.push(`${name} ${errno}`), stored: async () => {} });
  let count = 0;
  const read = (name: string, reads: Reads = saving) =>
    reads.bytes(name, () => {
      count += 1;
      return Buffer.of(count);
    });
  expect([read("a"), read("a"), read("a", saving.further)]).toEqual(Array(3).fill(Buffer.of(1)));
  expect([read("b", saving.further), read("a", KERNEL)]).toEqual([Buffer.of(2), Buffer.of(3)]);
  expect(saving.bytes("c", () => -13)).toBe(-13);
  expect(stored).toEqual(["a null", "b null", "c 13"]);
});
